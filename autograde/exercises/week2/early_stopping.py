"""week2.early_stopping: when to stop."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform


def _stopping_probe(target, inputs):
    """Every run has a stopper of its own; they are all asked in turn."""
    patience, min_delta, runs = inputs["patience"], inputs.get("min_delta"), inputs["runs"]
    stoppers = [target(patience) if min_delta is None else target(patience, min_delta) for _ in runs]
    said = [[] for _ in runs]
    for k in range(max(map(len, runs))):
        for run, stopper, words in zip(runs, stoppers, said, strict=True):
            if k < len(run):
                words.append(stopper.step(run[k]))
    return said


def _run(rng, moves, min_delta=0.0, start=None):
    """Losses made of moves against the best so far.

    b: better by more than min_delta; w: worse; t: a gain too small; =: the best again; n: NaN; i: inf
    """
    losses, best, small = [], start or uniform(rng, 3, 5), 0.2
    for move in moves:
        small = small + 0.12 if move == "t" else 0.2  # small gains on the same best grow, so that each beats the last
        best = round(best - min_delta - uniform(rng, 0.03, 0.2), 3) if move == "b" else best
        worse = round(best + uniform(rng, 0.02, 0.6), 3)
        tiny = round(best - small * min_delta, 3)
        losses.append({"b": best, "=": best, "w": worse, "t": tiny, "n": math.nan, "i": math.inf}[move])
    return losses


def _stopping_cases(rng):
    def case(name, patience, *moves, min_delta=None, start=None, **options):
        runs = [m if isinstance(m, list) else _run(rng, m, min_delta or 0.0, start) for m in moves]
        delta = {} if min_delta is None else {"min_delta": min_delta}
        return Case(name, {"patience": patience, **delta, "runs": runs}, **options)

    delta = uniform(rng, 0.06, 0.2)
    patience = integer(rng, 3, 5)
    yield case("falls, then rises", patience, "bbb" + "w" * (patience + 2))
    yield case("a patience of 1", 1, "b" * integer(rng, 1, 3) + "wbwwbw")
    yield case("an improvement in time", 3, "bbwwbwbwwbwww")
    yield case("an improvement after it said stop", 2, "bwwwbwbwwb")
    best = uniform(rng, 2, 3)
    falling = [round(best + 0.9 - 0.1 * k - uniform(rng, 0, 0.05), 3) for k in range(7)]
    yield case("falling again, but never below the best", integer(rng, 3, 4), [best + 1, best, *falling])
    yield case("the same loss again and again", 3, "bb=====")
    yield case("gains of less than min_delta", 3, "bbtttttt", min_delta=delta)
    drift = [uniform(rng, 4, 5)]
    while len(drift) < 9:
        drift.append(round(drift[-1] - uniform(rng, 0.58, 0.7) * delta, 3))
    yield case(
        "a slow fall that adds up", 2, [*drift, drift[-1] + 0.3, drift[-1] + 0.2, drift[-1] + 0.4], min_delta=delta
    )
    yield case("gains on both sides of min_delta", 3, "btbwtbtwtt", min_delta=delta)
    yield case(
        "a little worse is no gain", 2, [3.0, 3.0 + delta / 2, 3.0 + delta / 3, 3.0 + delta / 4], min_delta=delta
    )
    yield case("gains of exactly min_delta", 2, [3.0, 2.75, 2.75, 2.5, 2.25, 2.5, 2.0, 2.0], min_delta=0.25)
    yield case("large losses", 2, "bbbwbbwwb", min_delta=delta, start=uniform(rng, 60, 90))
    small = [round(2.0 - 3e-4 * k, 4) for k in range(6)]
    yield case("small gains without a min_delta", 2, [*small, 2.0, 2.0, 2.0])
    yield case("NaN in between", 3, "bbnwwbwnw")
    yield case("NaN after NaN", integer(rng, 2, 3), "bbnnnnn")
    yield case("NaN at the start", 2, "nbwbwwn")
    yield case("inf", 2, "bbiibiw")
    yield case("inf at the start", 2, "iibww")
    yield case("two runs side by side", 3, "bbbbbbbwww", "bwwwwwbww")
    yield case("three runs side by side, with a min_delta", 2, "bbwbwwb", "wwbbwt", "bttt", min_delta=delta)
    yield case("never a reason to stop", 2, "bbwbbwbb", edge=True)


def _as_reduce_lr_on_plateau(inputs):
    """torch's scheduler counts bad epochs by the same rule; told to wait for ever, it does nothing but count."""
    said = []
    for run in inputs["runs"]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        counter = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, threshold=inputs.get("min_delta", 0.0), threshold_mode="abs", patience=10**9
        )
        words = []
        for loss in run:
            counter.step(loss)
            words.append(counter.num_bad_epochs >= inputs["patience"])
        said.append(words)
    return said


class _Stopper:
    """The right rule in parts, for wrong ones to change."""

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = math.inf, 0

    def improves(self, loss):
        return loss < self.best - self.min_delta

    def step(self, val_loss):
        if self.improves(val_loss):
            self.best, self.waited = val_loss, 0
        else:
            self.waited += 1
        return self.says()

    def says(self):
        return self.waited >= self.patience


class _AgainstTheLast(_Stopper):
    def step(self, val_loss):
        self.waited = 0 if self.improves(val_loss) else self.waited + 1
        self.best = val_loss
        return self.says()


class _OneTooLate(_Stopper):
    def says(self):
        return self.waited > self.patience


class _OneTooEarly(_Stopper):
    def says(self):
        return self.waited >= self.patience - 1


class _NaNIsBetter(_Stopper):
    def improves(self, loss):
        return not loss >= self.best - self.min_delta


class _NaNIsTheBest(_Stopper):
    def step(self, val_loss):
        said = super().step(val_loss)
        self.best = val_loss if math.isnan(val_loss) else self.best
        return said


class _NaNIsSkipped(_Stopper):
    def step(self, val_loss):
        return super().step(val_loss) if math.isfinite(val_loss) else self.says()


class _NaNStops(_Stopper):
    def step(self, val_loss):
        return super().step(val_loss) or math.isnan(val_loss)


class _TinyGainsMoveTheBest(_Stopper):
    def step(self, val_loss):
        said = super().step(val_loss)
        self.best = val_loss if val_loss < self.best else self.best
        return said


class _NoMinDelta(_Stopper):
    def improves(self, loss):
        return loss < self.best


class _MinDeltaAdded(_Stopper):
    def improves(self, loss):
        return loss < self.best + self.min_delta


class _Relative(_Stopper):
    def improves(self, loss):
        return loss < self.best * (1 - self.min_delta)


class _EqualIsEnough(_Stopper):
    def improves(self, loss):
        return loss <= self.best - self.min_delta


class _NeverReset(_Stopper):
    def step(self, val_loss):
        if self.improves(val_loss):
            self.best = val_loss
        else:
            self.waited += 1
        return self.says()


class _OnlyOnce(_Stopper):
    def says(self):
        return self.waited == self.patience


class _CountsAnew(_Stopper):
    def says(self):
        stop = self.waited >= self.patience
        self.waited = 0 if stop else self.waited
        return stop


class _ForEver(_Stopper):
    stopped = False

    def says(self):
        self.stopped = self.stopped or self.waited >= self.patience
        return self.stopped


class _FromZero(_Stopper):
    def __init__(self, patience, min_delta=0.0):
        super().__init__(patience, min_delta)
        self.best = 0.0


class _HigherIsBetter(_Stopper):
    def __init__(self, patience, min_delta=0.0):
        super().__init__(patience, min_delta)
        self.best = -math.inf

    def improves(self, loss):
        return loss > self.best + self.min_delta


class _Continues(_Stopper):
    def says(self):
        return not super().says()


class _Shared(_Stopper):
    """What belongs to a run lies in the class: one best and one count for all."""

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        type(self).best, type(self).waited = math.inf, 0

    def step(self, val_loss):
        if self.improves(val_loss):
            type(self).best, type(self).waited = val_loss, 0
        else:
            type(self).waited += 1
        return self.says()


EARLY_STOPPING = Exercise(
    id="week2.early_stopping",
    title="When to stop",
    points=2,
    minutes=12,
    why="Stopping one evaluation too early throws a run away; a NaN that counts as progress keeps a dead one alive.",
    oracle="torch.optim.lr_scheduler.ReduceLROnPlateau, whose count of bad epochs follows the same rule",
    cases=_stopping_cases,
    probe=_stopping_probe,
    expected=_as_reduce_lr_on_plateau,
    defines="EarlyStopping",
    misconceptions=(
        Misconception(
            "compared with the last loss",
            _AgainstTheLast,
            "You compare with the loss before. A run that jumps up and then creeps down again looks fine to you at "
            "every step, though it never gets back to where it was. Compare with what?",
        ),
        Misconception(
            "one too late",
            _OneTooLate,
            "Your answer waits for one more loss than its patience. With patience 3: which loss without an improvement "
            "says stop, the third or the fourth?",
        ),
        Misconception(
            "one too early",
            _OneTooEarly,
            "Your answer stops one loss before its patience is at an end: with patience 1 it stops at an improvement.",
        ),
        Misconception(
            "NaN counts as better",
            _NaNIsBetter,
            "A NaN sets your count back to zero. Every comparison with NaN is False, so `not (loss >= best)` is True "
            "of it: which way round is safe?",
        ),
        Misconception(
            "NaN becomes the best",
            _NaNIsTheBest,
            "After a NaN nothing improves any more: it has become your best loss, and no number lies below it.",
        ),
        Misconception(
            "NaN is skipped",
            _NaNIsSkipped,
            "You let a loss that is NaN or inf pass as if it had not been there. It is a loss without an improvement, "
            "and a dead run writes nothing else.",
        ),
        Misconception(
            "a NaN stops at once",
            _NaNStops,
            "You stop at the first NaN. A sound rule, but not this one: here a NaN is one loss without an improvement.",
        ),
        Misconception(
            "tiny gains move the best",
            _TinyGainsMoveTheBest,
            "Your best loss also moves by gains that do not count. A run that falls slowly but steadily is then "
            "stopped: the mark it has to beat runs away before it. When may the best one move?",
        ),
        Misconception(
            "min_delta is not used",
            _NoMinDelta,
            "Any gain counts as an improvement for you, however small. See `min_delta`.",
        ),
        Misconception(
            "min_delta on the wrong side",
            _MinDeltaAdded,
            "A loss that is a little *worse* than the best counts as an improvement for you. On which side of the best "
            "one does `min_delta` belong?",
        ),
        Misconception(
            "min_delta as a share",
            _Relative,
            "You ask for a gain that is a share of the best loss. `min_delta` is in nats.",
        ),
        Misconception(
            "an equal loss is enough",
            _EqualIsEnough,
            "A loss that is only just as far below the best as `min_delta` counts for you, with `min_delta` 0 even the "
            "same loss again. The docstring says *more* than that.",
        ),
        Misconception(
            "the count is never set back",
            _NeverReset,
            "You count all losses without an improvement since the start. They have to be in a row: what does an "
            "improvement do to the count?",
        ),
        Misconception(
            "says stop only once",
            _OnlyOnce,
            "After its first True your answer says False again, though nothing has improved.",
        ),
        Misconception(
            "counts anew after a stop",
            _CountsAnew,
            "After a True your count starts anew, though nothing has improved.",
        ),
        Misconception(
            "stops for ever",
            _ForEver,
            "After its first True your answer says nothing else. By the docstring an improvement starts the count "
            "anew, even then.",
        ),
        Misconception(
            "the best starts at zero",
            _FromZero,
            "Your best loss starts at 0, and no loss in nats will ever lie below it. Which number does every first "
            "loss beat?",
        ),
        Misconception(
            "higher is better",
            _HigherIsBetter,
            "You take a higher loss for the better one.",
        ),
        Misconception(
            "says go on",
            _Continues,
            "You return whether to go on. True means stop.",
        ),
        Misconception(
            "one state for all runs",
            _Shared,
            "Two runs side by side share your best loss and your count: they lie in the class. Where does the state of "
            "one object belong?",
        ),
    ),
)
