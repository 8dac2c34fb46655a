"""What holds around an answer: nothing that it or the notebook sets reaches another answer, and refusals are clear."""

import dataclasses
import os
import random
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograde import guard, oracle
from tests.autograde.test_oracle import right

STATE = {
    "default dtype": torch.get_default_dtype,
    "default device": torch.get_default_device,
    "grad mode": torch.is_grad_enabled,
    "threads": torch.get_num_threads,
    "deterministic": torch.are_deterministic_algorithms_enabled,
    "anomaly": torch.is_anomaly_enabled,
    "matmul precision": torch.get_float32_matmul_precision,
    "numpy errors": np.geterr,
    "recursion": sys.getrecursionlimit,
    "folder": os.getcwd,
    "torch random": lambda: torch.get_rng_state().tolist(),
    "random": random.getstate,
    "numpy random": lambda: str(np.random.get_state()),
    "stdout": lambda: sys.stdout,
}


def meddles(x):
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.use_deterministic_algorithms(True)
    torch.autograd.set_detect_anomaly(True)
    torch.set_float32_matmul_precision("medium")
    np.seterr(all="raise")
    sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    os.chdir("/")
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    print("and closes its output")
    sys.stdout.close()
    return right(x.cpu())


def test_an_answers_own_settings_end_with_it(grade):
    before = {name: state() for name, state in STATE.items()}
    verdict = grade(meddles)
    assert {name: state() for name, state in STATE.items()} == before
    assert verdict.cases[0].printed == "and closes its output\n"


@pytest.mark.parametrize(
    ("change", "back"),
    [
        (lambda: torch.set_grad_enabled(False), lambda: torch.set_grad_enabled(True)),
        (lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32)),
        (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device("cpu")),
        (lambda: np.seterr(all="raise"), lambda: np.seterr(all="warn", under="ignore")),
    ],
)
def test_what_the_notebook_has_set_changes_no_verdict(grade, mean_exercise, change, back):
    cases = [case.message for case in oracle.questions(mean_exercise, 0)]
    oracle.questions.cache_clear(), oracle._mistaken.cache_clear()
    change()
    try:
        assert grade(right).status == "right"
        assert grade(lambda x: x.sum(0)).misconception == "sums"
        assert [case.message for case in oracle.questions(mean_exercise, 0)] == cases
    finally:
        back()


@pytest.fixture
def refusing(mean_exercise, monkeypatch):
    """refusing(answer, **rules) → the hint on an answer to the small exercise under other rules."""

    def run(answer, **rules):
        exercise = dataclasses.replace(mean_exercise, **rules)
        monkeypatch.setattr(oracle, "find", lambda exercise_id: exercise)
        return oracle.run("week1.mean_rows", answer).hint

    return run


def by_smooth_l1(x):
    return F.smooth_l1_loss(x, x) + right(x)


def by_backward(x):
    x = x.clone().requires_grad_()
    (x**2).sum().backward()
    return x.grad.sum(0) / 2 / len(x)


def by_torch_func(x):
    return torch.func.grad(lambda y: (y**2).sum())(x).sum(0) / 2 / len(x)


def test_a_function_is_refused_by_name(refusing):
    assert "torch's own smooth_l1_loss does this exercise for you" in refusing(
        by_smooth_l1, library=("smooth_l1_loss",)
    )
    assert "torch's own smooth_l1_loss" in refusing(
        lambda x: torch.nn.SmoothL1Loss()(x, x), library=("smooth_l1_loss",)
    )
    assert refusing(right, library=("smooth_l1_loss",)) == ""


@pytest.mark.parametrize("answer", [by_backward, by_torch_func])
def test_autograd_is_refused_where_the_formula_is_asked_for(refusing, answer):
    assert refusing(answer, autograd=True) == ""
    assert refusing(answer, autograd=False) != ""


def test_a_result_that_requires_grad_is_no_use_of_autograd(refusing):
    assert refusing(lambda x: right(x).requires_grad_(), autograd=False) == ""


def test_a_refusal_names_no_module(refusing):
    hint = refusing(lambda x: x.mean(0))
    assert hint.startswith("3 columns: torch's own mean does this exercise for you"), hint


def test_a_case_may_have_a_tolerance_of_its_own(mean_exercise, monkeypatch):
    def wide(rng):
        for case in mean_exercise.cases(rng):
            yield dataclasses.replace(case, tolerance=oracle.Tolerance(atol=1.0))

    monkeypatch.setattr(oracle, "find", lambda exercise_id: dataclasses.replace(mean_exercise, cases=wide))
    assert oracle.run("week1.mean_rows", lambda x: right(x) + 0.5).status == "right"


def test_a_corner_alone_is_explained_by_no_misconception(grade):
    verdict = grade(lambda x: right(x) if len(x) else x.sum(0))  # zeros where nothing is: also what "sums" gives
    assert (verdict.misconception, verdict.hint) == (
        "",
        "no rows: 3 of 3 values differ, the first at [0]: 0 instead of nan",
    )


def test_rules_travel_with_an_exercise(mean_exercise):
    assert mean_exercise.rules == guard.Rules(library=("aten.mean",))
