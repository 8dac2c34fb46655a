"""week1.cross_entropy_backward: the gradient at the logits."""

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
    pad = integer(rng, 1, 4)
    targets = torch.tensor([pad, (pad + 1) % 5, pad, (pad + 2) % 5, (pad + 3) % 5, (pad + 4) % 5])
    inputs = {"logits": normal(rng, 6, 5), "targets": targets, "ignore_index": pad}
    yield Case("the ignored id is a token id too", inputs)
    yield Case("large logits", {"logits": normal(rng, 3, 6, scale=2) + 1e3, "targets": integers(rng, 0, 5, 3)})
    apart = torch.tensor([[1000.0], [0.0], [-1000.0], [0.0]])[torch.randperm(4, generator=rng)]
    yield Case("rows far apart", {"logits": normal(rng, 4, 6, scale=2) + apart, "targets": integers(rng, 0, 5, 4)})
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


def _only_minus_100(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, -100)


def _ignored_rows_in_everything(logits, targets, ignore_index=-100):
    return _gradient(logits, targets, ignore_index, keep_ignored=True, divide_by="all")


def _subtracted_everywhere(logits, targets, ignore_index=-100):
    counts = targets != ignore_index
    gradient = torch.softmax(logits, -1)
    gradient[:, targets[counts]] -= 1
    return gradient * counts.unsqueeze(-1) / counts.sum()


def _predicted(probabilities, targets, ignore_index):
    counts = targets != ignore_index
    one_hot = F.one_hot(targets.where(counts, 0), probabilities.shape[-1])
    return (probabilities - one_hot) * counts.unsqueeze(-1) / counts.sum()


def _no_softmax(logits, targets, ignore_index=-100):
    return _predicted(logits, targets, ignore_index)


def _overflow(logits, targets, ignore_index=-100):
    return _predicted(logits.exp() / logits.exp().sum(-1, keepdim=True), targets, ignore_index)


def _one_maximum(logits, targets, ignore_index=-100):
    return _overflow(logits - logits.max(), targets, ignore_index)


CROSS_ENTROPY_BACKWARD = Exercise(
    id="week1.cross_entropy_backward",
    title="The gradient at the logits",
    points=3,
    minutes=15,
    why="Every gradient of a language model starts as this one: predicted minus actual.",
    oracle="torch.autograd.grad of torch.nn.functional.cross_entropy",
    cases=_backward_cases,
    expected=_autograd_backward,
    library=("aten.nll_loss_forward", "aten.nll_loss2d_forward", "aten._log_softmax_backward_data", "cross_entropy"),
    autograd=False,
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
        Misconception(
            "the argument ignore_index is not used",
            _only_minus_100,
            "Your answer ignores -100 only. Which id does not count is the caller's choice: see `ignore_index`.",
        ),
        Misconception(
            "ignored rows kept and counted",
            _ignored_rows_in_everything,
            "Your ignored rows have a gradient, and you divide by their number too. Which rows does the mean see?",
        ),
        Misconception(
            "one subtracted in every row",
            _subtracted_everywhere,
            "You subtract 1 in the target's column of every row. Each row has one target: an index for the row must "
            "go with the index for the column.",
        ),
        Misconception(
            "the softmax is forgotten",
            _no_softmax,
            "Your gradient grows with the logits. Predicted minus actual compares probabilities: what makes them of "
            "logits?",
        ),
        Misconception(
            "overflow",
            _overflow,
            "`exp` of a large logit is infinite. What may you subtract from a row without changing its softmax?",
        ),
        Misconception(
            "one maximum for all rows",
            _one_maximum,
            "You subtract one maximum from all rows: in a row that lies far below it every `exp` is rounded to 0.",
        ),
    ),
)
