"""What the results of a class say, counted: marks, means, mistakes, time, and what a person should look at.

Nothing here knows how a page looks; report.py writes what is counted here.
"""

import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from autograde.exercise import of_week, weeks

STATUSES = ("right", "partly", "wrong", "blank")
SANDBOXES = ("warm", "cold", "container")


@dataclass(frozen=True)
class Marks:
    """What results alone do not say.

    points     what an exercise is worth, in place of its specification's points; 0 for one that is voided
    names      how a student is called; whoever is named here and has no result is shown as missing
    overrides  points given by hand, by (student, exercise id)
    """

    points: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    overrides: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """An exercise as a column of marks; one that no longer exists is called by its id."""

    id: str
    title: str
    points: float


@dataclass(frozen=True)
class Mark:
    """One learner's mark for one exercise. `status` and `score` are the check's, also where points were given by hand;
    without a check they follow from those points."""

    exercise: Column
    status: str
    score: float
    points: float
    by_hand: bool
    check: dict | None  # as the result has it


@dataclass(frozen=True)
class Row:
    """One submission and its marks, in the order of the lesson."""

    student: str
    name: str
    result: dict
    marks: tuple[Mark, ...]

    @cached_property
    def score(self) -> float:
        return round(sum(mark.points for mark in self.marks), 4)

    @property
    def is_graded(self) -> bool:
        return self.result["status"] == "graded"

    @property
    def is_sandboxed(self) -> bool:
        return self.result["sandbox"] in (*SANDBOXES, "")  # "": none of it was run

    @property
    def is_marked(self) -> bool:
        """Whether there is any mark to show, be it one given by hand."""
        return any(mark.check or mark.by_hand for mark in self.marks)

    @property
    def lost_notebooks(self) -> list[tuple[str, str, str]]:
        """(name, what is the matter, why) of each notebook that could not be graded."""
        notebooks = sorted(self.result["notebooks"].items())
        return [(name, book["status"], book["detail"]) for name, book in notebooks if book["status"] != "graded"]


@dataclass(frozen=True)
class Tally:
    """How the graded submissions did in one exercise; seconds are the checks'."""

    exercise: Column
    counts: dict[str, int]
    mean: float
    mean_seconds: float
    most_seconds: float


@dataclass(frozen=True)
class Mistake:
    """A misconception, whoever holds it, and one learner's hint: as it was given, and with its values."""

    exercise: Column
    name: str
    rows: tuple[Row, ...]
    hint: str
    told: str

    @property
    def is_common(self) -> bool:
        return len(self.rows) > 1


@dataclass(frozen=True)
class Assignment:
    """All submissions of one assignment; `absent` are the names of those who handed nothing in."""

    name: str
    exercises: tuple[Column, ...]
    rows: tuple[Row, ...]
    absent: tuple[str, ...]

    @cached_property
    def points(self) -> float:
        return round(sum(exercise.points for exercise in self.exercises), 4)

    @cached_property
    def graded(self) -> list[Row]:
        return [row for row in self.rows if row.is_graded]

    @property
    def mean(self) -> float | None:
        return statistics.fmean(row.score for row in self.graded) if self.graded else None

    @property
    def median(self) -> float | None:
        return statistics.median(row.score for row in self.graded) if self.graded else None

    @cached_property
    def tallies(self) -> list[Tally]:
        """One for each exercise, in the order of the lesson. An exercise that a submission lacks is blank."""
        found = []
        for i, exercise in enumerate(self.exercises if self.graded else ()):
            marks = [row.marks[i] for row in self.graded]
            counts = {status: sum(mark.status == status for mark in marks) for status in STATUSES}
            seconds = [mark.check["seconds"] for mark in marks if mark.check] or [0.0]
            mean = statistics.fmean(mark.score for mark in marks)
            found.append(Tally(exercise, counts, mean, statistics.fmean(seconds), max(seconds)))
        return found

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """The misconceptions of the class: the most frequent first, then in the order of the lesson."""
        holders = defaultdict(list)
        for i, exercise in enumerate(self.exercises):
            for row in self.graded:
                check = row.marks[i].check
                if check and check["misconception"]:
                    holders[exercise, check["misconception"]].append((row, check))
        found = [
            Mistake(exercise, name, tuple(row for row, _ in held), held[0][1]["hint"], held[0][1]["told"])
            for (exercise, name), held in holders.items()
        ]
        return sorted(found, key=lambda mistake: -len(mistake.rows))

    @property
    def human(self) -> list[tuple[str, list[Row]]]:
        """What a person should look at, and whose it is: what was not graded first, a line of many learners once."""
        found = defaultdict(list)
        for row in self.rows:
            lines = [] if row.is_graded else [(0, _joined(row.result["status"], row.result["detail"]))]
            lines += [(1, _joined(f"{book} is {status}", detail)) for book, status, detail in row.lost_notebooks]
            lines += [(2, line) for line in row.result["flags"]]
            for line in dict.fromkeys(lines):
                found[line].append(row)
        order = sorted(found, key=lambda line: (line[0], -len(found[line]), line[1]))
        return [(line[1], found[line]) for line in order]


def assignments(results: list[dict], marks: Marks) -> list[Assignment]:
    """The results by assignment, each with its exercises in the order of the lesson and its rows by student."""
    by_name = defaultdict(list)
    for result in results:
        by_name[result["assignment"]].append(result)
    checked = {name: {key for result in group for key, _ in _checks(result)} for name, group in by_name.items()}
    everyone = {result["student"] for result in results} | marks.names.keys()
    found = []
    for name in sorted(by_name, key=natural):
        elsewhere = set().union(*(ids for other, ids in checked.items() if other != name))
        exercises = _columns(checked[name] | (_of_week_of(name, marks) - elsewhere), marks)
        group = sorted(by_name[name], key=lambda result: natural(result["student"]))
        absent = sorted(everyone - {result["student"] for result in group}, key=natural)
        absent = tuple(marks.names.get(student) or student for student in absent)
        found.append(Assignment(name, exercises, tuple(_row(result, exercises, marks) for result in group), absent))
    return found


def natural(text: str) -> tuple[str, str]:
    """A sort key that puts week2 before week10."""
    return re.sub("[0-9]+", lambda digits: digits[0].zfill(9), text), text


def _of_week_of(assignment, marks):
    """What must count in an assignment though no submission of it got as far as the check."""
    known = marks.points.keys() | {exercise_id for _, exercise_id in marks.overrides}
    return {exercise_id for exercise_id in known if exercise_id.partition(".")[0] == assignment.partition("_")[0]}


def _columns(ids, marks):
    of_these = sorted({exercise_id.partition(".")[0] for exercise_id in ids} & set(weeks()), key=natural)
    known = {exercise.id: exercise for week in of_these for exercise in of_week(week)}
    order = [exercise_id for exercise_id in known if exercise_id in ids] + sorted(ids - known.keys(), key=natural)
    columns = []
    for exercise_id in order:
        exercise = known.get(exercise_id)
        points = marks.points.get(exercise_id, exercise.points if exercise else 0)
        columns.append(Column(exercise_id, exercise.title if exercise else exercise_id, points))
    return tuple(columns)


def _row(result, exercises, marks):
    student, checks = result["student"], dict(_checks(result))
    given = [marks.overrides.get((student, exercise.id)) for exercise in exercises]
    found = (
        _mark(exercise, checks.get(exercise.id), by_hand) for exercise, by_hand in zip(exercises, given, strict=True)
    )
    return Row(student, marks.names.get(student) or student, result, tuple(found))


def _mark(exercise, check, given):
    if check:
        # A status that is none of ours cannot have earned a better name.
        status, score = check["status"] if check["status"] in STATUSES else "wrong", check["score"]
    elif given is not None:
        score = given / exercise.points if exercise.points else 0.0
        status = "right" if score >= 1 else "partly" if score > 0 else "wrong"
    else:
        status, score = "blank", 0.0
    points = score * exercise.points if given is None else given
    return Mark(exercise, status, score, round(points, 4), given is not None, check)


def _checks(result) -> Iterator[tuple[str, dict]]:
    for _, notebook in sorted(result["notebooks"].items()):
        yield from notebook.get("checks", {}).items()


def _joined(what, why):
    return f"{what}: {why}" if why else what
