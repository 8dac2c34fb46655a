"""Answers to early_stopping whose worth is known, for `autograde audit`."""

import itertools
import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch

from autograde.audit import right, wrong


@right("week2.early_stopping")
class KeepsTheWholeHistory:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.history = patience, min_delta, []

    def step(self, val_loss):
        self.history.append(val_loss)
        best, last = float("inf"), -1
        for place, loss in enumerate(self.history):
            if best - loss > self.min_delta and loss == loss:
                best, last = loss, place
        return len(self.history) - 1 - last >= self.patience


@right("week2.early_stopping")
@dataclass
class CountsDown:
    patience: int
    min_delta: float = 0.0
    left: int = field(init=False)
    mark: float = field(default=math.inf, init=False)

    def __post_init__(self):
        self.left = self.patience

    def step(self, val_loss: float) -> bool:
        self.left -= 1
        if math.isfinite(val_loss) and val_loss < self.mark:
            self.left, self.mark = self.patience, val_loss - self.min_delta
        return self.left <= 0


@right("week2.early_stopping")
class AsksTorch:
    def __init__(self, patience, min_delta=0.0):
        self.bad = torch.zeros((), dtype=torch.long)
        self.best = torch.tensor(torch.inf, dtype=torch.float64)
        self.patience = patience
        self.delta = torch.as_tensor(min_delta, dtype=torch.float64)

    def step(self, val_loss):
        loss = torch.nan_to_num(torch.tensor(val_loss, dtype=torch.float64), nan=torch.inf, posinf=torch.inf)
        better = loss + self.delta < self.best
        self.best = torch.where(better, loss, self.best)
        self.bad = torch.where(better, 0, self.bad + 1)
        return bool(self.bad >= self.patience)


@right("week2.early_stopping")
class RemembersTheLastFlags:
    def __init__(self, patience, min_delta=0.0):
        self.flags = deque([True], maxlen=patience)
        self.delta, self.best = min_delta, np.inf

    def step(self, val_loss):
        gain = self.best - np.float64(val_loss)
        improved = bool(np.isfinite(val_loss) and gain > self.delta)
        if improved:
            self.best = val_loss
        self.flags.append(improved)
        return len(self.flags) == self.flags.maxlen and not any(self.flags)


@right("week2.early_stopping")
class RunsAGenerator:
    def __init__(self, patience, min_delta=0.0):
        self._coroutine = self._watch(patience, min_delta)
        next(self._coroutine)

    def step(self, val_loss):
        return self._coroutine.send(val_loss)

    @staticmethod
    def _watch(patience, min_delta):
        best, loss = math.inf, (yield)
        while True:
            waited = 0
            while not loss < best - min_delta:
                waited += 1
                loss = yield waited >= patience
            best = loss
            loss = yield False


@right("week2.early_stopping")
class KnowsItsSteps:
    def __init__(self, patience, min_delta=0.0):
        self.clock, self.since = itertools.count(1), 0
        self.rule = {"patience": patience, "delta": min_delta}
        self.best = None

    def improved(self, loss):
        if loss in (math.inf,) or loss != loss:
            return False
        return self.best is None or self.best - self.rule["delta"] > loss

    def step(self, loss):
        now = next(self.clock)
        if self.improved(loss):
            self.best = loss
            self.since = now
        return not (now - self.since < self.rule["patience"])


@right("week2.early_stopping")
def early_stopping_by_a_closure(patience, min_delta=0.0):
    class Stopper:
        pass

    stopper, best, waited = Stopper(), math.inf, 0

    def step(val_loss):
        nonlocal best, waited
        best, waited = (val_loss, 0) if best - val_loss > min_delta else (best, waited + 1)
        return waited >= patience

    stopper.step = step
    return stopper


@wrong("week2.early_stopping", "compared with the last loss")
class LooksAtTheSlope:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.losses = patience, min_delta, [math.inf]

    def step(self, val_loss):
        self.losses.append(val_loss)
        gains = [a - b > self.min_delta for a, b in itertools.pairwise(self.losses)]
        return len(gains) >= self.patience and not any(gains[-self.patience :])


@wrong("week2.early_stopping", "one too late")
class WaitsThenLooks:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.bad = np.inf, 0

    def step(self, val_loss):
        if val_loss < self.best - self.min_delta:
            self.best, self.bad = val_loss, 0
            return False
        stop = self.bad >= self.patience
        self.bad += 1
        return stop


@wrong("week2.early_stopping", "the count is never set back")
class AsASeedCodesIt:
    def __init__(self, patience, min_delta=0.0):
        self.left, self.delta, self.losses = patience, min_delta, []

    def step(self, val_loss):
        if val_loss < min(self.losses, default=math.inf) - self.delta:
            self.losses.append(val_loss)
        else:
            self.left = self.left - 1
        return self.left <= 0


@wrong("week2.early_stopping", "tiny gains move the best")
class AsTransformersTrainerDoes:
    """The best metric there is the trainer's own, which moves by any gain; the threshold only resets the counter."""

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.threshold = patience, min_delta
        self.best_metric, self.counter = None, 0

    def step(self, val_loss):
        first = self.best_metric is None and math.isfinite(val_loss)
        lower = not first and self.best_metric is not None and val_loss < self.best_metric
        if first or (lower and abs(val_loss - self.best_metric) > self.threshold):
            self.counter = 0
        else:
            self.counter += 1
        if first or lower:
            self.best_metric = val_loss
        return self.counter >= self.patience


@wrong("week2.early_stopping", "NaN counts as better")
class CountsOnlyWhatIsWorse:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.bad = patience, min_delta, math.inf, 0

    def step(self, val_loss):
        worse = val_loss >= self.best - self.min_delta
        self.bad = self.bad + 1 if worse else 0
        if not worse:
            self.best = val_loss
        return self.bad >= self.patience


@wrong("week2.early_stopping", "min_delta is not used")
class MinimumOfTheHistory:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.history = patience, [math.inf]

    def step(self, val_loss):
        self.history.append(val_loss if val_loss == val_loss else math.inf)
        return len(self.history) - 1 - int(np.argmin(self.history)) >= self.patience


@wrong("week2.early_stopping", "stops for ever")
class ADeadMan:
    def __init__(self, patience, min_delta=0.0):
        self.left = self.patience = patience
        self.best, self.delta = math.inf, min_delta

    def step(self, val_loss):
        if self.left <= 0:
            return True
        better = self.best - val_loss > self.delta
        self.best, self.left = (val_loss, self.patience) if better else (self.best, self.left - 1)
        return self.left == 0


_MEMORY = {"best": math.inf, "bad": 0}


@wrong("week2.early_stopping")
class KeepsItsStateOutside:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        _MEMORY.update(best=math.inf, bad=0)

    def step(self, val_loss):
        if val_loss < _MEMORY["best"] - self.min_delta:
            _MEMORY.update(best=val_loss, bad=0)
        else:
            _MEMORY["bad"] += 1
        return _MEMORY["bad"] >= self.patience


@wrong("week2.early_stopping")
class TheWindowBefore:
    """Compares the last `patience` losses with those before them, by their means."""

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.losses = patience, min_delta, []

    def step(self, val_loss):
        self.losses.append(val_loss)
        old, new = self.losses[: -self.patience], self.losses[-self.patience :]
        return bool(old) and sum(new) / len(new) > sum(old) / len(old) - self.min_delta


@wrong("week2.early_stopping")
class ReturnsTheCount:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.bad = patience, min_delta, math.inf, 0

    def step(self, val_loss):
        if val_loss < self.best - self.min_delta:
            self.best, self.bad = val_loss, 0
        else:
            self.bad += 1
        return self.bad


@wrong("week2.early_stopping")
class NeverStops:
    def __init__(self, patience, min_delta=0.0):
        self.patience = patience

    def step(self, val_loss):
        return False


@wrong("week2.early_stopping")
class StopsAtOnce:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.calls = patience, 0

    def step(self, val_loss):
        self.calls += 1
        return self.calls > self.patience


@wrong("week2.early_stopping")
class RaisesAtNaN:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.bad = patience, min_delta, math.inf, 0

    def step(self, val_loss):
        if not math.isfinite(val_loss):
            raise ValueError("the loss is not finite")
        better = val_loss < self.best - self.min_delta
        self.best, self.bad = (val_loss, 0) if better else (self.best, self.bad + 1)
        return self.bad >= self.patience


@wrong("week2.early_stopping")
class MinDeltaOfADefault:
    def __init__(self, patience, min_delta=1e-3):
        self.patience, self.min_delta, self.best, self.bad = patience, min_delta, math.inf, 0

    def step(self, val_loss):
        better = val_loss < self.best - self.min_delta
        self.best, self.bad = (val_loss, 0) if better else (self.best, self.bad + 1)
        return self.bad >= self.patience
