"""Every command that the README shows is run here, in a form that is quick and harmless, with the reason beside it."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

MAKE = "make starts a server, a whole test run or minutes of measuring: make -n gives the program's line"
HARMLESS = {
    # the shown command: (what is run in its place, why), in a copy of the repository
    "make lab": ("make -n lab", MAKE),
    "make test": ("make -n test", MAKE),
    "make grade": ("make -n grade", MAKE + "; tests/grading grades a class"),
    'make grade ARGS="submissions.zip"': (
        'make -n grade ARGS="submissions.zip"',
        MAKE + "; tests/grading grades classes",
    ),
    'make grade ARGS="--resume"': ('make -n grade ARGS="--resume"', MAKE + "; tests/grading resumes"),
    'make grade ARGS="submissions.zip --dask tcp://scheduler:8786"': (
        'make -n grade ARGS="submissions.zip --dask tcp://scheduler:8786"',
        MAKE + "; tests/grading has a cluster",
    ),
    "make doctor": ("make -n doctor", MAKE + "; tests/grading asks the doctor"),
    "make report": ("make -n report", "there is no class here; tests/grading reports on one"),
    'make replay ARGS="ada week1.ema"': (
        'make -n replay ARGS="ada week1.ema"',
        "there is no ada; tests/grading replays",
    ),
    'make marks ARGS="void week1.ema"': (
        'make -n marks ARGS="void week1.ema"',
        "there is no class here; tests/grading",
    ),
    'make marks ARGS="weigh week1.sample 2"': (
        'make -n marks ARGS="weigh week1.sample 2"',
        "there is no class here; tests/grading",
    ),
    'make marks ARGS="restore week1.ema"': (
        'make -n marks ARGS="restore week1.ema"',
        "there is no class here; tests/grading",
    ),
    'make marks ARGS="seeds week1_loss_and_perplexity"': (
        'make -n marks ARGS="seeds week1_loss_and_perplexity"',
        "there is no class here; tests/grading",
    ),
    'make marks ARGS="roster roster.csv"': (
        'make -n marks ARGS="roster roster.csv"',
        "there is no class here; tests/grading",
    ),
    'make marks ARGS="export --template gradebook.csv --out marks.csv"': (
        'make -n marks ARGS="export --template gradebook.csv --out marks.csv"',
        "there is no class here; tests/grading",
    ),
    ".venv/bin/python -m tests.grading.attack_suite": (
        "PYTHON -m tests.grading.attack_suite --help",
        "minutes: tests/grading runs it",
    ),
    "make audit": ("make -n audit", MAKE + "; tests/grading audits"),
    "make bench": ("make -n bench", MAKE),
    "make build": ("make -n build", MAKE + "; tests/release builds"),
    'make lab PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"': (
        'make -n lab PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"',
        "the network; pip picks the +cpu build by the same rule from this machine's own wheels",
    ),
    "make lab PYTHON=python3.12": ("make -n lab PYTHON=python3.12", "there need be no such Python here"),
    'make lab ARGS="--no-browser --port 8899"': ('make -n lab ARGS="--no-browser --port 8899"', MAKE),
    'make test ARGS="tests/packaging -k wheel"': ('make -n test ARGS="tests/packaging -k wheel"', MAKE),
    "bash .ci/run": ("bash -n .ci/run", "it runs these very tests: parsed here, run by CI"),
    "python3 -m venv .venv": (
        "PYTHON -m venv --without-pip own",
        "quick without pip; make's own line, run in CI from nothing",
    ),
    '.venv/bin/python -m pip install -c constraints.txt -e ".[lab,grade,dev]"': (
        "PYTHON -m pip install --dry-run --no-deps --no-index --no-build-isolation"
        ' -c constraints.txt -e ".[lab,grade,dev]"',
        "1.6 GB: resolved without its dependencies here, installed by `make` in CI",
    ),
    ".venv/bin/python -m autograde lab": (
        "PYTHON -m autograde lab --help",
        "it starts a server; tests/packaging does so",
    ),
    ".venv/bin/jupyter lab --no-browser": (
        "PYTHON -m jupyterlab --version",
        "it starts a server; tests/browser does so",
    ),
    ".venv/bin/nbgrader generate_assignment week1_loss_and_perplexity --force": (
        "PYTHON -m nbgrader generate_assignment --help",
        "it writes course/; tests/grading runs it on a copy",
    ),
    ".venv/bin/nbgrader autograde week1_loss_and_perplexity": (
        "PYTHON -m nbgrader autograde --help",
        "there is no class here; tests/grading runs it on one",
    ),
    ".venv/bin/nbgrader generate_feedback week1_loss_and_perplexity": (
        "PYTHON -m nbgrader generate_feedback --help",
        "there is no class here; tests/grading runs it on one",
    ),
    ".venv/bin/python assets/build_corpus.py": (
        "PYTHON -m py_compile assets/build_corpus.py",
        "it downloads packages: parsed here",
    ),
    ".venv/bin/python assets/build_tokenizer.py": (
        "PYTHON -m py_compile assets/build_tokenizer.py",
        "it writes assets: parsed here, its result is tested in tests/lab",
    ),
    ".venv/bin/python assets/pretrain.py --tokens 20e6": (
        "PYTHON -m py_compile assets/pretrain.py",
        "hours: parsed here, tests/lab pretrains a toy",
    ),
    ".venv/bin/python assets/model_card.py .cache/pretrain/d256-l6": (
        "PYTHON -m py_compile assets/model_card.py",
        "there is no run here: parsed, and its figures are measured again in tests/lab",
    ),
    ".venv/bin/python assets/record_qlora.py": (
        "PYTHON -m py_compile assets/record_qlora.py",
        "a quarter of an hour: parsed here",
    ),
    ".venv/bin/python -m course.lab.assets": ("PYTHON -m course.lab.assets", "it writes the copy's manifest"),
    ".venv/bin/python -m course.lab.qlora --out .cache/run": (
        "PYTHON -m py_compile course/lab/qlora/__main__.py",
        "a minute: tests/lab runs it on a toy",
    ),
    ".venv/bin/torchrun --nproc_per_node 2 -m course.lab.qlora --out .cache/run": (
        "PYTHON -m torch.distributed.run --help",
        "a minute: tests/lab runs it on a toy",
    ),
    'make gpu ARGS="--out assets/recordings"': ('make -n gpu ARGS="--out assets/recordings"', MAKE),
    'make gpu ARGS="--dry-run"': ('make -n gpu ARGS="--dry-run"', MAKE + "; tests/lab does the dry run"),
    ".venv/bin/nbgrader export": (
        "PYTHON -m nbgrader export --help",
        "there is no gradebook here; tests/grading exports one",
    ),
}


def shown(repository):
    blocks = re.findall(r"^```bash\n(.*?)^```", (repository / "README.md").read_text(), re.S | re.M)
    return [line for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def copy(repository, tmp_path_factory):
    """The repository's files elsewhere, so that no command here can write to it."""
    folder = tmp_path_factory.mktemp("readme") / "repository"
    left = (
        ".git",
        ".venv",
        ".cache",
        ".*_cache",
        "__pycache__",
        "work",
        "gradebook.db*",
        "submitted",
        "autograded",
        "feedback",
        "class",
    )
    return shutil.copytree(repository, folder, ignore=shutil.ignore_patterns(*left))


def test_every_shown_command_is_known(repository):
    commands = shown(repository)
    assert len(commands) > 10 and commands[:2] == ["make lab", "make test"]
    assert set(commands) == set(HARMLESS), "give a new command a harmless form, and take away one that is gone"


@pytest.mark.parametrize("command", HARMLESS)
def test_the_command_runs(copy, command):
    form, why = HARMLESS[command]
    assert why
    words = [sys.executable if word == "PYTHON" else word for word in shlex.split(form)]
    done = subprocess.run(
        words, cwd=copy, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONSAFEPATH": ""}
    )
    assert done.returncode == 0, done.stderr
    if words[0] == "make":
        name = words[2]
        assert re.search(rf"-m autograde {name}( |$)", done.stdout, re.M)
    if "ARGS" in form:
        assert re.search(r'ARGS="(.*)"', form)[1] in done.stdout


def test_the_harmless_forms_name_the_same_program():
    for command, (form, _) in HARMLESS.items():
        first, *rest = shlex.split(command)
        assert form == f"make -n {command[5:]}" if first == "make" else rest[-1] and form != command, command


def test_the_list_of_names_is_complete(repository):
    from autograde import cli

    text = (repository / "README.md").read_text()
    assert all(f"make {name}" in text for name in cli.COMMANDS)


def test_every_local_link_and_picture_is_there(repository):
    text = (repository / "README.md").read_text()
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    anchors = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in text.splitlines()
        if line[:1] == "#"
    }
    for target in targets:
        assert target[1:] in anchors if target.startswith("#") else (repository / target).is_file(), target
    assert all(alt.strip() for alt in re.findall(r"!\[([^\]]*)\]", text)), (
        "each picture has words for who cannot see it"
    )


def test_the_python_blocks_of_the_readme_parse(repository):
    import ast

    blocks = re.findall(r"^```python\n(.*?)^```", (repository / "README.md").read_text(), re.S | re.M)
    assert blocks and all(ast.parse(block) for block in blocks)
