"""week0.practice: the first check: read a hint and mend an answer."""

import torch
from torch import nn

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import normal


def _practice_cases(rng):
    yield Case("a list of values", {"values": normal(rng, 5) + 1})
    yield Case("negative values", {"values": -normal(rng, 4).abs() - 0.5})
    yield Case("a table of values", {"values": normal(rng, 3, 4, scale=3)})
    yield Case("all zeros", {"values": torch.zeros(3)}, edge=True)


PRACTICE = Exercise(
    id="week0.practice",
    title="Read a failed check",
    points=0,
    minutes=5,
    why="Every check in this course reads like this one, and so does every bug report you will write.",
    oracle="torch.nn.functional.mse_loss against zeros",
    cases=_practice_cases,
    expected=lambda i: nn.functional.mse_loss(i["values"], torch.zeros_like(i["values"])),
    misconceptions=(
        Misconception(
            "square of the mean",
            lambda values: values.mean() ** 2,
            "You square the mean, where positive and negative values have already cancelled: {got} instead of "
            "{expected}. Which of the two comes first?",
        ),
        Misconception(
            "sum of squares",
            lambda values: (values**2).sum(),
            "Your result grows with the number of values: {got} instead of {expected}.",
        ),
        Misconception(
            "root of the mean square",
            lambda values: (values**2).mean().sqrt(),
            "You go one step too far: {got} is in the unit of the values, not of their squares.",
        ),
        Misconception(
            "mean of absolute values",
            lambda values: values.abs().mean(),
            "Your values lose their sign, but are they squared? {got} instead of {expected}.",
        ),
    ),
)
