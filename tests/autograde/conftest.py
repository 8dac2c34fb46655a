"""One small exercise of our own, so that the core is tested apart from any week."""

import pytest
import torch

from autograde import oracle
from autograde.exercise import Case, Exercise, Misconception


def mean_cases(rng):
    for width in (3, 5):
        yield Case(f"{width} columns", {"x": torch.randn(4, width, generator=rng)})
    yield Case("no rows", {"x": torch.empty(0, 3)}, edge=True)


def sum_of_rows(x):
    return x.sum(0)


@pytest.fixture
def mean_exercise():
    """`mean_rows(x)`: the mean over the rows, NaN without any."""
    return Exercise(
        id="week1.mean_rows",
        title="Mean of rows",
        points=2,
        minutes=3,
        why="",
        oracle="torch.mean",
        cases=mean_cases,
        expected=lambda inputs: inputs["x"].mean(0),
        misconceptions=(
            Misconception("sums", sum_of_rows, "A sum grows with the number of rows."),
            Misconception("columns", lambda x: x.mean(1), "That is one mean a row: {got}"),
        ),
        library=("aten.mean",),
    )


@pytest.fixture
def grade(mean_exercise, monkeypatch):
    """grade(target) → the verdict on the small exercise; it is also what `find` gives for its id."""
    monkeypatch.setattr(oracle, "find", lambda exercise_id: mean_exercise)
    return lambda target, seed=0: oracle.run("week1.mean_rows", target, seed=seed)
