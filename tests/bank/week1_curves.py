"""Answers to ema and read_curve whose worth is known, for `autograde audit`."""

import functools
import itertools
import operator
from dataclasses import asdict, dataclass

import numpy as np
import torch

from autograde.audit import right, wrong

# --- ema --------------------------------------------------------------------------------------------------------------


@right("week1.ema")
def ema_by_weights(values, beta):
    n = len(values)
    age = torch.arange(n)[:, None] - torch.arange(n)[None, :]
    weights = torch.where(age >= 0, torch.tensor(beta, dtype=torch.float64) ** age.clamp(min=0), 0.0)
    return weights @ values.double() / weights.sum(1)


@right("week1.ema")
def ema_as_running_sums(values, beta):
    out, top, bottom = torch.empty_like(values), 0.0, 0.0
    for i, value in enumerate(values):
        top, bottom = beta * top + value, beta * bottom + 1
        out[i] = top / bottom
    return out.requires_grad_()


@right("week1.ema")
def ema_by_accumulate(values, beta):
    averages = itertools.accumulate(values.tolist(), lambda old, new: beta * old + (1 - beta) * new, initial=0.0)
    corrections = 1 - beta ** np.arange(1, len(values) + 1)
    return np.array(list(averages)[1:]) / corrections


class _Average:
    """A running average that knows how many values have gone in."""

    def __init__(self, beta: float):
        self.beta, self.average, self.count = beta, 0.0, 0

    def __call__(self, value: float) -> float:
        self.count += 1
        self.average += (1 - self.beta) * (value - self.average)
        return self.average / (1 - self.beta**self.count)


@right("week1.ema")
def ema_by_an_object(values, beta):
    average = _Average(beta)
    return [average(value) for value in values.tolist()]


@right("week1.ema")
def ema_by_recursion(values, beta):
    @functools.cache
    def plain(t):
        return 0.0 if t < 0 else beta * plain(t - 1) + (1 - beta) * values[t].item()

    return torch.tensor([plain(t) / (1 - beta ** (t + 1)) for t in range(values.numel())])


@right("week1.ema")
def ema_by_a_generator(values, beta):
    def smooth():
        average, missing = 0.0, 1.0
        for value in values:
            average = torch.lerp(value.double(), torch.as_tensor(average, dtype=torch.float64), beta)
            yield average / (1 - (missing := missing * beta))

    return torch.stack(tuple(smooth()))


@right("week1.ema")
def ema_by_convolution(values, beta):
    weights = beta ** torch.arange(len(values), dtype=torch.float64)
    padded = torch.nn.functional.pad(values.double(), (len(values) - 1, 0))
    sums = torch.nn.functional.conv1d(padded[None, None], weights.flip(0)[None, None])
    return sums.flatten() / weights.cumsum(0)


@wrong("week1.ema", "no correction")
def lerp_from_zero(values, beta):
    average, out = torch.zeros(()), []
    for value in values:
        average = torch.lerp(value, average, beta)
        out.append(average)
    return torch.stack(out)


@wrong("week1.ema", "corrected with the final length")
def last_one_right(values, beta):
    n = len(values)
    out = [sum(beta ** (t - i) * float(values[i]) for i in range(t + 1)) for t in range(n)]
    return torch.tensor(out) / sum(beta**i for i in range(n))


@wrong("week1.ema", "started at the first value")
def first_value_as_start(values, beta):
    out = [values[0]]
    for value in values[1:]:
        out.append(out[-1] * beta + value * (1 - beta))
    return torch.stack(out)


@wrong("week1.ema", "beta and 1 - beta swapped")
def alpha_taken_for_beta(values, beta):
    out, top, bottom = [], 0.0, 0.0
    for value in values.tolist():
        top, bottom = (1 - beta) * top + beta * value, (1 - beta) * bottom + beta
        out.append(top / bottom if bottom else 1 / 0)
    return out


@wrong("week1.ema")
def swapped_in_one_place(values, beta):
    average, out = 0.0, []
    for t, value in enumerate(values.tolist(), 1):
        average = (1 - beta) * average + beta * value
        out.append(average / (1 - beta**t))
    return out


@wrong("week1.ema")
def moving_mean(values, beta):
    return values.cumsum(0) / torch.arange(1, len(values) + 1)


@wrong("week1.ema")
def last_entry_alone(values, beta):
    average = 0.0
    for value in values.tolist():
        average = beta * average + (1 - beta) * value
    return average / (1 - beta ** len(values))


@wrong("week1.ema", "one step too many")
def length_after_the_next_value(values, beta):
    averages = itertools.accumulate(values.tolist(), lambda old, new: beta * old + (1 - beta) * new, initial=0.0)
    return np.array(list(averages)[1:]) / (1 - beta ** np.arange(2, len(values) + 2))


@wrong("week1.ema", "the corrected value fed back")
def correction_carried_along(values, beta):
    out, power = [0.0], 1.0
    for value in values.tolist():
        power *= beta
        out.append((out[-1] * beta + value * (1 - beta)) / (1 - power))
    return out[1:]


# --- read_curve -------------------------------------------------------------------------------------------------------


def _reading(steps, losses):
    x, y = np.array(steps), np.array(losses)
    peak = y.argmax()
    back = np.flatnonzero(y[peak:] <= y[0])
    return {
        "spike": y.max() - y[0],
        "recovered_at": int(x[peak + back[0]]) if len(back) else None,
        "best_step": x[y.argmin()],
        "tail_slope": (y[-1] - y[-3]) / ((x[-1] - x[-3]) / 100),
        "warmup_end": None,
        "decay_start": None,
    }


@right("week1.read_curve")
def read_by_numpy(steps, losses):
    return _reading(steps, losses)


@right("week1.read_curve")
def read_by_one_loop(steps, losses):
    first = highest = lowest = losses[0]
    back, best = steps[0], steps[0]
    for step, loss in zip(steps, losses, strict=True):
        if loss > highest:
            highest, back = loss, None
        elif back is None and loss <= first:
            back = step
        if loss < lowest:
            lowest, best = loss, step
    rise, run = losses[-1] - losses[-3], steps[-1] - steps[-3]
    facts = {"best_step": best, "spike": highest - first, "recovered_at": back, "tail_slope": rise / run * 1e2}
    return {**facts, "decay_start": None, "warmup_end": None, "note": "more keys do no harm"}


@right("week1.read_curve")
def read_by_torch(steps, losses):
    x, y = torch.tensor(steps, dtype=torch.float64), torch.tensor(losses, dtype=torch.float64, requires_grad=True)
    later = torch.arange(len(y)) >= y.argmax()
    back = x[later & (y <= y[0])]
    return {
        "spike": torch.relu(y - y[0]).max(),
        "recovered_at": back.min() if len(back) else None,
        "best_step": x[y.argmin()],
        "tail_slope": 100 * torch.diff(y[[-3, -1]]) / torch.diff(x[[-3, -1]]),
        "warmup_end": None,
        "decay_start": None,
    }


@dataclass
class _Facts:
    spike: float = 0.0
    recovered_at: int | None = None
    best_step: int = 0
    tail_slope: float = 0.0
    warmup_end: int | None = None
    decay_start: int | None = None


@right("week1.read_curve")
def read_into_a_dataclass(steps, losses):
    facts, log = _Facts(), list(zip(steps, losses, strict=True))
    _, facts.best_step = min((loss, step) for step, loss in log)
    top = max(range(len(log)), key=lambda row: log[row][1])
    facts.spike = log[top][1] - log[0][1]
    while top < len(log) and log[top][1] > log[0][1]:
        top += 1
    facts.recovered_at = log[top][0] if top < len(log) else None
    (x0, y0), _, (x1, y1) = log[-3:]
    facts.tail_slope = (y1 - y0) / (x1 - x0) * 100
    return asdict(facts)


@right("week1.read_curve")
def read_lazily(steps, losses):
    first, *_ = losses
    at = dict(zip(steps, losses, strict=True))
    highest, lowest = max(at, key=at.get), min(at, key=at.get)
    after = itertools.dropwhile(lambda step: step < highest, steps)
    return dict(
        spike=at[highest] - first,
        recovered_at=next((step for step in after if at[step] <= first), None),
        best_step=lowest,
        tail_slope=100.0 * operator.sub(losses[-1], losses[-3]) / operator.sub(steps[-1], steps[-3]),
        warmup_end=None,
        decay_start=None,
    )


@right("week1.read_curve")
def read_one_key_at_a_time(steps, losses):
    def read(key):
        match key:
            case "spike":
                return max(loss - losses[0] for loss in losses)
            case "best_step":
                return sorted(zip(losses, steps, strict=True))[0][1]
            case "tail_slope":
                hundreds = (steps[-1] - steps[-3]) / 100
                return (losses[-1] - losses[-3]) / hundreds
            case "recovered_at":
                rows = range(losses.index(max(losses)), len(losses))
                return min((steps[row] for row in rows if losses[row] <= losses[0]), default=None)
        return None

    keys = "spike recovered_at best_step tail_slope warmup_end decay_start".split()
    return {key: read(key) for key in keys}


@wrong("week1.read_curve", "warm-up ends where the loss peaks")
def seed_answer_1(steps, losses):
    """'Around step 50 (loss spike peaks, then rapid decrease begins)'"""
    return _reading(steps, losses) | {"warmup_end": steps[int(np.argmax(losses))]}


@wrong("week1.read_curve", "the spike is over at its peak")
def seed_answer_2(steps, losses):
    """'from 5.472 to 5.801 (steps 1-50)'"""
    return _reading(steps, losses) | {"recovered_at": max(zip(losses, steps, strict=True))[1]}


@wrong("week1.read_curve", "decay begins at 80 %")
def seed_answer_3(steps, losses):
    """'80 % of total steps, loss decrease slows'"""
    return _reading(steps, losses) | {"decay_start": int(steps[-1] * 8 / 10 + 0.5)}


@wrong("week1.read_curve", "a schedule read off the losses")
def seed_answer_3_as_written(steps, losses):
    """'Around step 640 (80 % of 800 total steps)', in a log that reaches 900"""
    return _reading(steps, losses) | {"decay_start": 640}


@wrong("week1.read_curve", "a change, not a slope")
def seed_answer_4(steps, losses):
    """'-0.036 over 200 steps'"""
    return _reading(steps, losses) | {"tail_slope": -(losses[-3] - losses[-1])}


@wrong("week1.read_curve")
def every_answer_of_the_seed(steps, losses):
    peak = int(np.argmax(losses))
    wrong = {"warmup_end": steps[peak], "decay_start": round(0.8 * steps[-1]), "tail_slope": losses[-1] - losses[-3]}
    return _reading(steps, losses) | wrong


@wrong("week1.read_curve", "row number instead of step")
def rows_for_steps(steps, losses):
    return _reading(steps, losses) | {"best_step": int(np.argmin(losses))}


@wrong("week1.read_curve")
def slope_of_the_last_two(steps, losses):
    return _reading(steps, losses) | {"tail_slope": 100 * (losses[-1] - losses[-2]) / (steps[-1] - steps[-2])}


@wrong("week1.read_curve")
def slope_by_least_squares(steps, losses):
    return _reading(steps, losses) | {"tail_slope": 100 * np.polyfit(steps, losses, 1)[0]}


@wrong("week1.read_curve")
def spike_counted_from_the_lowest(steps, losses):
    return _reading(steps, losses) | {"spike": max(losses) - min(losses)}


@wrong("week1.read_curve")
def recovered_strictly_below(steps, losses):
    peak = losses.index(max(losses))
    below = [s for s, loss in zip(steps[peak:], losses[peak:], strict=True) if loss < losses[0]]
    return _reading(steps, losses) | {"recovered_at": below[0] if below else None}


@wrong("week1.read_curve")
def keys_forgotten(steps, losses):
    return {"spike": max(losses) - losses[0]}


@wrong("week1.read_curve", "a schedule read off the losses")
def steps_zero_for_unknown(steps, losses):
    return _reading(steps, losses) | {"warmup_end": 0, "decay_start": 0}


@wrong("week1.read_curve", "a schedule read off the losses")
def warmup_of_a_tenth(steps, losses):
    return _reading(steps, losses) | {"warmup_end": round(0.1 * steps[-1]) + 20}


@wrong("week1.read_curve", "the sign of the slope")
def slope_as_a_fall(steps, losses):
    return _reading(steps, losses) | {"tail_slope": -100 * (losses[-1] - losses[-3]) / (steps[-1] - steps[-3])}


@wrong("week1.read_curve")
def losses_sorted(steps, losses):
    reading = _reading(steps, losses)
    losses.sort()
    return reading


@wrong("week1.read_curve")
def a_dict_of_guesses(steps, losses):
    guesses = {"spike": 0.0, "recovered_at": steps[0], "best_step": steps[-1], "tail_slope": 0.0}
    return {**guesses, "warmup_end": None, "decay_start": None}


@wrong("week1.read_curve")
def none_everywhere(steps, losses):
    return dict.fromkeys(_reading(steps, losses))


@wrong("week1.read_curve")
def the_lesson_by_heart(steps, losses):
    known = {"spike": 0.329, "recovered_at": 100, "best_step": 900, "tail_slope": -0.018}
    return {**known, "warmup_end": None, "decay_start": None}
