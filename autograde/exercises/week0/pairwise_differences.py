"""week0.pairwise_differences: broadcasting two axes against each other."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import normal


def _difference_cases(rng):
    yield Case("three against five", {"a": normal(rng, 3), "b": normal(rng, 5)})
    yield Case("four against four", {"a": normal(rng, 4), "b": normal(rng, 4) + 1})
    yield Case("five against two", {"a": normal(rng, 5), "b": normal(rng, 2)})
    yield Case("one against one", {"a": normal(rng, 1), "b": normal(rng, 1)}, edge=True)


PAIRWISE_DIFFERENCES = Exercise(
    id="week0.pairwise_differences",
    title="A table of differences",
    points=0,
    minutes=5,
    why="Masks, distances and attention scores are all made this way: two lists, one table, no loop.",
    oracle="numpy.subtract.outer",
    cases=_difference_cases,
    expected=lambda i: torch.stack([x - i["b"] for x in i["a"]]),
    misconceptions=(
        Misconception(
            "the table lies on its side",
            lambda a, b: a[None, :] - b[:, None],
            "Your rows belong to b and your columns to a: the new dimensions are in each other's place.",
        ),
        Misconception(
            "the other way round",
            lambda a, b: b[None, :] - a[:, None],
            "The table has the right form but the wrong sign.",
        ),
        Misconception(
            "element by element",
            lambda a, b: a - b,
            "Your line subtracts two lists element by element. Each list needs one more dimension before you subtract.",
        ),
        Misconception(
            "distances instead of differences",
            lambda a, b: (a[:, None] - b[None, :]).abs(),
            "A difference has a sign, and yours lost it.",
        ),
    ),
)
