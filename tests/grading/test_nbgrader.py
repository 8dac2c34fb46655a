"""nbgrader's own commands on this layout, once over a small class; every test here looks at what that one run left."""

import csv
import html
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

import autograde
from autograde import exercise
from autograde.journal import Journal
from tests.grading.small import LESSON, WEEK, hand_in, make_course

WRONG_AXIS = "def log_softmax(logits):\n    rest = logits - logits.amax(0)\n    return rest - rest.exp().sum(0).log()\n"
LOG_TWO = "def initial_loss(vocab_size):\n    return math.log2(vocab_size)\n"
NOISE = "import warnings; warnings.warn('old'); print('noise')"
OVERFLOWS = "def log_softmax(logits):\n    return logits - logits.exp().sum(-1, keepdim=True).log()\n"


def nbgrader(folder, *command, fails=False):
    """Run one of nbgrader's commands in a folder → what it said."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "nbgrader", *command]
    done = subprocess.run(line, cwd=folder, env=environ, capture_output=True, text=True)
    assert fails or done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(repository, tmp_path_factory):
    """A course released, answered by six learners, graded, with feedback and an export, by nbgrader alone."""
    top = tmp_path_factory.mktemp("nbgrader")
    source = make_course(top)
    nbgrader(top, "generate_assignment", WEEK)
    solved = {
        cell.id: re.sub(r".*(BEGIN|END) SOLUTION\n", "", cell.source)
        for cell in nbformat.read(source.with_suffix(".ipynb"), as_version=4).cells
    }
    classes = {
        "right": {name: solved[name] for name in ("week1-log_softmax", "week1-initial_loss")},
        "blank": {},
        "mistaken": {"week1-log_softmax": WRONG_AXIS, "week1-initial_loss": LOG_TWO},
        "partial": {"week1-log_softmax": OVERFLOWS},
        "syntax": {
            "week1-log_softmax": "def log_softmax(logits)\n    pass",
            "week1-initial_loss": solved["week1-initial_loss"],
        },
        "noisy": {
            "week1-log_softmax": solved["week1-log_softmax"] + f"\n{NOISE}",
            "week1-initial_loss": f"def initial_loss(n):\n    {NOISE}\n    return math.log(n)",
        },
    }
    for student, answers in classes.items():
        hand_in(top, student, answers)
    nbgrader(top, "autograde", WEEK)
    nbgrader(top, "generate_feedback", WEEK)
    nbgrader(top, "export")
    return top


@pytest.fixture(scope="module")
def marks(graded):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}", "training-dynamics") as gradebook:
        (assignment,) = gradebook.assignments
        return {
            submission.student_id: {
                grade.name: grade.auto_score for book in submission.notebooks for grade in book.grades
            }
            for submission in assignment.submissions
        }


FIRST, SECOND = "week1-log_softmax-check", "week1-initial_loss-check"


def points(name):
    return exercise.find(f"week1.{name}").points


@pytest.mark.parametrize(
    ("student", "first", "second"),
    [("right", 1, 1), ("noisy", 1, 1), ("blank", 0, 0), ("mistaken", 0, 0), ("syntax", 0, 1)],
)
def test_each_answer_gets_its_points(marks, student, first, second):
    assert marks[student] == {FIRST: first * points("log_softmax"), SECOND: second * points("initial_loss")}


def test_partial_credit_is_what_check_returned(marks):
    namespace = {}
    exec(OVERFLOWS, namespace)
    verdict = autograde.run("week1.log_softmax", namespace["log_softmax"])
    assert marks["partial"][FIRST] == pytest.approx(points("log_softmax") * verdict.score, abs=1e-3)


def test_a_misconception_finds_its_hint_in_the_feedback(graded):
    page = (graded / "feedback" / "mistaken" / WEEK / "small.html").read_text(encoding="utf-8")
    for code, name in ((WRONG_AXIS, "log_softmax"), (LOG_TWO, "initial_loss")):
        namespace = {}
        exec(f"import math\n{code}", namespace)
        verdict = autograde.run(f"week1.{name}", namespace[name])
        assert verdict.misconception and verdict.score == 0
        assert html.escape(verdict.hint) in page or verdict.hint in page


def test_the_feedback_of_a_blank_says_not_answered_yet(graded):
    assert "Not answered yet" in (graded / "feedback" / "blank" / WEEK / "small.html").read_text(encoding="utf-8")


def test_grading_runs_what_answers_need_and_no_demo(graded):
    """The lesson's demo raises SystemError, and an answer needs HALF, which another of its cells defines."""
    result = Journal(graded / ".autograde" / "journal.jsonl").results()[WEEK, "right"]
    assert result["notebooks"]["small"]["cells"] == []
    assert {check["score"] for check in result["notebooks"]["small"]["checks"].values()} == {1.0}


def test_the_export_lists_every_learner(graded):
    with open(graded / "grades.csv", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    full = points("log_softmax") + points("initial_loss")
    assert set(rows) == {"right", "blank", "mistaken", "partial", "syntax", "noisy"}
    assert float(rows["right"]["score"]) == full == float(rows["right"]["max_score"])
    assert float(rows["blank"]["score"]) == 0


def test_validate_passes_the_solution_and_fails_the_release(graded, tmp_path):
    top = tmp_path / "copy"
    shutil.copytree(graded, top)
    for folder in ("solutions", "course"):  # validating stops at the demo that raises
        path = top / folder / WEEK / "small.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if "SystemError" not in cell.source]
        nbformat.write(notebook, top / f"{folder}.ipynb")
    assert "Success!" in nbgrader(top, "validate", "solutions.ipynb", fails=True)
    assert "VALIDATION FAILED ON 2 CELL(S)" in nbgrader(top, "validate", "course.ipynb", fails=True)


def test_a_source_edited_later_is_what_is_generated(graded, tmp_path):
    """As formgrader's button does it: the same converter, with --force, while the derived notebook is stale."""
    top = tmp_path / "copy"
    shutil.copytree(graded, top, ignore=shutil.ignore_patterns("gradebook.db", "submitted", "autograded", "feedback"))
    source = top / "solutions" / WEEK / "small.py"
    derived = source.with_suffix(".ipynb").read_bytes()
    source.write_text(LESSON.replace("# # A small week", "# # A small week, revised"))
    nbgrader(top, "generate_assignment", WEEK, "--force")
    release = (top / "course" / WEEK / "small.ipynb").read_text(encoding="utf-8")
    assert "revised" in release and "BEGIN SOLUTION" not in release
    assert source.with_suffix(".ipynb").read_bytes() != derived
    assert [path.name for path in (top / "course").rglob("*") if path.is_file()] == ["small.ipynb"]
