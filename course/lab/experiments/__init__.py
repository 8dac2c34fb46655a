"""Experiments with a verdict: two arms that differ in one factor, eight seeds each, and a rule fixed beforehand.

    EXPERIMENT.conduct(A={"lr": 1e-2, "max_norm": None}, B={"lr": 1e-2, "max_norm": 1.0}, prediction="same")

A run gives one number, the held-out loss in nats per token; a run that diverged gives None. The seeds derive from the
learner's name and the experiment, so nobody chooses the ones that suit. The rule (`verdict`): the 95 % interval of
Welch (1947) for the difference of the means, against a margin below which a difference does not matter.
"""

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, variance

from course.lab import files, journal

SEEDS = 8  # runs of each arm
MARGIN = 0.03  # nats per token: a difference that matters to nobody
WORDS = ("A", "B", "same", "unresolved")
NEAR = 0.005  # nats: an interval that ends so near to a threshold admits both words
FILE = "experiments.json"


@functools.lru_cache(maxsize=4096)
def t95(freedom: float) -> float:
    """The number of standard errors to either side of a 95 % interval: Student's t for `freedom` degrees of freedom.

    12.71 at 1, 2.14 at 14, 1.96 in the limit. By integration of the density (Student 1908) and bisection.
    """
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def inside(limit, pieces=200):
        step = limit / pieces
        heights = [(1 + (i * step) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(pieces + 1)]
        simpson = heights[0] + heights[-1] + 4 * sum(heights[1::2]) + 2 * sum(heights[2:-1:2])
        return 2 * scale * simpson * step / 3

    low, high = 1.0, 15.0
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return high


def interval(a: list[float], b: list[float]) -> tuple[float, float]:
    """The 95 % interval of mean(a) - mean(b), each with at least two values (Welch 1947, unequal variances)."""
    parts = [variance(arm) / len(arm) for arm in (a, b)]
    error, difference = math.sqrt(sum(parts)), fmean(a) - fmean(b)
    if not error:
        return difference, difference
    freedom = sum(parts) ** 2 / sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, (a, b), strict=True))
    return difference - t95(freedom) * error, difference + t95(freedom) * error


def admitted(a: list, b: list, margin: float = MARGIN, near: float = 0.0) -> set[str]:
    """The words that the rule allows for held-out losses `a` and `b`; None or NaN where a run diverged.

    Diverged runs are counted, never averaged: an arm of which half or more diverged loses to one of which less than
    half did, and nothing is resolved where both did. Among the rest the interval of mean(a) - mean(b) decides: above 0
    means that B is better, below 0 that A is; wholly within the margin means the same; a narrow one may be both, and
    one that is neither leaves the question unresolved. An end within `near` of a threshold admits both its sides.
    """
    kept = [[loss for loss in arm if loss is not None and math.isfinite(loss)] for arm in (a, b)]
    lost = [2 * len(finite) <= len(arm) for finite, arm in zip(kept, (a, b), strict=True)]
    if any(lost) or min(map(len, kept)) < 2:
        return {"unresolved"} if lost[0] == lost[1] else {"B" if lost[0] else "A"}
    ends = interval(*kept)
    shifts = (-near, 0.0, near) if near else (0.0,)
    return set().union(*(_words(ends[0] + x, ends[1] + y, margin) for x in shifts for y in shifts))


def _words(low, high, margin):
    found = {"B"} if low > 0 else {"A"} if high < 0 else set()
    if -margin <= low and high <= margin:
        found.add("same")
    return found or {"unresolved"}


def seeds(learner: str, experiment: str, number: int = SEEDS) -> list[int]:
    """The seeds of this learner's runs of an experiment."""
    stream = journal.draw(learner, experiment, "seeds")
    return [stream.randrange(1_000_000) for _ in range(number)]


@dataclass(frozen=True)
class Experiment:
    """A question about training that has no answer in a book.

    `factor`: the setting that may differ between the arms. `choices`: {setting: the values that it may have}. `run`:
    (settings, seed) → held-out loss in nats per token, NaN where the run diverged; the same arguments, the same loss.
    """

    id: str
    question: str
    factor: str
    choices: dict[str, tuple]
    run: Callable[[dict, int], float]
    unit: str = "nats per byte"

    def faults_of(self, arm) -> list[str]:
        """What is wrong with one arm, in words; [] where it has every setting, each with a value of its choices."""
        if not isinstance(arm, dict) or set(arm) != set(self.choices):
            return [f"write a dict with the settings {', '.join(self.choices)}, all of them and no other"]
        return [
            f"{name} is one of {', '.join(map(repr, allowed))}"
            for name, allowed in self.choices.items()
            if not any(arm[name] == value and _kind(arm[name]) is _kind(value) for value in allowed)
        ]

    def conduct(self, A, B, prediction) -> None:
        """Runs both arms with all seeds and prints what the lab report needs; runs are kept beside the notebook.

        Without arms or a prediction it says what is missing, and runs nothing.
        """
        missing = [name for name, value in (("A", A), ("B", B), ("prediction", prediction)) if value is None]
        faults = [f"{' and '.join(missing)}: not written yet"] if missing else []
        faults = faults or [f"{name}: {fault}" for name, arm in (("A", A), ("B", B)) for fault in self.faults_of(arm)]
        if not faults and prediction not in WORDS:
            faults = [f"prediction is one of {', '.join(map(repr, WORDS))}"]
        if faults:
            journal.show("\n".join(faults), bold=f"{self.question} Nothing was run.")
            return
        journal.commit(self.question, prediction)
        learner = journal.learner()
        losses = {name: self._arm(name, arm, learner) for name, arm in (("A", A), ("B", B))}
        report = {"learner": learner, "A": A, "B": B, "losses A": losses["A"], "losses B": losses["B"]}
        print("\nFor your lab report:\n")
        print("\n".join(f"    {key!r}: {value!r}," for key, value in report.items()))
        print(f"    'prediction': {prediction!r},")

    def _arm(self, name, settings, learner):
        """The losses of an arm, by seed; those that were run before are read from the file."""
        losses = []
        for number, seed in enumerate(seeds(learner, self.id), 1):
            key = json.dumps([self.id, settings, seed])
            kept = _kept()
            if key not in kept:
                kept = {**_kept(), key: rounded(self.run(settings, seed))}
                files.write_text(journal.file().with_name(FILE), json.dumps(kept, indent=1) + "\n")
            losses.append(kept[key])
            said = "diverged" if losses[-1] is None else f"{losses[-1]:.4f} {self.unit}"
            print(f"{name}  run {number} of {SEEDS}, seed {seed:6}: held-out loss {said}")
        return losses


def _kind(value):
    """The type of a setting; 1 may stand for 1.0, and True for neither."""
    return float if type(value) is int else type(value)


def rounded(loss: float) -> float | None:
    """A loss as a report holds it: four decimals, None where the run diverged."""
    return round(loss, 4) if math.isfinite(loss) else None


def _kept():
    try:
        return json.loads(journal.file().with_name(FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
