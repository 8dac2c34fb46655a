"""Pages about a graded class: one for the instructor, one for each learner, and the same as CSV.

Every string of a result may have been written by a learner who means harm. The templates escape all of them and put
none into an attribute, a style or an address; whatever they print passes `clean` first. The pages load nothing and run
no script, and their policy says so to the browser.
"""

import argparse
import csv
import hashlib
import io
import re
import sys
from collections import defaultdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograde.tally import STATUSES, Assignment, Marks, assignments
from course.lab import files

__all__ = ["Marks", "pages", "write"]

LONGEST = 600  # characters of one text on a page: no hint comes near
LONGEST_NAME = 80
LONGEST_CELL = 32_000  # what a cell of a spreadsheet holds
SLOWEST = 5  # learners and exercises that the page lists
GENERATOR = '<meta name="generator" content="autograde report">'  # known by it, a page may be replaced or removed
FORMULA = tuple("=+-@＝＋－＠")  # what begins a formula in a spreadsheet, also as an East Asian keyboard types it

_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)")
_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKED = re.compile(f"([{_COMBINING}]{{3}})[{_COMBINING}]+")
_PLAIN_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)


def pages(results: list[dict], marks: Marks, title: str = "Report of the class") -> dict[str, str]:
    """The files of the report, by their path in its folder. The same results give the same text, in any order."""
    found = assignments(results, marks)
    of_student = defaultdict(list)
    for assignment in found:
        for row in assignment.rows:
            of_student[row.student].append((assignment, row))
    environment = _environment()
    learner = environment.get_template("report_learner.html")
    made = {
        "index.html": environment.get_template("report.html").render(title=title, assignments=found),
        "marks.csv": _marks_csv(found),
        "misconceptions.csv": _misconceptions_csv(found),
    }
    for student in sorted(of_student):
        mine = of_student[student]
        made[f"learners/{file_name(student)}"] = learner.render(name=mine[0][1].name, mine=mine)
    return made


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write the pages, each replaced whole, and remove those of learners who are gone; other files stay."""
    folder = Path(folder)
    for name, text in pages.items():
        files.write_text(folder / name, text)
    for path in (folder / "learners").glob("*.html"):
        if f"learners/{path.name}" not in pages and GENERATOR in path.read_text(encoding="utf-8", errors="replace"):
            path.unlink()


def file_name(student: str) -> str:
    """A file name that is safe on every system, and another for every student, whatever the student is called."""
    if _PLAIN_NAME.fullmatch(student):
        return f"{student}.html"
    readable = re.sub("[^a-z0-9]+", "-", student.lower()[:40]).strip("-")
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return f"_{readable}.{digest[:16]}.html"


def clean(text, limit: int = LONGEST):
    """A text on one line, without control characters, terminal codes and marks that turn or cover its neighbours, cut
    to `limit` characters. What is no plain text, a number for instance, is returned as it is."""
    if type(text) is not str:
        return text
    text = text[: 8 * limit]  # bounds the work; codes that are taken out make room
    if not (text.isascii() and text.isprintable()):
        text = _ESCAPES.sub("", text)
        # Joiners cannot be seen, but words of Persian and Hindi need them.
        text = "".join(c for c in text if c.isprintable() or c.isspace() or c in "\u200c\u200d")
        text = _STACKED.sub(r"\1", text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


# --- what the templates need ------------------------------------------------------------------------------------------


def _environment():
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        short=lambda name: clean(name, LONGEST_NAME),
        file_name=file_name,
        num=lambda value: f"{round(value, 2) + 0.0:.10g}",  # + 0.0 makes 0 of -0
        percent=lambda share: f"{100 * share:.0f}%",
        span=_span,
        histogram=histogram,
        stacked=_stacked,
        plural=lambda count, noun: f"{count} {noun}" + ("" if count == 1 else "s"),
    )
    environment.globals.update(
        MARKS={"right": "✓", "partly": "◐", "wrong": "✗", "blank": "○"}, STATUSES=STATUSES, SLOWEST=SLOWEST
    )
    return environment


def _span(seconds):
    """A time for a reader: 0.3 s, 12 s, 5 min, 2 h 5 min, 3 d 4 h."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def histogram(assignment: Assignment, bins: int = 10) -> list[tuple[float, float, int]]:
    """(from, to, how many) of the total scores; the last holds the full score too. Empty where nothing is scored."""
    if not assignment.points or not assignment.graded:
        return []
    counts, width = [0] * bins, assignment.points / bins
    for row in assignment.graded:
        # A score on the border of two bins belongs to the upper one, whatever the last bit of the division says.
        counts[min(max(int(round(row.score / width, 9)), 0), bins - 1)] += 1
    return [(width * i, width * (i + 1), count) for i, count in enumerate(counts)]


def _stacked(counts):
    """(status, from, width) of each part of a bar that is 100 wide."""
    total, at, parts = sum(counts.values()), 0.0, []
    for status, count in counts.items():
        if count:
            width = 100 * count / total
            parts.append((status, round(at, 2), round(width, 2)))
            at += width
    return parts


# --- CSV --------------------------------------------------------------------------------------------------------------


def _cell(value):
    """A cell of a spreadsheet; a text that would be read as a formula gets an apostrophe in front."""
    value = "" if value is None else clean(value, LONGEST_CELL)
    return f"'{value}" if type(value) is str and value.startswith(FORMULA) else value


def _table(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _marks_csv(found: list[Assignment]):
    """One row a submission; a column is empty where its exercise belongs to another assignment."""
    ids = list(dict.fromkeys(exercise.id for assignment in found for exercise in assignment.exercises))
    rows = [["student", "name", "assignment", "timestamp", "late_s", "status", "sandbox", *ids, "score", "max_score"]]
    for assignment in found:
        for row in assignment.rows:
            about = [row.result[key] for key in ("timestamp", "late_s", "status", "sandbox")]
            points = {mark.exercise.id: mark.points for mark in row.marks}
            marked = [*map(points.get, ids), row.score, assignment.points]
            rows.append([row.student, row.name, assignment.name, *about, *marked])
    return _table(rows)


def _misconceptions_csv(found: list[Assignment]):
    rows = [["assignment", "exercise", "misconception", "learners", "who"]]
    for assignment in found:
        for mistake in assignment.mistakes:
            who = "; ".join(clean(row.student, LONGEST_NAME) for row in mistake.rows)
            rows.append([assignment.name, mistake.exercise.id, mistake.name, len(mistake.rows), who])
    return _table(rows)


def of_class(classroom, title: str = "Report of the class") -> dict[str, str]:
    """The pages of a class as its journal and its gradebook have it by now."""
    from autograde.gradebook import Book

    with Book(classroom) as book:
        rows, names = book.rows(), book.names()
    late = {(row.assignment, row.student): row.late_s for row in rows}
    points = {key: worth for name in classroom.assignments() for key, worth in classroom.points(name).items()}
    by_hand = {(row.student, key): given for row in rows for key, given in row.overrides.items()}
    results = [result | {"late_s": late.get(key, 0.0)} for key, result in classroom.journal.results().items()]
    return pages(results, Marks(points, names, by_hand), title)


def main(args=None) -> int:
    """python -m autograde report [--folder CLASS] [--out FOLDER]"""
    from autograde import release
    from autograde.classroom import ClassError, Classroom
    from autograde.source import BuildError

    words = "A page for the instructor, one for each learner, and the same as CSV. Nothing is run again."
    parser = argparse.ArgumentParser(prog="autograde report", description=words)
    parser.add_argument("--folder", type=Path, help="the class (the repository by default)")
    parser.add_argument("--out", type=Path, help="where the pages go (report/ in the class)")
    parser.add_argument("--title", default="Report of the class")
    options = parser.parse_args(args)
    try:
        classroom = Classroom(options.folder or release.root())
        made = of_class(classroom, options.title)
    except (ClassError, BuildError) as error:
        print(error, file=sys.stderr)
        return 1
    out = options.out or classroom.folder / "report"
    write(out, made)
    print(f"{out / 'index.html'}: for the instructor, with inputs that no learner should see before the due date")
    print(f"{out / 'learners'}: {len(made) - 3} pages, one a learner")
    return 0
