"""What an exercise is: cases, a probe, an oracle, and its known misconceptions."""

import difflib
import functools
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from autograde.guard import Rules


@dataclass(frozen=True)
class Tolerance:
    """|got - expected| <= atol + rtol * |expected|, in float64."""

    rtol: float = 1e-4
    atol: float = 1e-5


@dataclass(frozen=True)
class Case:
    """One question put to an answer. `inputs` is plain data by name (see wire.py), in the order of the signature.

    `edge` marks a corner that a thoughtless constant may hit: it earns nothing until an ordinary case passes.
    """

    name: str
    inputs: dict[str, Any]
    weight: float = 1.0
    edge: bool = False
    tolerance: Tolerance | None = None  # in place of the exercise's


@dataclass(frozen=True)
class Misconception:
    """A known wrong answer as code, and the hint for whoever gives it: it leads to the mistake, not to the solution."""

    name: str
    answer: Callable
    hint: str


def call(target, inputs):
    """The plain probe: one call, arguments by position, so that a learner may name parameters freely."""
    return target(*inputs.values())


@dataclass(frozen=True)
class Exercise:
    """A graded exercise. `title`, `why` and `oracle` are the words that a learner reads; the rest is the machinery.

    cases(rng)             draws the cases from a torch.Generator; edge cases always among them
    probe(target, inputs)  runs beside the learner's code and returns plain data; it imports all that it needs. It
                           brings back what it saw and judges nothing: beside a learner's code, nothing said is proof
    observe(inputs, seen)  on the trusted side, what there is to compare in what the probe brought back, if not all
    expected(inputs)       the right result, from the library that practitioners use wherever one exists
    accepts(inputs, got)   in place of `expected`, where many results are right: None, or what is wrong
    library                what an answer may not simply call: operators such as "aten._log_softmax", functions by name
    autograd               False where an answer may not lean on autograd
    keeps_inputs           False where the docstring allows an answer to change its arguments
    seconds                of processor time that an answer has for all its cases
    is_report              True where an answer is a report, data and no code: a known mistake costs the parts that it
                           spoils, not all, and the audit makes no mutants of it
    defines                the name that a learner defines where it is not the id's: week3.loss_scaler is `LossScaler`
    """

    id: str
    title: str
    points: float
    minutes: float
    why: str
    oracle: str
    cases: Callable[[torch.Generator], Iterable[Case]]
    expected: Callable[[dict], Any] | None = None
    probe: Callable[[Callable, dict], Any] = call
    observe: Callable[[dict, Any], Any] | None = None
    accepts: Callable[[dict, Any], str | None] | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    misconceptions: tuple[Misconception, ...] = ()
    library: tuple[str, ...] = ()
    autograd: bool = True
    keeps_inputs: bool = True
    seconds: float = 10.0
    defines: str = ""
    is_report: bool = False

    def __post_init__(self):
        if (self.expected is None) == (self.accepts is None):
            raise ValueError(f"{self.id}: give either `expected` or `accepts`")

    @property
    def name(self) -> str:
        """What the learner defines: the part of the id after the dot, or `defines`."""
        return self.defines or self.id.partition(".")[2]

    @property
    def rules(self) -> Rules:
        """What an answer may do, as it is sent along with the probe."""
        return Rules(self.library, self.autograd, self.keeps_inputs, self.seconds)

    @property
    def probe_source(self) -> str:
        """All that is sent to where the learner's code runs."""
        return _source(self.probe)

    def draw(self, seed: int) -> list[Case]:
        """The cases of one seed; the same seed gives the same cases on every machine."""
        return list(self.cases(torch.Generator().manual_seed(seed)))


@functools.cache
def _source(function):
    return textwrap.dedent(inspect.getsource(function))


class UnknownExercise(LookupError):
    """No exercise has this id; the message lists the near ones."""

    def __str__(self):
        return self.args[0]


@functools.cache
def weeks() -> list[str]:
    """Names of the weeks that have exercises: ['week0', 'week1', …]."""
    from autograde import exercises

    return sorted(m.name for m in pkgutil.iter_modules(exercises.__path__) if m.name.startswith("week"))


def of_week(week: str) -> tuple[Exercise, ...]:
    """The exercises of one week, in the order of its lessons."""
    return importlib.import_module(f"autograde.exercises.{week}").EXERCISES


def find(exercise_id: str) -> Exercise:
    """The exercise of this id. Raises UnknownExercise, with the near ids, where there is none."""
    week = str(exercise_id).partition(".")[0]
    if week in weeks():
        for exercise in of_week(week):
            if exercise.id == exercise_id:
                return exercise
    ids = [exercise.id for known in weeks() for exercise in of_week(known)]
    near = difflib.get_close_matches(str(exercise_id), ids, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the weeks here are {', '.join(weeks())}."
    raise UnknownExercise(f"There is no exercise {exercise_id!r}: {hint}")
