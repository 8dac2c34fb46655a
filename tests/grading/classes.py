"""Classes for the tests of grading: the small course released once, handed in, graded, and looked at."""

import contextlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograde import marking
from autograde.classroom import Classroom
from autograde.grade import Report, Settings, collect, grade
from autograde.sample_class import make_class
from autograde.sandbox import Sandbox
from tests.grading.small import WEEK, make_course

SOFTMAX, LOSS = "week1.log_softmax", "week1.initial_loss"
FULL = {SOFTMAX: 2.0, LOSS: 1.0}
TWO = "week1_two"  # an assignment of two notebooks
_SOFTMAX = """\
def log_softmax(logits):
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
"""
_LOSS = "def initial_loss(vocab_size):\n    return 2 * HALF * math.log(vocab_size)\n"
RIGHT = {"week1-log_softmax": _SOFTMAX, "week1-initial_loss": _LOSS}
HALF = {"week1-initial_loss": _LOSS}
WRONG = {
    "week1-log_softmax": "def log_softmax(logits):\n    return logits\n",
    "week1-initial_loss": "def initial_loss(vocab_size):\n    return math.log2(vocab_size)\n",
}
BLANK = {}


@dataclass(frozen=True)
class Released:
    """A class without submissions, of which tests take copies."""

    folder: Path

    def copy(self, folder: Path, submissions: dict[str, dict] | None = None) -> Classroom:
        """The class at `folder`, with these submissions, {learner: {cell's id: its source}}."""
        shutil.copytree(self.folder, folder)
        classroom = Classroom(folder)
        for student, answers in (submissions or {}).items():
            hand_in(classroom, student, answers)
        return classroom


def release(top: Path) -> Released:
    """A released class, in a new folder below `top`."""
    make_course(top)
    make_class(top / "class", 0, WEEK, top=top)
    return Released(top / "class")


def submission(classroom: Classroom, answers: dict[str, str], assignment: str = WEEK, name: str = "small"):
    """The release with some of its cells filled in, by id."""
    notebook = nbformat.reads(classroom.release(assignment)[name], as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook


def hand_in(classroom: Classroom, student: str, answers: dict[str, str] | bytes, assignment=WEEK, name="small") -> Path:
    """Put a learner's notebook, or what stands in its place, where nbgrader collects it → its file."""
    path = classroom.path("submitted", student, assignment) / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(answers, dict):
        answers = nbformat.writes(submission(classroom, answers, assignment, name)).encode()
    path.write_bytes(answers)
    return path


def graded(classroom: Classroom, sandbox: Sandbox | None = None, **how) -> Report:
    """Grade what is in the class's folder of submissions; with `sandbox` in this process, which is quicker."""
    submissions, _ = collect(classroom, classroom.submitted)
    with marking_in(sandbox, []) if sandbox else contextlib.nullcontext():
        return grade(classroom, submissions, Settings(jobs=2, **how))


@contextlib.contextmanager
def marking_in(sandbox: Sandbox, marked: list):
    """Whoever is graded is marked in this process, in that sandbox, and entered in `marked`."""

    def results(tasks, settings):
        for task in tasks:
            marked.append(task.student)
            yield marking.mark(task, sandbox)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograde.grade._results", results)
        yield


def marks(classroom: Classroom) -> dict[str, dict]:
    """{learner: {exercise's id: points}}."""
    return {
        student: {key: grade["score"] for key, grade in grades.items()} for student, grades in book(classroom).items()
    }


def book(classroom: Classroom, assignment: str = WEEK) -> dict[str, dict]:
    """{learner: {exercise's id: its grade's columns}}, read by nbgrader's own means, and with none of our settings."""
    with Gradebook(classroom.db_url, classroom.course_id) as gradebook:
        found = {}
        for one in gradebook.assignment_submissions(assignment):
            grades = sorted(
                (grade.name.removesuffix("-check").replace("-", ".", 1), _columns(grade))
                for notebook in one.notebooks
                for grade in notebook.grades
            )
            found[one.student_id] = dict(grades)
        return found


def _columns(grade):
    names = ("auto_score", "manual_score", "score", "needs_manual_grade", "max_score", "extra_credit")
    return {name: getattr(grade, name) for name in names}


def everything(classroom: Classroom) -> dict:
    """All that grading left of each learner: the grades, penalties and times in the gradebook, and the notebooks."""
    with Gradebook(classroom.db_url, classroom.course_id) as gradebook:
        rows = {
            one.student_id: [str(one.timestamp), one.score, [book.late_submission_penalty for book in one.notebooks]]
            for one in gradebook.assignment_submissions(WEEK)
        }
    pages = {}
    for path in sorted((classroom.folder / "autograded").glob("*/*/*")):
        pages.setdefault(path.parts[-3], {})[path.name] = path.read_text(encoding="utf-8")
    grades = book(classroom)
    return {name: {"grades": grades[name], "row": rows[name], "files": pages.get(name)} for name in rows}


def results(classroom: Classroom) -> dict[str, dict]:
    """{learner: his latest result}."""
    return {student: result for (_, student), result in classroom.journal.results().items()}


def checks(classroom: Classroom, student: str) -> dict[str, dict]:
    """{exercise's id: its verdict} of a learner's latest result."""
    books = results(classroom)[student]["notebooks"].values()
    return {key: verdict for one in books for key, verdict in one["checks"].items()}


def configure(classroom: Classroom, line: str) -> Classroom:
    """Add a line to the class's nbgrader_config.py → the class as it is read anew."""
    path = classroom.folder / "nbgrader_config.py"
    path.write_text(f"{path.read_text()}c = get_config()\n{line}\n")
    return Classroom(classroom.folder)


def with_two_notebooks(classroom: Classroom) -> None:
    """Release an assignment of two notebooks, with an exercise each."""
    notebook = json.loads(classroom.release(WEEK)["small"])
    folder = classroom.path("release", ".", TWO)
    folder.mkdir(parents=True)
    for name, other in (("first", "initial_loss"), ("second", "log_softmax")):
        cells = [cell for cell in notebook["cells"] if other not in cell["id"]]
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook | {"cells": cells}))


def run_main(main, *words) -> tuple[int, str, str]:
    """A command's main function in this process → its exit status, and what it said."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as error:
        status = main([str(word) for word in words])
    return status, out.getvalue(), error.getvalue()
