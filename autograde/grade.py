"""`python -m autograde grade [SUBMISSIONS]`: a class's submissions into nbgrader's gradebook.

SUBMISSIONS is nbgrader's folder of submissions, a zip, or an export of Moodle or Canvas. Without it, a made-up class is
graded, to see how it goes. What has been graded stays so: only what is new or changed since is run again. Every result
stands in a journal before the gradebook, so a run that was stopped goes on where it was.
"""

import argparse
import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from autograde import marking, release, source, workers
from autograde.classroom import ClassError, Classroom
from autograde.executor import Patience
from autograde.gradebook import Book, Row, line_of
from autograde.sandbox import Limits, Sandbox, SandboxUnavailable
from autograde.submission import Submission, Unreadable, read
from course.lab import files

# exit statuses
DONE, REFUSED, USAGE, SOME_UNREADABLE, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass
class Report:
    """What a run did."""

    graded: int = 0
    unchanged: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    results: list[dict] = field(default_factory=list)  # without their notebooks


@dataclass(frozen=True)
class Settings:
    """How a run is made. backend: see Sandbox; 'none' is --unsafe."""

    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    dask: str | None = None
    backend: str | None = None
    again: bool = False
    limits: Limits = Limits()
    patience: Patience = Patience()


def collect(classroom: Classroom, path: Path, assignment: str | None = None):
    """What lies at `path`, brought into the class's folder of submissions → (submissions, what could not be read).

    Raises ClassError where there is no such assignment.
    """
    if assignment is not None:
        classroom.release(assignment)
    found, unreadable = read(path, classroom.assignments(), classroom.roster, assignment)
    found += _refused(found, unreadable)
    if path.resolve() != classroom.submitted:
        for submission in found:
            _keep(classroom, submission)
    return found, unreadable


def _refused(found, unreadable):
    """A submission without a notebook for each learner of whose files none can be read: that is a result, too."""
    handed_in, refused = {(one.assignment, one.student) for one in found}, {}
    for one in unreadable:
        if one.student and one.assignment and (one.assignment, one.student) not in handed_in:
            given = Submission(one.student, one.assignment, {}, None, one.source, refused=one.why)
            refused[one.assignment, one.student] = given
    return list(refused.values())


def _keep(classroom, submission: Submission):
    folder = classroom.path("submitted", submission.student, submission.assignment)
    for name, data in submission.notebooks.items():
        path = folder / f"{name}.ipynb"
        if not path.is_file() or path.read_bytes() != data:
            with files.replacing(path) as stream:
                stream.write(data)
    if submission.timestamp:
        files.write_text(folder / "timestamp.txt", submission.timestamp)


def grade(
    classroom: Classroom,
    submissions: Iterable[Submission],
    settings: Settings | None = None,
    progress: Callable[[int, int, str], None] = lambda done, of, student: None,
) -> Report:
    """Grade what is new or changed, and write it. Raises ClassError (Busy among them) and SandboxUnavailable."""
    settings, report = settings or Settings(), Report()
    with classroom.alone(), Book(classroom) as book:
        tasks, journal = [], classroom.journal
        earlier, unwritten, submissions = journal.results(), journal.unwritten(), list(submissions)
        for assignment in sorted({submission.assignment for submission in submissions}):
            book.enrol(assignment)
            here = [submission for submission in submissions if submission.assignment == assignment]
            unwritten |= {(assignment, s.student) for s in here} - {(assignment, name) for name in book.has(assignment)}
            tasks += _tasks(classroom, assignment, here, earlier, unwritten, settings, report, book)
        if not tasks:
            return report
        run = secrets.token_hex(4)
        about = [{"notes": task.notes, "refused": task.refused} for task in tasks]  # what no folder tells once more
        planned = [[task.assignment, task.student, told] for task, told in zip(tasks, about, strict=True)]
        journal.add("plan", run=run, again=settings.again, submissions=planned)
        with contextlib.closing(_results(tasks, settings)) as results:
            for done, result in enumerate(results, 1):
                journal.add("result", run=run, **result)
                _write(book, journal, result)
                report.graded += 1
                report.results.append(result | {"notebooks": {}})
                progress(done, len(tasks), result["student"])
        journal.add("done", run=run)
    return report


def _write(book, journal, result):
    book.write(result)
    journal.add("written", assignment=result["assignment"], student=result["student"])


def _tasks(classroom, assignment, submissions, earlier, unwritten, settings, report, book):
    """The submissions that have to be run; what is journaled but not in the gradebook is written now."""
    texts, seeds = classroom.release(assignment), classroom.seeds(assignment)
    for submission in submissions:
        task = marking.Task(
            submission.student,
            assignment,
            submission.notebooks,
            texts,
            seeds,
            submission.timestamp,
            submission.notes,
            submission.refused,
            patience=settings.patience,
        )
        old = earlier.get((assignment, submission.student))
        if submission.refused and old and old["status"] == "graded":
            report.unchanged += 1  # it was readable once: that mark stands, and the line about the file says the rest
            continue
        if settings.again or old is None or old["digest"] != task.digest or old["status"] == "stopped":
            yield task
            continue
        if (edition := marking.edition(task)) != old["edition"]:
            yield replace(task, kept=_kept(old, edition, settings.backend))
            continue
        if (assignment, submission.student) in unwritten:
            _write(book, classroom.journal, old)
        report.unchanged += 1


def _kept(old, edition, backend):
    """{notebook: the verdicts of an earlier result that still hold}. Unsandboxed ones are no sandboxed run's."""
    if old["sandbox"] == "none" != backend:
        return {}
    holds = {key for key, version in old["edition"].items() if edition.get(key) == version}
    checks = {name: book["checks"].items() for name, book in old["notebooks"].items()}
    return {name: {key: verdict for key, verdict in found if key in holds} for name, found in checks.items()}


def _results(tasks, settings):
    modules = tuple(marking.modules({text for task in tasks for text in task.release.values()}))
    if settings.dask:
        yield from workers.on_dask(tasks, workers.Kind(modules, settings.backend, None, settings.limits), settings.dask)
        return
    with Sandbox(modules, settings.limits, settings.backend) as sandbox:
        kind = workers.Kind(modules, sandbox.backend, sandbox.path, settings.limits)
        yield from workers.local(tasks, kind, max(1, min(settings.jobs, len(tasks))))


# --- the command ------------------------------------------------------------------------------------------------------


def main(args=None) -> int:
    """Grade, print the marks, and one line for each submission that could not be read."""
    options = _options(args)
    from rich.console import Console

    console, folder = Console(), options.folder
    try:
        folder = folder or (release.root() / "class" if _is_made_up(options) else release.root())
        classroom, submissions, unreadable, again = _what(options, folder, console)
        settings = Settings(
            options.jobs or os.cpu_count() or 1,
            options.dask,
            "none" if options.unsafe else None,
            options.again or again,
            patience=Patience(options.cell_seconds, options.notebook_seconds),
        )
        with _bar(console) as progress:
            report = grade(classroom, submissions, settings, progress)
        with Book(classroom) as book:
            rows = book.rows()
    except (ClassError, SandboxUnavailable, source.BuildError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except SQLAlchemyError as error:
        print(f"The gradebook could not be written: {line_of(error)}. --resume goes on from here.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        line = f"python -m autograde grade --resume --folder {shlex.quote(str(folder))}"
        print(f"Stopped. What is graded stays graded; this goes on where it was: {line}", file=sys.stderr)
        return INTERRUPTED
    _print(console, rows, report, options)
    bad = [result for result in report.results if result["status"] != "graded"]
    for one in unreadable:
        print(f"not read: {one.source}: {one.why}", file=sys.stderr)
    for result in bad:
        print(f"{result['status']}: {result['student']}, {result['assignment']}: {result['detail']}", file=sys.stderr)
    return SOME_UNREADABLE if bad or unreadable else DONE


def _options(args):
    parser = argparse.ArgumentParser(
        prog="autograde grade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("submissions", nargs="?", type=Path, metavar="SUBMISSIONS", help="a folder or a zip; see above")
    add("--folder", type=Path, help="the class (the repository; class/ for the made-up one)")
    add("--assignment", metavar="NAME", help="grade this one alone; all that were handed in by default")
    add("--jobs", type=int, metavar="N", help="how many submissions at a time (one a core)")
    add("--dask", metavar="ADDRESS", help="mark on the workers of this Dask scheduler, such as tcp://host:8786")
    add("--resume", action="store_true", help="go on with the run that was stopped, with the submissions it had")
    add("--again", action="store_true", help="run again what has been graded, too")
    add("--cell-seconds", type=float, default=Patience.cell, metavar="S", help="for one cell (%(default)g)")
    add("--notebook-seconds", type=float, default=Patience.notebook, metavar="S", help="for a notebook (%(default)g)")
    add("--unsafe", action="store_true", help="without a sandbox, and every result is stamped so")
    add("--week", default="week1", help="of the made-up class (%(default)s)")
    add("--learners", type=int, default=12, metavar="N", help="in the made-up class (%(default)s)")
    return parser.parse_args(args)


def _is_made_up(options):
    return options.submissions is None and not options.resume


def _what(options, folder, console):
    """→ (the class, its submissions to look at, what could not be read, whether a run to go on with was --again)."""
    if _is_made_up(options):
        from autograde.sample_class import make_class

        for line in make_class(folder, options.learners, options.week):
            console.print(line, highlight=False)
        classroom = Classroom(folder)
        return classroom, *collect(classroom, classroom.submitted), False
    classroom = Classroom(folder)
    if not options.resume:
        if not options.submissions.exists():
            raise ClassError(f"there is no {options.submissions}: name a folder or a zip of submissions")
        return classroom, *collect(classroom, options.submissions, options.assignment), False
    if (left := classroom.journal.unfinished()) is None:
        raise ClassError("no run was stopped: there is nothing to go on with")
    found, unreadable = collect(classroom, classroom.submitted)
    there, mine = {(one.assignment, one.student): one for one in found}, []
    for (assignment, student), about in left["submissions"].items():
        gone = Submission(student, assignment, {}, None, "", refused=about.get("refused", ""))
        one = there.get((assignment, student), gone)
        if one.notebooks or one.refused:
            mine.append(replace(one, notes=tuple(dict.fromkeys((*about.get("notes", ()), *one.notes)))))
    return classroom, mine, unreadable, left["again"]


@contextlib.contextmanager
def _bar(console):
    from rich import progress as rich

    columns = [rich.TextColumn("grading"), rich.BarColumn(), rich.MofNCompleteColumn(), rich.TimeElapsedColumn()]
    columns += [rich.TimeRemainingColumn(), rich.TextColumn("{task.description}")]
    with rich.Progress(*columns, console=console) as bar:
        line = bar.add_task("starting", total=None)
        yield lambda done, of, student: bar.update(line, completed=done, total=of, description=student)
        if not bar.tasks[0].total:
            bar.update(line, total=1, completed=1, description="nothing new")


def _print(console, rows: list[Row], report: Report, options):
    """Learner × exercise, the exercises as numbers so that it fits a terminal, and what the numbers stand for."""
    from rich.table import Table

    for assignment in dict.fromkeys(row.assignment for row in rows):
        here = [row for row in rows if row.assignment == assignment]
        names = list(here[0].marks)
        table = Table("learner", "score", *map(str, range(1, len(names) + 1)), title=assignment)
        for row in sorted(here, key=lambda row: (-row.score, row.student)):
            table.add_row(row.student, f"{row.score:.4g}/{row.most:g}", *(f"{m or 0:.2g}" for m in row.marks.values()))
        console.print(table)
        console.print(", ".join(f"{number} {name}" for number, name in enumerate(names, 1)), highlight=False)
    console.print(f"{report.graded} graded, {report.unchanged} unchanged since they were.", highlight=False)
    if options.unsafe:
        console.print("UNSANDBOXED: these submissions ran with all your rights, and every result says so.")
