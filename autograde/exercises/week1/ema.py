"""week1.ema: smooth a noisy curve."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import normal, uniform


def _noisy_curve(rng, n):
    """A loss that falls from about 5.5 to about 2.5, with noise."""
    return 2.5 + 3 * torch.exp(-torch.arange(n) / (n / 3)) + normal(rng, n, scale=0.3)


def _ema_cases(rng):
    yield Case("a short curve", {"values": _noisy_curve(rng, 5), "beta": uniform(rng, 0.6, 0.9)})
    yield Case("a long curve, heavily smoothed", {"values": _noisy_curve(rng, 120), "beta": uniform(rng, 0.95, 0.99)})
    yield Case("a curve that crosses zero", {"values": normal(rng, 8, scale=2), "beta": uniform(rng, 0.2, 0.4)})
    yield Case("a flat curve stays flat", {"values": torch.full((6,), uniform(rng, 1, 5)), "beta": 0.9}, edge=True)
    yield Case("one value", {"values": _noisy_curve(rng, 1), "beta": 0.9}, edge=True)
    yield Case("beta 0 gives the values back", {"values": _noisy_curve(rng, 4), "beta": 0.0}, edge=True)


def _weighted_means(inputs):
    """Entry t: the mean of values[: t + 1] with weights beta ** age. What pandas calls ewm(alpha=1 - beta).mean()."""
    values, beta = inputs["values"].double(), inputs["beta"]
    age = torch.arange(len(values)).flip(0)
    weights = torch.tensor(beta, dtype=torch.float64) ** age
    n = len(values)
    return torch.stack([(values[:t] * weights[n - t :]).sum() / weights[n - t :].sum() for t in range(1, n + 1)])


def _averages(values, beta, start=0.0, steps=None):
    average, smooth = start, []
    for step, value in enumerate(values.tolist(), 1):
        average = beta * average + (1 - beta) * value
        smooth.append(average / (1 - beta ** steps(step, len(values))) if steps else average)
    return smooth


def _fed_back(values, beta):
    average, smooth = 0.0, []
    for step, value in enumerate(values.tolist(), 1):
        average = (beta * average + (1 - beta) * value) / (1 - beta**step)
        smooth.append(average)
    return smooth


EMA = Exercise(
    id="week1.ema",
    title="Smooth a noisy curve",
    points=2,
    minutes=8,
    why="A smoothed curve without the correction shows a spike or a dip at the start that the run never had.",
    oracle="pandas' ewm(alpha=1 - beta).mean(), written out",
    cases=_ema_cases,
    expected=_weighted_means,
    misconceptions=(
        Misconception(
            "no correction",
            lambda values, beta: _averages(values, beta),
            "Your curve starts far too low: the average begins at zero, and its first entries still feel that.",
        ),
        Misconception(
            "beta and 1 - beta swapped",
            lambda values, beta: _averages(values, 1 - beta, steps=lambda t, n: t),
            "A larger beta smooths less in your answer. Which weight belongs to the past, which to the new value?",
        ),
        Misconception(
            "corrected with the final length",
            lambda values, beta: _averages(values, beta, steps=lambda t, n: n),
            "You divide every entry by the same number, which is right for the last entry alone. How many values have "
            "gone into entry t?",
        ),
        Misconception(
            "started at the first value",
            lambda values, beta: _averages(values, beta, start=values[0].item()),
            "You start from the first value, so it keeps far more weight than the others. Start from zero and correct.",
        ),
        Misconception(
            "steps counted from zero",
            lambda values, beta: _averages(values, beta, steps=lambda t, n: t - 1),
            "The first entry divides by zero: at the first value one value has gone in, not none.",
        ),
        Misconception(
            "one step too many",
            lambda values, beta: _averages(values, beta, steps=lambda t, n: t + 1),
            "Your correction is too weak at the start: at the first value one value has gone in, not two.",
        ),
        Misconception(
            "the corrected value fed back",
            _fed_back,
            "Your average goes on from the corrected value, so each correction is corrected again. Keep two numbers: "
            "the average, and what you report of it.",
        ),
    ),
)
