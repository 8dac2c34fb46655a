"""week1.read_curve: read a logged run."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform

# The log of the document that this exercise grew from: its own answers to it are among the misconceptions.
LOG_STEPS = [1, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900]
LOG_LOSSES = [5.472, 5.801, 5.234, 4.567, 4.123, 3.889, 3.756, 3.689, 3.645, 3.621, 3.609]

KEYS = ("spike", "recovered_at", "best_step", "tail_slope", "warmup_end", "decay_start")


def _read_probe(target, inputs):
    def read(steps, losses):
        key, result = inputs["key"], target(steps, losses)
        if not isinstance(result, dict):
            raise TypeError(f"expected a dict, got a {type(result).__name__}")
        if key not in result:
            raise KeyError(f"{key} is missing from the dict")
        return result[key].item() if hasattr(result[key], "item") else result[key]

    return {name: read(log["steps"], log["losses"]) for name, log in inputs.items() if name != "key"}


def _observed(inputs, seen):
    key = inputs["key"]

    def read(value, steps, losses):
        if key in ("warmup_end", "decay_start"):
            return guess(value, steps, losses)
        whole = key in ("recovered_at", "best_step") and isinstance(value, float) and value.is_integer()
        return int(value) if whole else value  # a step is a step, 900 or 900.0

    def guess(value, steps, losses):
        """Any number is a guess; which of the usual ones it is."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return value
        peak = steps[losses.index(max(losses))]
        if key == "warmup_end":
            return "a step, where the loss peaks" if value == peak else "a step"
        return "a step, at 80 %" if abs(value - 0.8 * steps[-1]) <= 1 else "a step"

    return {name: read(seen[name], log["steps"], log["losses"]) for name, log in inputs.items() if name != "key"}


def _logs(rng):
    """name → (steps, losses), each with another trap."""
    yield "the log of the lesson", LOG_STEPS, LOG_LOSSES

    def fall(start, n):
        losses = [start]
        for _ in range(n - 1):
            losses.append(round(losses[-1] - uniform(rng, 0.02, 0.3), 3))
        return losses

    def steps(n):
        marks = [1]
        for _ in range(n - 1):
            marks.append(marks[-1] + integer(rng, 7, 60))
        return marks

    losses = fall(uniform(rng, 5, 6), 9)
    losses[-1] = round(losses[-2] + 0.03, 3)  # the best step is not the last
    yield "a log without a spike", steps(9), losses

    start = uniform(rng, 5, 6)
    dip, peak = round(start - 0.2, 3), round(start + uniform(rng, 0.3, 0.9), 3)
    slow = [round(start + 0.1, 3), start, *fall(round(start - 0.4, 3), 4)]
    slow[-1] = round(slow[-2] + 0.05, 3)
    yield "a dip, a spike, a slow way back", steps(9), [start, dip, peak, *slow]

    rising = [uniform(rng, 2, 3)]
    for _ in range(5):
        rising.append(round(rising[-1] + uniform(rng, 0.2, 0.9), 3))
    rising[1] = round(rising[0] - 0.1, 3)
    yield "a run that diverges", steps(6), rising


def _read_cases(rng):
    """A case for each key: it counts only where it is right in every log, so that no constant earns anything."""
    logs = {name: {"steps": steps, "losses": losses} for name, steps, losses in _logs(rng)}
    for key in KEYS:
        schedule = key in ("warmup_end", "decay_start")
        yield Case(f'"{key}"', {"key": key, **logs}, weight=0.5 if schedule else 1.0, edge=schedule)


def _expected_readings(inputs):
    logs = {name: log for name, log in inputs.items() if name != "key"}
    return {name: _true_reading(log["steps"], log["losses"])[inputs["key"]] for name, log in logs.items()}


def _true_reading(steps, losses):
    steps, losses = torch.tensor(steps), torch.tensor(losses, dtype=torch.float64)
    back = (losses <= losses[0]) & (steps >= steps[losses.argmax()])
    return {
        "spike": float(losses.max() - losses[0]),
        "recovered_at": int(steps[back][0]) if back.any() else None,
        "best_step": int(steps[losses.argmin()]),
        "tail_slope": float((losses[-1] - losses[-3]) / (steps[-1] - steps[-3]) * 100),
        "warmup_end": None,
        "decay_start": None,
    }


def _misread(**wrong):
    """The true reading with some keys read wrongly: key = function of (steps, losses)."""

    def read_curve(steps, losses):
        return _true_reading(steps, losses) | {key: read(steps, losses) for key, read in wrong.items()}

    return read_curve


def _peak_step(steps, losses):
    return steps[losses.index(max(losses))]


def _first_return(steps, losses):
    return next((s for s, loss in zip(steps[1:], losses[1:], strict=True) if loss <= losses[0]), None)


READ_CURVE = Exercise(
    id="week1.read_curve",
    title="Read a logged run",
    points=2,
    minutes=12,
    why="A run is judged by its log; what the log cannot show is the most expensive thing to guess.",
    oracle="computed from the log by torch",
    cases=_read_cases,
    probe=_read_probe,
    observe=_observed,
    expected=_expected_readings,
    misconceptions=(
        Misconception(
            "the height of the peak",
            _misread(spike=lambda steps, losses: max(losses)),
            "Your spike is the highest loss itself. How far is that above where the run began?",
        ),
        Misconception(
            "the spike is over at its peak",
            _misread(recovered_at=_peak_step),
            "At its peak the loss has only stopped rising. The spike is over when the loss is back where it started.",
        ),
        Misconception(
            "a dip before the spike",
            _misread(recovered_at=_first_return),
            "You look for the way back from the start of the log, and find a dip before the spike, or nothing to come "
            "back from. From which entry on can a spike be over?",
        ),
        Misconception(
            "row number instead of step",
            _misread(best_step=lambda steps, losses: losses.index(min(losses))),
            "You return a row of the log. Which step was logged there?",
        ),
        Misconception(
            "the last step is the best",
            _misread(best_step=lambda steps, losses: steps[-1]),
            "You take the last step for the best one. The log itself says which it is.",
        ),
        Misconception(
            "a change, not a slope",
            _misread(tail_slope=lambda steps, losses: losses[-1] - losses[-3]),
            "You return the change between two entries. A slope also needs the number of steps between them.",
        ),
        Misconception(
            "per step",
            _misread(tail_slope=lambda steps, losses: (losses[-1] - losses[-3]) / (steps[-1] - steps[-3])),
            "Your slope is the change for one step; it was asked for a hundred.",
        ),
        Misconception(
            "the sign of the slope",
            _misread(tail_slope=lambda steps, losses: 100 * (losses[-3] - losses[-1]) / (steps[-1] - steps[-3])),
            "Your slope has the wrong sign: where the loss falls, its change is negative.",
        ),
        Misconception(
            "warm-up ends where the loss peaks",
            _misread(warmup_end=_peak_step),
            "A warm-up is a matter of the learning rate, and this log has no learning rate in it. Many schedules give "
            "such a peak.",
        ),
        Misconception(
            "decay begins at 80 %",
            _misread(decay_start=lambda steps, losses: round(0.8 * steps[-1])),
            "80 % of the run is a habit of some schedules, not something that these losses show: a slower fall has "
            "other causes too.",
        ),
        *(
            Misconception(
                "a schedule read off the losses",
                _misread(**{key: lambda steps, losses: -9 for key in keys}),
                "The losses cannot show the schedule: no learning rate is in this log, and many schedules give such a "
                "curve. What does the docstring ask for where losses cannot tell?",
            )
            for keys in (("warmup_end",), ("decay_start",), ("warmup_end", "decay_start"))
        ),
    ),
)
