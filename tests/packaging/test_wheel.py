"""The built wheel, in an environment that has its dependencies and nothing of this repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import nbformat
import pytest

# Runs a notebook in the kernel of whichever Python runs this script; prints what its cells gave.
RUN = """
import json, sys, nbformat
from nbclient import NotebookClient
file = sys.argv[1]
notebook = nbformat.read(file, 4)
NotebookClient(notebook, timeout=120, resources={"metadata": {"path": sys.argv[2]}}).execute()
print(json.dumps([cell.get("outputs", []) for cell in notebook.cells]))
"""
WHERE = "import course, course.lab, autograde; print(course.__file__); print(autograde.__file__)"


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def clean_python(wheel, tmp_path_factory):
    """The Python of a new environment: the wheel unpacked by pip, beside the packages that we have, which a .pth names.

    A .pth that lies in that folder is not followed from there, so our own editable install is out of sight.
    """
    home = tmp_path_factory.mktemp("clean") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(pip, check=True, capture_output=True)
    with open(os.path.join(site, "dependencies.pth"), "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    return python


def run_notebook(python, file, folder):
    """The outputs of each cell, run by `python`'s own kernel with nothing inherited from this environment."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    done = subprocess.run(
        [python, "-c", RUN, file, folder], cwd=folder, capture_output=True, text=True, env=environ, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def write(folder, *cells, name="notebook.ipynb"):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, folder / name)
    return folder / name


def said(outputs):
    """All text that a cell showed."""
    return "".join(out.get("text", "") or "".join(out.get("data", {}).get("text/plain", "")) for out in outputs)


def test_the_wheel_holds_the_packages_and_the_assets(repository, wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"course/__init__.py", "course/lab/__init__.py", "autograde/__init__.py", "autograde/cli.py"} <= names
    manifest = json.loads((repository / "assets" / "manifest.json").read_text())
    assert {f"course/lab/_assets/{name}" for name in manifest} | {"course/lab/_assets/manifest.json"} <= names
    modules = [
        p.relative_to(repository).as_posix()
        for d in ("autograde", "course/lab")
        for p in (repository / d).rglob("*.py")
    ]
    assert set(modules) <= names


def test_the_wheel_holds_no_notebook_test_or_solution(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"course", "autograde"}
    wrong = ("course/week", "tests/", "solutions/", "work/", ".ipynb", "__pycache__", ".pyc")
    assert not [name for name in names if any(part in name for part in wrong)]


def test_the_wheel_asks_for_ranges_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(next(n for n in archive.namelist() if n.endswith("/METADATA"))).decode()
    asked = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert any("torch>=" in line for line in asked) and not any("==" in line.split(";")[0] for line in asked)
    assert "Requires-Python: >=3.11" in metadata and "License-Expression: Apache-2.0" in metadata


def test_an_asset_of_the_wheel_is_found_and_verified(clean_python, tmp_path):
    code = "from course.lab import assets; print(assets.path('stdlib.json.xz'))"
    done = subprocess.run([clean_python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "/env/" in done.stdout and done.stdout.strip().endswith("course/lab/_assets/stdlib.json.xz")


def test_the_repositorys_commands_say_in_one_line_that_they_need_it(clean_python, tmp_path):
    for name in ("lab", "test", "build"):
        done = subprocess.run([clean_python, "-m", "autograde", name], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode != 0 and done.stderr.count("\n") == 1 and "repository" in done.stderr, done.stderr


@pytest.mark.parametrize("week", ["week0_", "week1_"])
def test_a_release_notebook_alone_in_a_folder_runs_to_its_first_exercise(repository, clean_python, tmp_path, week):
    """As Colab has it: the notebook, the package, and no file beside."""
    release = sorted((repository / "course").glob(f"{week}*/*.ipynb"))[0]
    notebook = nbformat.read(release, 4)
    first = next(
        i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.startswith("check(")
    )
    notebook.cells[first + 1 :] = [nbformat.v4.new_code_cell(WHERE)]
    nbformat.write(notebook, tmp_path / release.name)
    *_, check, where = run_notebook(clean_python, tmp_path / release.name, tmp_path)
    assert "Not answered yet" in said(check)
    assert said(where).count("/env/") == 2 and str(repository) not in said(where)


@pytest.mark.parametrize("installed", ["wheel", "editable"])
def test_a_learners_own_folder_named_course_is_no_package(repository, request, tmp_path, installed):
    python = request.getfixturevalue("clean_python") if installed == "wheel" else sys.executable
    own = tmp_path / "course"
    own.mkdir()
    (own / "notes.py").write_text("mine = True\n")
    shutil.copytree(own, own / "lab")
    (outputs,) = run_notebook(python, write(tmp_path, WHERE), tmp_path)
    lines = said(outputs).split()
    expected = "/env/" if installed == "wheel" else f"{repository}/"
    assert len(lines) == 2 and all(expected in line for line in lines) and str(own) not in said(outputs)
