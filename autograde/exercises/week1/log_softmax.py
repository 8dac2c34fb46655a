"""week1.log_softmax: log-softmax."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal


def _log_softmax_cases(rng):
    yield Case("a batch of rows", {"logits": normal(rng, 4, 7)})
    yield Case("one row, no batch", {"logits": normal(rng, 6, scale=2)})
    yield Case("batch and time, (B, T, V)", {"logits": normal(rng, 2, 3, 5)})
    yield Case("a square batch", {"logits": normal(rng, 4, 4, scale=3)})
    yield Case("two leading axes, (A, B, T, V)", {"logits": normal(rng, 2, 2, 3, 4, scale=2)})
    # float32 near 1e4 has a spacing of 1e-3, near 300 of 3e-5: x - logsumexp(x) by hand is right too
    yield Case("large logits", {"logits": normal(rng, 3, 6, scale=3) + 1e4}, tolerance=Tolerance(atol=2e-3))
    apart = torch.tensor([[1.0], [0.0], [-1.0]])
    rows = normal(rng, 3, 5) + 300 * apart[torch.randperm(3, generator=rng)]
    yield Case("rows far apart", {"logits": rows}, tolerance=Tolerance(atol=2e-4))
    rows = normal(rng, 3, 4) + 5000 * apart[torch.randperm(3, generator=rng)]
    yield Case("rows very far apart", {"logits": rows}, tolerance=Tolerance(atol=2e-3))
    yield Case("tokens that are nearly ruled out", {"logits": normal(rng, 3, 5) - torch.tensor([0.0, 0, 60, 200, 0])})
    yield Case("a token that is ruled out by far", {"logits": normal(rng, 2, 4) - torch.tensor([0.0, 0, 2000, 0])})
    forbidden = normal(rng, 2, 5)
    forbidden[:, integer(rng, 1, 4)] = -math.inf
    yield Case("a forbidden token, logit -inf", {"logits": forbidden})
    first = torch.tensor([1.0, 0, 0, 0])
    yield Case("a first token that is nearly ruled out", {"logits": normal(rng, 2, 4) - 300 * first})
    yield Case("a first token that is forbidden", {"logits": normal(rng, 2, 4).masked_fill(first > 0, -math.inf)})
    yield Case("a vocabulary of one", {"logits": normal(rng, 3, 1)}, edge=True)


def _one_maximum(logits):
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()


def _first_subtracted(logits):
    shifted = logits - logits[..., :1]
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()


LOG_SOFTMAX = Exercise(
    id="week1.log_softmax",
    title="Log-softmax",
    points=2,
    minutes=12,
    why="Logits of a diverging run reach thousands; the loss must report that, not turn into NaN.",
    oracle="torch.log_softmax",
    cases=_log_softmax_cases,
    expected=lambda i: torch.log_softmax(i["logits"], -1),
    library=("aten._log_softmax", "aten.logsumexp", "aten.logcumsumexp", "aten._sparse_log_softmax"),
    tolerance=Tolerance(atol=2e-5),
    misconceptions=(
        Misconception(
            "overflow",
            lambda logits: logits - logits.exp().sum(dim=-1, keepdim=True).log(),
            "The formula is right on paper, but `exp` of a large logit is infinite. What may you subtract from a "
            "whole row without changing its softmax?",
        ),
        Misconception(
            "the wrong axis",
            lambda logits: (logits - logits.amax(0)) - (logits - logits.amax(0)).exp().sum(dim=0).log(),
            "Each column of yours sums to one, over the batch. The choice is among the tokens of one row.",
        ),
        Misconception(
            "a small number inside the logarithm",
            lambda logits: torch.log(torch.softmax(logits, dim=-1) + 1e-9),
            "A small constant inside the logarithm keeps it finite, and wrong: no token can ever cost more than about "
            "20. Can you do without forming the probability first?",
        ),
        Misconception(
            "logarithm of the softmax",
            lambda logits: torch.log(torch.softmax(logits, dim=-1)),
            "The probability of an unlikely token is rounded to 0 before you take its logarithm. Do the logarithm on "
            "paper first, and look at what is left to compute.",
        ),
        Misconception(
            "one maximum for all rows",
            _one_maximum,
            "You subtract one maximum from all rows: in a row that lies far below it every `exp` is rounded to 0.",
        ),
        Misconception(
            "the first logit subtracted",
            _first_subtracted,
            "You subtract the first logit of each row. Nothing keeps the others from lying far above it, and then "
            "`exp` overflows again. Which logit of a row is safe to subtract?",
        ),
    ),
)
