"""week5.bias_correction: a running mean freed from the zero that it began with."""

import math

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform


def _correction_cases(rng):
    def case(name, beta, step, *shape, **options):
        return Case(name, {"moment": normal(rng, shape), "beta": beta, "step": step}, **options)

    yield case("the first step", uniform(rng, 0.8, 0.95), 1, 4)
    yield case("a few steps", uniform(rng, 0.6, 0.9), integer(rng, 3, 6), 2, 3)
    yield case("a slow mean, early", 0.999, integer(rng, 2, 9), 3)
    yield case("a slow mean, after a hundred steps", 0.999, integer(rng, 90, 120), 3)
    yield case("a fast mean", uniform(rng, 0.1, 0.3), 2, 3)
    yield case("one number", 0.9, integer(rng, 2, 9))
    yield Case("float64", {"moment": normal(rng, 3).double(), "beta": 0.99, "step": integer(rng, 20, 50)})
    yield case("long after", 0.9, 100_000, 3, edge=True)
    yield case("no memory at all", 0.0, integer(rng, 1, 4), 3, edge=True)


def _corrected(inputs):
    """Divided by the sum of the weights that the values have: (1 - beta) * beta ** age."""
    beta, step = inputs["beta"], inputs["step"]
    weights = [(1 - beta) * beta**age for age in range(min(step, 2000))]
    return inputs["moment"].double() / math.fsum(weights)


BIAS_CORRECTION = Exercise(
    id="week5.bias_correction",
    title="Bias correction",
    points=1,
    minutes=3,
    why="A mean that starts at zero is far too small at first; AdamW's first steps stand or fall with this line.",
    oracle="the sum of the weights that the values have in the mean",
    cases=_correction_cases,
    expected=_corrected,
    tolerance=Tolerance(3e-4, 1e-6),
    misconceptions=(
        Misconception(
            "the step counted from 0",
            lambda moment, beta, step: moment / (1 - beta ** (step + 1)),
            "You correct for one update more than there was: `step` is 1 after the first update.",
        ),
        Misconception(
            "one update too few",
            lambda moment, beta, step: moment / (1 - beta ** (step - 1)) if step > 1 else moment * math.inf,
            "You correct for one update fewer than there was, and at step 1 you divide by zero. `step` counts the "
            "updates that `moment` has had.",
        ),
        Misconception(
            "one update too few, the first left alone",
            lambda moment, beta, step: moment / (1 - beta ** (step - 1)) if step > 1 else moment,
            "You correct for one update fewer than there was, and leave the first alone. After one update the mean is "
            "(1 - beta) * value: what makes it the value?",
        ),
        Misconception(
            "the first step's factor for ever",
            lambda moment, beta, step: moment / (1 - beta),
            "You divide by 1 - beta at every step. That is right after one update; later the zero has faded, and so "
            "should the correction.",
        ),
        Misconception(
            "multiplied",
            lambda moment, beta, step: moment * (1 - beta**step),
            "Your correction makes the mean smaller. It is too small already.",
        ),
        Misconception(
            "no power",
            lambda moment, beta, step: moment / (1 - beta * step),
            "The weight of the starting zero shrinks by the factor beta at *each* update. What is left after several?",
        ),
        Misconception(
            "what is left of the zero",
            lambda moment, beta, step: moment / beta**step if beta else moment * math.inf,
            "beta ** step is the weight that the starting zero still has. Which part belongs to the values?",
        ),
        Misconception(
            "base and power swapped",
            lambda moment, beta, step: moment / (1 - step**beta) if step > 1 and beta else moment * math.inf,
            "You raise the step to the power beta. Which of the two numbers is multiplied by itself?",
        ),
        Misconception(
            "nothing corrected",
            lambda moment, beta, step: moment + 0.0,
            "You return the mean as it was. After one update of a mean with beta 0.9, which part of the value is it?",
        ),
    ),
)
