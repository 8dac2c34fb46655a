"""A class to try grading on: made-up learners who hand in one week, in an nbgrader course of its own.

The folder is a plain nbgrader course (source, release, submitted, autograded, gradebook.db): after `cd class` every
command of nbgrader works. Submissions that you put into submitted/ are graded with the rest; one that you edit stays.
"""

import random
from pathlib import Path

import nbformat

from autograde import release, source
from autograde.layout import grading, is_edited, stamp
from autograde.learners import HABITS, SEED, Task, students, written_out
from course.lab import files


def make_class(folder, n: int = 12, week: str = "week1", top: Path | None = None) -> list[str]:
    """Fill `folder` with a course of one week and `n` submissions → what to know about it, one line each.

    The same call makes the same class. It writes what is missing or was made by itself; a submission that someone
    edited stays. Raises BuildError where the week does not build.
    """
    folder, top = Path(folder), top or release.root()
    chosen = [py for py in release.sources(top) if week in (py.parent.name, py.parent.name.partition("_")[0])]
    if not chosen:
        raise source.BuildError(f"there is no week {week!r} in {top / 'solutions'}")
    said = _release(folder, chosen)
    assignment, cells = chosen[0].parent.name, [cell for py in chosen for cell in source.read(py)]
    tasks = [_task(cell) for cell in cells if cell.role == "exercise"]
    ids = [cell.grade_id for cell in cells if cell.role == "exercise"]
    released = [folder / "release" / assignment / f"{py.stem}.ipynb" for py in chosen]
    blank = {path.stem: path.read_text(encoding="utf-8") for path in released}
    for student, habit in zip(students(n), (HABITS[i % len(HABITS)] for i in range(n)), strict=True):
        answers = dict(zip(ids, habit(tasks, random.Random(f"{SEED} {student}")), strict=True))
        for name, text in blank.items():
            path = folder / "submitted" / student / assignment / f"{name}.ipynb"
            if path.is_file() and _edited(path):
                said.append(f"{path} was edited: kept")
                continue
            notebook = nbformat.reads(text, as_version=4)
            for cell in notebook.cells:
                cell.source = answers.get(cell.id) or cell.source
            stamp(notebook, SEED)
            _write(path, nbformat.writes(notebook))
    return said


def _release(folder, chosen):
    """nbgrader's source, release and gradebook of one week; a gradebook of other exercises is put aside, never lost."""
    assignment, said = chosen[0].parent.name, []
    solved = {folder / "source" / assignment / f"{py.stem}.ipynb": release.source_notebook(py) for py in chosen}
    changed = [_write(path, nbformat.writes(notebook)) for path, notebook in solved.items()]
    _write(folder / "nbgrader_config.py", "from autograde.layout import grading\n\ngrading(get_config())\n")
    released = [folder / "release" / assignment / f"{py.stem}.ipynb" for py in chosen]
    gradebook = folder / "gradebook.db"
    if any(changed) or not gradebook.is_file() or not all(path.is_file() for path in released):
        if gradebook.is_file():
            old = _put_aside(gradebook)
            _put_aside(folder / ".autograde" / "journal.jsonl")  # its results are of the former exercises
            said.append(f"the week changed since {gradebook} was graded: it is {old} now, and grading starts anew")
        result = _api(folder).generate_assignment(assignment)
        if not result["success"]:
            raise source.BuildError(*result["log"].splitlines())
    return said


def _task(cell):
    written = (written_out(m.answer, cell.exercise.name) for m in cell.exercise.misconceptions)
    return Task(cell.exercise.name, source.solved(cell.source), tuple(filter(None, written)))


def _edited(path):
    try:
        return is_edited(nbformat.read(path, as_version=4))
    except Exception:  # not readable as a notebook: someone's own
        return True


def _put_aside(path):
    """Rename a file, if there is one, to the first NAME.N.SUFFIX that is free → its name now."""
    names = (f"{path.stem}.{number}{path.suffix}" for number in range(1, 10**6))
    free = next(name for name in names if not path.with_name(name).exists())
    if path.is_file():
        path.rename(path.with_name(free))
    return free


def _write(path, text):
    """Write a file that differs; whether it did."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    files.write_text(path, text)
    return True


def _api(folder):
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    grading(config)
    config.CourseDirectory.root = str(Path(folder).resolve())
    return NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
