"""The gradient of the loss at the logits, where backpropagation starts."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers, normal


def _backward_cases(rng):
    yield Case("every target counts", {"logits": normal(rng, 5, 7), "targets": integers(rng, 0, 6, 5)})
    targets = integers(rng, 0, 4, 6)
    targets[integers(rng, 1, 5, 2)] = -100
    yield Case("some targets are ignored", {"logits": normal(rng, 6, 5, scale=2), "targets": targets})
    targets = integers(rng, 0, 3, 4)
    targets[integer(rng, 0, 3)] = -100
    yield Case("a square batch", {"logits": normal(rng, 4, 4, scale=2), "targets": targets})
    pad = integer(rng, 0, 3)
    targets = torch.tensor([pad, (pad + 1) % 4, pad, (pad + 2) % 4, (pad + 3) % 4])
    inputs = {"logits": normal(rng, 5, 4), "targets": targets, "ignore_index": pad}
    yield Case("the ignored id is a token id too", inputs)
    yield Case("large logits", {"logits": normal(rng, 3, 6, scale=2) + 1e3, "targets": integers(rng, 0, 5, 3)})
    yield Case("a single row", {"logits": normal(rng, 1, 5), "targets": integers(rng, 0, 4, 1)})


def _autograd_backward(inputs):
    logits = inputs["logits"].double().requires_grad_()
    loss = F.cross_entropy(logits, inputs["targets"], ignore_index=inputs.get("ignore_index", -100))
    return torch.autograd.grad(loss, logits)[0]


def _gradient(logits, targets, ignore_index, *, divide_by="counted", keep_ignored=False, minus_one=True):
    counts = targets != ignore_index
    gradient = torch.softmax(logits, -1)
    if minus_one:
        gradient[counts, targets[counts]] -= 1
    if not keep_ignored:
        gradient[~counts] = 0
    return gradient / {"counted": counts.sum(), "all": len(targets), "nothing": 1}[divide_by]


def _not_divided(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, ignore_index, divide_by="nothing")


def _divided_by_all(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, ignore_index, divide_by="all")


def _ignored_rows_kept(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, ignore_index, keep_ignored=True)


def _downhill(logits, targets, ignore_index=-100):
    return -_gradient(logits, targets, ignore_index)


def _nothing_subtracted(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, ignore_index, minus_one=False)


CROSS_ENTROPY_BACKWARD = Exercise(
    id="week1.cross_entropy_backward",
    title="The gradient at the logits",
    points=3,
    minutes=15,
    why="Every gradient of a language model starts as this one: predicted minus actual.",
    oracle="torch.autograd.grad of torch.nn.functional.cross_entropy",
    cases=_backward_cases,
    expected=_autograd_backward,
    library=("aten.nll_loss_forward", "aten.nll_loss2d_forward", "aten._log_softmax_backward_data"),
    misconceptions=(
        Misconception(
            "not divided by the number of targets",
            _not_divided,
            "This is the gradient of the sum of the losses. The loss is a mean: how does that change its gradient?",
        ),
        Misconception(
            "divided by all rows",
            _divided_by_all,
            "You divide by the number of rows, ignored ones too. The mean was taken over the rows that count.",
        ),
        Misconception(
            "ignored rows have a gradient",
            _ignored_rows_kept,
            "An ignored row is no part of the loss. How much can its logits change the loss?",
        ),
        Misconception(
            "the sign",
            _downhill,
            "Every value has the wrong sign: you return the way down. More logit on the right token lowers the loss, "
            "so its gradient is negative.",
        ),
        Misconception(
            "the right token is missing",
            _nothing_subtracted,
            "You return the probabilities. A gradient that is positive everywhere would push the right token down as "
            "well: what does the derivative add at the target?",
        ),
    ),
)
