"""The commands before they do their work: Pythons, names, ports, copies."""

import ast
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from autograde import cli, lab, testing

STARTS = ("__init__.py", "__main__.py")  # what an old Python reads before it is told that it is old


def command(*args, python=sys.executable, cwd=None, **env):
    return subprocess.run(
        [python, "-B", "-m", "autograde", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=120,
    )


# --- an old Python ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [6, 7, 8, 9, 10])
@pytest.mark.parametrize("name", STARTS)
def test_the_first_files_parse_on_an_old_python(repository, name, minor):
    ast.parse((repository / "autograde" / name).read_text(), feature_version=(3, minor))


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 0), (3, 10, 14)])
def test_an_old_python_is_told_in_one_line(repository, monkeypatch, version):
    source = (repository / "autograde" / "__init__.py").read_text()
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as end:
        exec(compile(source, "__init__.py", "exec"), {"__name__": "autograde"})
    assert end.value.code == "training-dynamics needs Python 3.11 or newer; this is Python {}.{}.".format(*version)


def _old_pythons():
    """Pythons older than 3.11 on this machine, one a version, wherever they were put."""
    places = [*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]
    found = {}
    for place in places:
        for minor in range(6, 11):
            program = shutil.which(f"python3.{minor}", path=place)
            if program and subprocess.run([program, "-c", ""], capture_output=True).returncode == 0:
                found.setdefault(minor, program)
    return found


def test_each_old_python_of_this_machine_is_told_in_one_line(repository):
    """Where none is installed, the two tests above have tried the same without one."""
    for minor, program in _old_pythons().items():
        result = command("lab", python=program, cwd=repository)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr == f"training-dynamics needs Python 3.11 or newer; this is Python 3.{minor}.\n"


@pytest.fixture
def copied(repository, tmp_path):
    """What `make` needs of the repository, elsewhere: no test makes a .venv here."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repository / name, tmp_path)
    shutil.copytree(repository / "autograde", tmp_path / "autograde", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def make(folder, *args):
    return subprocess.run(["make", *args], cwd=folder, capture_output=True, text=True, timeout=120)


def test_make_stops_at_an_old_python_before_it_makes_anything(copied):
    fake = copied / "oldpython"
    fake.write_text(
        f"#!{sys.executable}\nimport sys\nsys.version_info = (3, 9, 2)\nsys.path.insert(0, '')\nexec(sys.argv[2])\n"
    )
    fake.chmod(0o755)
    for python in [str(fake), *_old_pythons().values()]:
        result = make(copied, "lab", f"PYTHON={python}")
        assert result.returncode != 0 and "needs Python 3.11 or newer; this is Python 3." in result.stderr
        assert "Traceback" not in result.stderr and "PYTHON=" in result.stderr
        assert not (copied / ".venv").exists()


def test_make_passes_arguments_on_and_starts_at_once_when_set_up(copied):
    python = copied / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho ran "$@"\n')
    python.chmod(0o755)
    (copied / ".venv" / "ready").touch()
    for name in cli.COMMANDS:
        assert make(copied, name).stdout == f"ran -m autograde {name}\n"
    result = make(copied, "lab", "ARGS=--no-browser --port 8899")
    assert result.stdout == "ran -m autograde lab --no-browser --port 8899\n"


def test_make_takes_torchs_index_and_installs_under_the_constraints(copied):
    said = make(copied, "-n", "test", "PIP_ARGS=--extra-index-url https://example.org/cpu").stdout
    install = next(line for line in said.splitlines() if "pip install" in line)
    assert "--extra-index-url https://example.org/cpu --constraint constraints.txt" in install


def test_make_clean_leaves_a_learners_work(copied):
    for name in ("work/mine.ipynb", ".venv/ready"):
        (copied / name).parent.mkdir(exist_ok=True)
        (copied / name).touch()
    assert make(copied, "clean").returncode == 0
    assert (copied / "work/mine.ipynb").exists() and not (copied / ".venv").exists()


# --- names -----------------------------------------------------------------------------------------------------------


def test_without_a_command_it_lists_them(capsys):
    assert cli.main([]) == 2 and cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in cli.COMMANDS)


def test_an_unknown_command_lists_the_known(capsys):
    assert cli.main(["grad"]) == 2
    said = capsys.readouterr().err
    assert said == f"There is no command 'grad'; there are {', '.join(cli.COMMANDS)}.\n" and "lab, test, grade" in said


def test_a_missing_package_is_named_in_one_line(monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")

    monkeypatch.setattr(cli.importlib, "import_module", missing)
    assert cli.main(["grade"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("`grade` needs the package nbgrader") and said.count("\n") == 1


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys; from autograde.cli import main; main(['--help']); print(*map(sys.modules.get, ('torch', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("None None\n")


def test_makefile_and_command_line_have_the_same_names(repository):
    makefile = (repository / "Makefile").read_text()
    assert f"COMMANDS := {' '.join(cli.COMMANDS)}\n" in makefile


def test_the_repository_is_known_and_a_wheel_says_that_it_is_none(repository, monkeypatch, capsys, tmp_path):
    assert lab.repository() == repository
    (tmp_path / "course").mkdir()  # as site-packages has it
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "autograde" / "lab.py"))
    for module in (lab, testing):
        assert module.main([]) == 1
        said = capsys.readouterr().err
        assert said.startswith("This command needs the course's repository") and said.count("\n") == 1


# --- a learner's copies ----------------------------------------------------------------------------------------------


@pytest.fixture
def release(tmp_path):
    """A release of two weeks in a folder of its own."""
    for name in ("week0_warm_up/warm_up.ipynb", "week1_loss/loss.ipynb"):
        file = tmp_path / "course" / name
        file.parent.mkdir(parents=True)
        file.write_text("release 1")
    return tmp_path


@pytest.fixture
def launched(release, monkeypatch):
    """The commands that would have started JupyterLab."""
    commands = []
    monkeypatch.setattr(lab, "repository", lambda: release)
    monkeypatch.setattr(lab, "_launch", lambda command: commands.append(command) or 0)
    return commands


def texts(folder):
    return {f.relative_to(folder).as_posix(): f.read_text() for f in folder.rglob("*.ipynb")}


def test_the_first_start_copies_and_opens_the_first_week(release, launched, capsys):
    assert lab.main(["--no-browser", "--LabApp.token="]) == 0
    assert texts(release / "work") == texts(release / "course") and capsys.readouterr().out == ""
    (started,) = launched
    assert started[1:3] == ["-m", "jupyterlab"]
    assert "--LabApp.default_url=/lab/tree/week0_warm_up/warm_up.ipynb" in started
    assert f"--ServerApp.root_dir={release / 'work'}" in started
    assert started[-2:] == ["--no-browser", "--LabApp.token="]


def test_a_learners_file_is_never_written_and_a_new_release_is_offered_once(release, launched, capsys):
    lab.main([])
    mine, released = release / "work/week1_loss/loss.ipynb", release / "course/week1_loss/loss.ipynb"
    mine.write_text("my answers")
    lab.main([])
    assert mine.read_text() == "my answers" and len(texts(release / "work")) == 2
    for number in (2, 3):
        released.write_text(f"release {number}")
        for start in range(3):
            capsys.readouterr()
            lab.main([])
            said = capsys.readouterr().out
            assert said.count("\n") == (start == 0) and (f"loss.new-{number}.ipynb" in said) == (start == 0)
        assert (release / f"work/week1_loss/loss.new-{number}.ipynb").read_text() == f"release {number}"
    assert mine.read_text() == "my answers" and len(texts(release / "work")) == 4


def test_an_offer_taken_or_thrown_away_does_not_come_back(release, launched):
    lab.main([])
    (release / "course/week1_loss/loss.ipynb").write_text("release 2")
    lab.main([])
    (release / "work/week1_loss/loss.new-2.ipynb").unlink()
    lab.main([])
    assert len(texts(release / "work")) == 2


def test_a_deleted_copy_comes_back_fresh(release, launched, capsys):
    lab.main([])
    (release / "course/week1_loss/loss.ipynb").write_text("release 2")
    (release / "work/week1_loss/loss.ipynb").unlink()
    lab.main([])
    assert (release / "work/week1_loss/loss.ipynb").read_text() == "release 2" and capsys.readouterr().out == ""


@pytest.mark.parametrize("record", [None, "", "{", "[1]", '{"week1_loss/loss.ipynb": 3}'])
def test_a_lost_or_broken_record_costs_an_offer_and_no_file(release, launched, record):
    lab.main([])
    mine = release / "work/week1_loss/loss.ipynb"
    mine.write_text("my answers")
    (release / "work/week1_loss/loss.new-2.ipynb").write_text("mine too")
    file = release / "work" / lab.RECORD
    file.unlink() if record is None else file.write_text(record)
    lab.main([])
    lab.main([])
    assert mine.read_text() == "my answers"
    assert (release / "work/week1_loss/loss.new-2.ipynb").read_text() == "mine too"
    assert (release / "work/week1_loss/loss.new-3.ipynb").read_text() == "release 1" and len(
        texts(release / "work")
    ) == 4


def test_without_a_release_it_says_what_makes_one(release, launched, capsys):
    shutil.rmtree(release / "course")
    assert lab.main([]) == 1 and not launched
    said = capsys.readouterr().err
    assert "no release notebooks" in said and said.count("\n") == 1 and not (release / "work").exists()


@pytest.mark.parametrize("form", ["--port {}", "--port={}", "--ServerApp.port={}"])
def test_a_port_in_use_is_said_in_one_line(release, launched, capsys, form):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert lab.main(["--no-browser", *form.format(port).split()]) == 1
    assert not launched
    assert capsys.readouterr().err == f"Port {port} is in use: stop the program that uses it, or choose another port.\n"


def test_a_free_port_is_taken_or_none(release, launched):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert lab.main(["--port", str(port)]) == 0
    assert "--ServerApp.port_retries=0" in launched[0]


@pytest.fixture
def elsewhere(repository, tmp_path):
    """The commands and the release, elsewhere: nothing is copied into this repository's work/."""
    for name in ("autograde", "course"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def test_jupyterlab_starts_on_the_first_week(elsewhere):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    args = ["lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    with open(elsewhere / "log", "w") as log:
        lab_process = subprocess.Popen(
            [sys.executable, "-m", "autograde", *args], cwd=elsewhere, stdout=log, stderr=log
        )
    try:
        end, page = time.monotonic() + 60, None
        while page is None and time.monotonic() < end and lab_process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer,
            ):
                page = answer.geturl()
            time.sleep(0.2)
        first = sorted((elsewhere / "work").glob("week*/*.ipynb"))[0]
        assert page and page.endswith(f"/lab/tree/{first.parent.name}/{first.name}"), (elsewhere / "log").read_text()[
            -2000:
        ]
    finally:
        lab_process.terminate()
        lab_process.wait(30)


def test_the_port_is_refused_by_the_real_command_too(elsewhere):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = command("lab", "--no-browser", f"--port={port}", cwd=elsewhere)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith(f"Port {port} is in use") and result.stderr.count("\n") == 1
