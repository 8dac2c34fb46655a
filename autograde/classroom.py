"""A class to try grading on: twelve made-up learners, graded by nbgrader's own autograde into a gradebook of its own.

The folder is a plain nbgrader course (source, release, submitted, autograded, gradebook.db): after `cd class` every
command of nbgrader works. Submissions that you put into submitted/ are graded with the rest; one that you edit stays.
"""

import argparse
import os
import random
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograde import release, source
from autograde.layout import COURSE_ID, grading, is_edited, stamp
from autograde.learners import HABITS, SEED, Task, students, written_out
from course.lab import files


@dataclass(frozen=True)
class Row:
    """One learner's marks: {exercise's id: points} in the order of the lessons, their sum and the most one can have."""

    student: str
    marks: dict[str, float]
    score: float
    most: float


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
            old = next(path for i in range(1, 10**6) if not (path := folder / f"gradebook.{i}.db").exists())
            gradebook.rename(old)
            said.append(f"the week changed since {gradebook} was graded: it is {old.name} now, and grading starts anew")
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


def _write(path, text):
    """Write a file that differs; whether it did."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    files.write_text(path, text)
    return True


# --- grading it -------------------------------------------------------------------------------------------------------


def grade_class(folder, progress=None, jobs: int | None = None) -> list[Row]:
    """Grade every submission of `folder` that has no mark yet, or a mark older than itself → the rows of the gradebook.

    progress(done, all, student) is called after each. Interrupted, it goes on where it was.
    """
    folder = Path(folder).resolve()
    waiting = [pair for pair in _submissions(folder) if _is_stale(folder, *pair)]
    failed = []
    with ProcessPoolExecutor(jobs or min(len(waiting) or 1, os.cpu_count() or 1)) as pool:
        running = {pool.submit(_grade, folder, *pair): pair for pair in waiting}
        try:
            for done, future in enumerate(as_completed(running), 1):
                assignment, student = running[future]
                failed += [f"{student}: {line}" for line in future.result()]
                if progress:
                    progress(done, len(waiting), student)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    for line in failed:
        print(line, file=sys.stderr)
    return rows(folder)


def rows(folder) -> list[Row]:
    """What the gradebook of `folder` says, one row a learner."""
    from nbgrader.api import Gradebook

    found = []
    _quiet_nbgrader()
    with Gradebook(_db(folder), COURSE_ID) as gradebook:
        for assignment in gradebook.assignments:
            order = [cell.name for notebook in assignment.notebooks for cell in notebook.grade_cells]
            for submission in sorted(assignment.submissions, key=lambda submission: submission.student_id):
                grades = {grade.name: grade.score for notebook in submission.notebooks for grade in notebook.grades}
                marks = {name.removesuffix("-check").replace("-", "."): grades.get(name, 0.0) for name in order}
                found.append(Row(submission.student_id, marks, submission.score, submission.max_score))
    return found


def _lesson_order(names):
    """A sort key that puts the marks of a week in the order of its specification, hand-graded answers last."""
    from autograde.exercise import of_week, weeks

    of_these = {name.partition("-")[0] for name in names} & set(weeks())
    known = [f"{exercise.id.replace('.', '-')}-check" for week in sorted(of_these) for exercise in of_week(week)]
    return lambda name: (known.index(name) if name in known else len(known), name)


def _quiet_nbgrader():
    """SQLAlchemy warns of how nbgrader fills its own tables; nothing here can be done about it."""
    from sqlalchemy.exc import SAWarning

    warnings.simplefilter("ignore", SAWarning)


def _grade(folder, assignment, student):
    """One submission, in a process of its own → lines about what failed."""
    _quiet_nbgrader()
    result = _api(folder).autograde(assignment, student, force=True)
    return [] if result["success"] else result.get("error", result["log"]).strip().splitlines()[-1:]


def _submissions(folder):
    """(assignment, student) of all that was handed in for an assignment that there is."""
    known = {path.name for path in (folder / "release").glob("*")}
    found = {path.parent for path in (folder / "submitted").glob("*/*/*.ipynb")}
    return sorted((path.name, path.parent.name) for path in found if path.name in known)


def _is_stale(folder, assignment, student):
    """Whether a submission has no mark, or is newer than its mark."""
    from nbgrader.api import Gradebook, MissingEntry

    for path in (folder / "submitted" / student / assignment).glob("*.ipynb"):
        graded = folder / "autograded" / student / assignment / path.name
        if not graded.is_file() or graded.stat().st_mtime < path.stat().st_mtime:
            return True
    with Gradebook(_db(folder), COURSE_ID) as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return True
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        return any(grade.auto_score is None and grade.cell.cell_type == "code" for grade in grades)


def _api(folder):
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    grading(config)
    config.CourseDirectory.root = str(Path(folder).resolve())
    config.CourseDirectory.db_url = _db(folder)
    config.Execute.extra_arguments = ["--log-level=40"]  # the kernels' own warnings are not for this terminal
    return NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)


def _db(folder):
    """The gradebook's address; a writer waits a minute for another."""
    return f"sqlite:///{Path(folder).resolve() / 'gradebook.db'}?timeout=60"


# --- the command ------------------------------------------------------------------------------------------------------


def main(args=None) -> int:
    """python -m autograde grade [--folder class] [--week week1] [--learners 12] [--jobs N]"""
    words = "Grade a made-up class into a gradebook of its own."
    parser = argparse.ArgumentParser(prog="autograde grade", description=words)
    parser.add_argument("--folder", default=None, type=Path, help="where the class lives (class/ in the repository)")
    parser.add_argument("--week", default="week1", help="the week it handed in (week1)")
    parser.add_argument("--learners", default=12, type=int, metavar="N", help="how many hand in (12)")
    parser.add_argument("--jobs", default=None, type=int, metavar="N", help="how many are graded at once (one a core)")
    options = parser.parse_args(args)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console()
    try:
        folder = options.folder or release.root() / "class"
        for line in make_class(folder, options.learners, options.week):
            console.print(line, highlight=False)
        columns = [TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        with Progress(*columns, TextColumn("{task.description}"), console=console) as bar:
            line = bar.add_task("starting", total=None)
            graded = grade_class(
                folder,
                lambda done, total, student: bar.update(line, completed=done, total=total, description=student),
                options.jobs,
            )
            bar.update(line, total=1, completed=1, description="done") if not bar.tasks[0].total else None
    except source.BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What is graded stays graded: run it again to go on.", file=sys.stderr)
        return 130
    _print_table(console, graded)
    said = f"Gradebook: {folder}/gradebook.db, marked notebooks: {folder}/autograded"
    console.print(said, highlight=False, soft_wrap=True)
    return 0


def _print_table(console, graded):
    """Learner × exercise, the exercises as numbers so that it fits a terminal, and what the numbers stand for."""
    from rich.table import Table

    table = Table("learner", "score")
    names = list(graded[0].marks) if graded else []
    for number, _ in enumerate(names, 1):
        table.add_column(str(number), justify="right")
    for row in sorted(graded, key=lambda row: (-row.score, row.student)):
        table.add_row(row.student, f"{row.score:.4g}/{row.most:g}", *(f"{mark:.2g}" for mark in row.marks.values()))
    console.print(table)
    console.print(", ".join(f"{number} {name}" for number, name in enumerate(names, 1)), highlight=False)
