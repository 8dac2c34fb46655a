"""week0.center_rows: broadcasting and keepdim."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integers, normal


def _center_cases(rng):
    yield Case("a wide table", {"x": normal(rng, 3, 5, scale=2) + 1})
    yield Case("a square table", {"x": normal(rng, 4, 4) + integers(rng, 1, 9, 4, 1)})
    yield Case("a tall table", {"x": normal(rng, 6, 2) - 3})
    yield Case("one column", {"x": normal(rng, 3, 1)}, edge=True)


CENTER_ROWS = Exercise(
    id="week0.center_rows",
    title="Centre the rows",
    points=0,
    minutes=5,
    why="LayerNorm begins with this line, and a square batch hides the mistake in it.",
    oracle="torch.Tensor.mean, row by row",
    cases=_center_cases,
    expected=lambda i: torch.stack([row - row.mean() for row in i["x"]]),
    misconceptions=(
        Misconception(
            "the reduced dimension is dropped",
            lambda x: x - x.mean(dim=1),
            "On a square table your line runs, yet the mean of row i is taken off column i. Print the shape of the "
            "means, write it under the shape of x from the right, and look for an argument of `mean` that keeps a "
            "dimension.",
        ),
        Misconception(
            "columns instead of rows",
            lambda x: x - x.mean(dim=0, keepdim=True),
            "Now every column sums to zero. Which dimension should disappear in the mean of a row?",
        ),
        Misconception(
            "one mean for the whole table",
            lambda x: x - x.mean(),
            "You take the same number off every row, but each row has a mean of its own.",
        ),
        Misconception(
            "divided by the standard deviation too",
            lambda x: (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True),
            "The rows are centred, and also rescaled: only the mean was asked for.",
        ),
    ),
)
