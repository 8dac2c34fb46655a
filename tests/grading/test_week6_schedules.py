"""Week 6's oracle reads transformers' schedules from their file: they are those of its API; and what a log may tell."""

import math

import pytest
import torch

from autograde.exercise import find
from autograde.exercises.week6 import which_schedule
from autograde.exercises.week6.schedules import by_transformers
from autograde.oracle import run

SETTINGS = {
    "get_linear_schedule_with_warmup": {"num_warmup_steps": 7, "num_training_steps": 40},
    "get_cosine_with_min_lr_schedule_with_warmup": {"num_warmup_steps": 7, "num_training_steps": 40, "min_lr": 1e-4},
    "get_wsd_schedule": {"num_warmup_steps": 7, "num_stable_steps": 20, "num_decay_steps": 13, "min_lr_ratio": 0.1},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_schedules_are_those_of_transformers(name):
    import transformers

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1e-3)
    scheduler = getattr(transformers, name)(optimizer, **SETTINGS[name])
    for step in range(45):
        assert by_transformers(name, step, 1e-3, **SETTINGS[name]) == scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()


def test_the_library_rises_again_after_the_end_and_the_exercise_does_not():
    settings = SETTINGS["get_cosine_with_min_lr_schedule_with_warmup"]
    at_the_end, later = (
        by_transformers("get_cosine_with_min_lr_schedule_with_warmup", step, 1e-3, **settings) for step in (40, 60)
    )
    assert math.isclose(at_the_end, 1e-4) and later > 5e-4
    case = {"step": 60, "max_lr": 1e-3, "min_lr": 1e-4, "warmup_steps": 7, "total_steps": 40}
    assert math.isclose(find("week6.warmup_cosine").expected(case), 1e-4)


LOG = {"steps": which_schedule.SEED_STEPS, "lrs": which_schedule.SEED_LRS}
LOG |= {"peak_lr": 1e-3, "min_lr": 1e-4, "warmup_steps": 10}


def test_only_a_cosine_explains_the_log_that_is_said_to_decay_from_80_percent_on():
    accepts = find("week6.which_schedule").accepts
    fitting = [total for total in range(1100, 1200) if accepts(LOG, ["cosine", float(total)]) is None]
    assert fitting == list(range(1143, 1151))
    for name in ("linear", "stable"):
        assert accepts(LOG, [name, 289.0]) == f"no length makes {name!r} fit every line of this log"
    assert "would have 0.000755 at step 251" in accepts(LOG, ["cosine", 700.0])


@pytest.mark.parametrize(
    "answer, words",
    [
        (None, "is a `return` missing"),
        ("cosine", "expected a pair"),
        (["polynomial", 1146.0], "is one of linear, cosine, stable"),
        (["cosine", "1146"], "is a whole number"),
        (["cosine", 1146.5], "is a whole number"),
        (["cosine", math.nan], "is a whole number"),
        (["cosine", math.inf], "is a whole number"),
        (["cosine", 200.0], "lies between the last step of the log, 251, and 3000"),
        (["cosine", 4000.0], "lies between the last step of the log, 251, and 3000"),
        ([["cosine"], 1146.0], "is one of linear, cosine, stable"),
    ],
)
def test_an_answer_that_is_no_schedule_is_told_so(answer, words):
    assert words in find("week6.which_schedule").accepts(LOG, answer)


def test_a_rate_may_be_a_tensor_or_a_float32():
    def warmup_linear(step, peak_lr, warmup_steps, total_steps):
        up = step / warmup_steps if warmup_steps else 1.0
        share = torch.tensor([up, (total_steps - step) / (total_steps - warmup_steps), 1.0]).min().clamp(min=0)
        return share * peak_lr

    assert run("week6.warmup_linear", warmup_linear).score == 1
