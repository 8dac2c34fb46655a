"""`python -m autograde marks …`: what marks are worth, whose they are, and what they rest on.

marks void EXERCISE             it counts for nobody; nothing is run again, no mark is lost
marks weigh EXERCISE POINTS     it counts this much
marks restore EXERCISE          it counts as its specification says
marks seeds ASSIGNMENT          the seeds it was graded with, once its due date has passed
marks roster FILE               who the learners are: a CSV of your own, of Canvas or of Moodle
marks export [--template FILE]  a CSV, or your LMS's own one with the marks filled in
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.api import MissingEntry

from autograde import release, roster
from autograde.classroom import ClassError, Classroom
from autograde.exercise import UnknownExercise, find
from autograde.gradebook import Book
from autograde.source import BuildError
from course.lab import files


def weigh(classroom: Classroom, exercise_id: str, points: float | None) -> int:
    """Let an exercise count `points`, None for its specification's → how many results were written anew.

    Raises UnknownExercise, ClassError.
    """
    exercise = find(exercise_id)
    if points is not None and not 0 <= points < 1000:
        raise ClassError(f"{points:g} points: give a number from 0 to 1000")
    written, journal = 0, classroom.journal
    with classroom.alone(), Book(classroom) as book:
        policy = classroom.policy()
        policy.pop(exercise_id, None)
        if points is not None and points != exercise.points:
            policy[exercise_id] = points
        concerned = [name for name in classroom.assignments() if exercise_id in classroom.exercises(name)]
        for assignment in concerned:
            journal.add("weighed", assignment=assignment, exercise=exercise_id, points=points)
        classroom.set_policy(policy)
        for assignment in concerned:
            in_book = book.has(assignment)
            if in_book:
                book.weigh(assignment)
            for (name, student), result in journal.results().items():
                if name == assignment and student in in_book:
                    book.write(result)
                    journal.add("written", assignment=assignment, student=student)
                    written += 1
    return written


def seeds(classroom: Classroom, assignment: str, now: datetime, anyway: bool = False) -> dict[str, int]:
    """The seeds of an assignment. Raises ClassError before its due date, or without one, unless `anyway`."""
    with Book(classroom) as book:
        try:
            due = book.due(assignment)
        except MissingEntry:
            raise ClassError(f"{assignment!r} is not in the gradebook: nothing was graded with its seeds") from None
    if not anyway and (due is None or now < due):
        when = f"is due on {due:%d %b %Y, %H:%M} UTC" if due else "has no due date in the gradebook"
        raise ClassError(f"{assignment} {when}: who knows a seed knows what the checks ask. --now reveals it anyway")
    return classroom.seeds(assignment)


def enrol(classroom: Classroom, path: Path) -> int:
    """Take over a roster → how many learners it names. Raises RosterError."""
    learners = list(roster.Roster.read(path))
    with classroom.alone(), Book(classroom) as book:
        for learner in learners:
            book.enrol_student(learner)
        with files.replacing(classroom.state / "roster.csv") as stream:
            stream.write(path.read_bytes())
    return len(learners)


def export(classroom: Classroom, assignment: str | None, template: Path | None) -> str:
    """The marks as CSV. Raises ClassError where the assignment is not clear, RosterError for a template out of form."""
    with Book(classroom) as book:
        rows = book.rows(assignment)
    names = sorted({row.assignment for row in rows})
    if len(names) != 1:
        raise ClassError(f"--assignment says which: there are {', '.join(names) or 'no marks yet'}")
    scores, most = {row.student: row.score for row in rows}, max(row.most for row in rows)
    known = classroom.roster or roster.Roster([])
    if template is None:
        return known.plain_csv(scores, most)
    if left_out := known.unplaced(template, scores):
        print(f"no row in {template} for {', '.join(left_out)}: their marks are not in it", file=sys.stderr)
    return known.lms_csv(template, scores, names[0], most)


def main(args=None) -> int:
    """Do what is asked; 1 with one line where it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="autograde marks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="the class (the repository by default)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("void", "weigh", "restore"):
        one = commands.add_parser(name)
        one.add_argument("exercise", metavar="EXERCISE")
        if name == "weigh":
            one.add_argument("points", type=float, metavar="POINTS")
    one = commands.add_parser("seeds")
    one.add_argument("assignment", metavar="ASSIGNMENT")
    one.add_argument("--now", action="store_true", help="before the due date, too")
    commands.add_parser("roster").add_argument("file", type=Path, metavar="FILE")
    one = commands.add_parser("export")
    one.add_argument("--assignment", metavar="NAME")
    one.add_argument("--template", type=Path, metavar="FILE", help="the gradebook as your LMS exports it")
    one.add_argument("--out", type=Path, metavar="FILE", help="write it there")
    options = parser.parse_args(args)
    try:
        print(_do(options, Classroom(options.folder or release.root())))
        return 0
    except (ClassError, UnknownExercise, BuildError, roster.RosterError) as error:
        print(error, file=sys.stderr)
        return 1


def _do(options, classroom):
    match options.command:
        case "void" | "weigh" | "restore":
            points = {"void": 0.0, "weigh": getattr(options, "points", None), "restore": None}[options.command]
            written = weigh(classroom, options.exercise, points)
            worth = find(options.exercise).points if points is None else points
            return f"{options.exercise} counts {worth:g} points now; {written} results written anew."
        case "seeds":
            revealed = seeds(classroom, options.assignment, datetime.now(UTC), options.now)
            return "\n".join(f'check("{key}", {find(key).name}, seed={seed})' for key, seed in revealed.items())
        case "roster":
            return f"{enrol(classroom, options.file)} learners."
        case "export":
            text = export(classroom, options.assignment, options.template)
            if options.out:
                files.write_text(options.out, text)
                return f"{options.out} written."
            return text
