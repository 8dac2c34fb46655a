"""Week 1: loss and perplexity."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception

def _log_softmax_cases(rng):
    yield Case("ordinary rows", {"logits": torch.randn(4, 7, generator=rng)})

EXERCISES = (
    Exercise(
        id="week1.log_softmax", title="Log-softmax", points=2, minutes=15, why="", oracle="torch.log_softmax",
        cases=_log_softmax_cases, expected=lambda i: F.log_softmax(i["logits"], -1),
        misconceptions=(Misconception("axis", lambda x: F.log_softmax(x, 0), "wrong axis"),),
        library=(),
    ),
)
