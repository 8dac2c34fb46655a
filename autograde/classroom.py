"""A class to try grading on: twelve made-up learners, graded by nbgrader's own autograde into a gradebook of its own.

The folder is a plain nbgrader course (source, release, submitted, autograded, gradebook.db): `cd class` and every command of
nbgrader works there. Submissions that you put into submitted/ are graded with the rest, and one that you edit stays as it is.
"""

import argparse
import ast
import inspect
import os
import random
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograde import release, source
from autograde.layout import COURSE_ID, grading, is_edited, stamp

SEED = 2026
_GIVEN = "Amara Bela Chidi Dara Emil Farah Goran Hana Ivo Jun Kemal Lena Mina Noor Ola Priya".split()
_FAMILY = "Adler Brandt Costa Duarte Eriksen Fiala Grau Hoang Ito Joshi Keller Lund Mbeki Novak Okoye Petit".split()


@dataclass(frozen=True)
class Row:
    """One learner's marks: {exercise's id: points} in the order of the lessons, their sum and the most one can have."""

    student: str
    marks: dict[str, float]
    score: float
    most: float


# --- making a class ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """An exercise as a made-up learner sees it; `wrong` are its misconceptions written out as cells."""

    name: str
    right: str
    wrong: tuple[str, ...]


def _right(tasks, rng):
    return [task.right for task in tasks]


def _noisy(tasks, rng):
    """Right, with a print and a warning in every call: neither may cost a point."""
    return [_wrapped(task, 'print("called")\n    __import__("warnings").warn("deprecated")\n    return kept(*args)') for task in tasks]


def _mistaken(number):
    def answers(tasks, rng):
        return [task.wrong[number % len(task.wrong)] if task.wrong else task.right for task in tasks]

    answers.__doc__ = f"Misconception {number + 1} of each exercise."
    return answers


def _hurried(tasks, rng):
    """The first half, then the bus came."""
    return [task.right if 2 * number < len(tasks) else None for number, task in enumerate(tasks)]


def _absent(tasks, rng):
    """The release, handed in as it is."""
    return [None] * len(tasks)


def _stumbling(tasks, rng):
    """A syntax error in one exercise, the rest right."""
    slip = rng.randrange(len(tasks))
    return [task.right.replace("):", ")", 1) if n == slip else task.right for n, task in enumerate(tasks)]


def _raising(tasks, rng):
    """A third of the answers raise."""
    return [_wrapped(task, "return undefined_name") if n % 3 == 0 else task.right for n, task in enumerate(tasks)]


def _forgetful(tasks, rng):
    """A return is missing here and there."""
    return [_wrapped(task, "kept(*args)") if n % 3 == 1 else task.right for n, task in enumerate(tasks)]


def _mixed(tasks, rng):
    """Some right, some mistaken, some blank."""
    return [rng.choice([task.right, task.right, rng.choice(task.wrong or (task.right,)), None]) for task in tasks]


HABITS = (_right, _noisy, _mistaken(0), _mixed, _hurried, _absent, _stumbling, _mistaken(1), _raising, _forgetful, _mistaken(2), _mixed)


def make_class(folder, n: int = 12, week: str = "week1", top: Path | None = None) -> list[str]:
    """Fill `folder` with a course of one week and `n` submissions → what to know about it, one line each.

    The same call makes the same class. It writes what is missing or was made by itself; a submission that someone edited
    stays. Raises BuildError where the week does not build.
    """
    folder, top = Path(folder), top or release.root()
    chosen = [py for py in release.sources(top) if week in (py.parent.name, py.parent.name.partition("_")[0])]
    if not chosen:
        raise source.BuildError(f"there is no week {week!r} in {top / 'solutions'}")
    said = _release(folder, chosen)
    assignment, cells = chosen[0].parent.name, [cell for py in chosen for cell in source.read(py)]
    tasks = [_task(cell) for cell in cells if cell.role == "exercise"]
    ids = [cell.grade_id for cell in cells if cell.role == "exercise"]
    blank = {py.stem: (folder / "release" / assignment / f"{py.stem}.ipynb").read_text(encoding="utf-8") for py in chosen}
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


def students(n: int) -> list[str]:
    """The names of the class; the first twelve are the same in a class of twenty."""
    names = [f"{given}-{family}".lower() for given in _GIVEN for family in _FAMILY]
    random.Random(SEED).shuffle(names)
    return names[:n]


def _release(folder, chosen):
    """nbgrader's source, release and gradebook of one week; a gradebook of other exercises is put aside, never lost."""
    assignment, said = chosen[0].parent.name, []
    changed = [_write(folder / "source" / assignment / f"{py.stem}.ipynb", nbformat.writes(release.source_notebook(py))) for py in chosen]
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


def _wrapped(task, body):
    """The right answer behind a function that does something else with it, as `kept`."""
    name = task.name
    return f"{task.right.rstrip()}\n\n\ndef {name}(*args, kept={name}):\n    {body}"


def written_out(function, name: str) -> str | None:
    """A function of a module as a cell that stands alone and calls it `name`; None where its source cannot be cut out."""
    parts = []
    if not _collect(function, parts, set()):
        return None
    if function.__name__ == "<lambda>":
        parts[-1] = f"{name} = {parts[-1]}"
    elif function.__name__ != name:
        parts.append(f"{name} = {function.__name__}")
    return "\n\n".join(parts)


def _collect(function, parts, seen):
    """Append the sources of all that a function leans on in its module, and last its own; whether that could be done."""
    text = _text(function) if inspect.isfunction(function) and not function.__closure__ else None
    if text is None:
        return False
    codes = [function.__code__]
    for code in codes:
        codes += [const for const in code.co_consts if inspect.iscode(const)]
    for name in sorted({name for code in codes for name in code.co_names} & set(function.__globals__) - seen):
        value = function.__globals__[name]
        seen.add(name)
        if inspect.ismodule(value):
            parts.append(f"import {value.__name__} as {name}")
        elif getattr(value, "__module__", None) != function.__module__ and hasattr(value, "__qualname__"):
            parts.append(f"from {value.__module__} import {value.__qualname__} as {name}")
        elif inspect.isfunction(value):
            if not _collect(value, parts, seen):
                return False
        elif isinstance(value, int | float | str | tuple | bool):
            parts.append(f"{name} = {value!r}")
        else:
            return False
    parts.append(text)
    return True


def _text(function):
    """A function's source; of a lambda the expression alone, and None where two stand on one line."""
    if function.__name__ != "<lambda>":
        return textwrap.dedent(inspect.getsource(function)).rstrip()
    lines, _ = inspect.findsource(function)
    tree = ast.parse("".join(lines))
    here = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == function.__code__.co_firstlineno]
    return "(" + ast.get_source_segment("".join(lines), here[0]) + ")" if len(here) == 1 else None


def _edited(path):
    try:
        return is_edited(nbformat.read(path, as_version=4))
    except Exception:  # not readable as a notebook: someone's own
        return True


def _write(path, text):
    """Write a file that differs; whether it did."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    release.replace(path, text)
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
    with Gradebook(_db(folder), COURSE_ID) as gradebook:
        for assignment in gradebook.assignments:
            order = [cell.name for notebook in assignment.notebooks for cell in notebook.grade_cells]
            for submission in sorted(assignment.submissions, key=lambda submission: submission.student_id):
                grades = {grade.name: grade.score for notebook in submission.notebooks for grade in notebook.grades}
                marks = {name.removesuffix("-check").replace("-", "."): grades.get(name, 0.0) for name in order}
                found.append(Row(submission.student_id, marks, submission.score, submission.max_score))
    return found


def _grade(folder, assignment, student):
    """One submission, in a process of its own → lines about what failed."""
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
    parser = argparse.ArgumentParser(prog="autograde grade", description="Grade a made-up class into a gradebook of its own.")
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
        columns = TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
        with Progress(*columns, console=console) as bar:
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
    console.print(f"Gradebook: {folder}/gradebook.db, marked notebooks: {folder}/autograded", highlight=False, soft_wrap=True)
    return 0


def _print_table(console, graded):
    from rich.table import Table

    table = Table("learner", "score", *(exercise.partition(".")[2].replace("_", "_\u200b") for exercise in graded[0].marks))
    for row in sorted(graded, key=lambda row: -row.score):
        table.add_row(row.student, f"{row.score:g}/{row.most:g}", *(f"{mark:g}" for mark in row.marks.values()))
    console.print(table)
