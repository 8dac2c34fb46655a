"""week1.cross_entropy: cross-entropy."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers, normal


def _ragged(rng, rows, length, vocabulary, ignore_index):
    """Targets whose rows count unequally many tokens, at least one each."""
    targets = integers(rng, 0, vocabulary - 1, rows, length)
    for row in range(rows):
        targets[row, max(1, length - 2 * row - integer(rng, 0, 1)) :] = ignore_index
    return targets


def _cross_entropy_cases(rng):
    yield Case("every target counts", {"logits": normal(rng, 6, 9), "targets": integers(rng, 0, 8, 6)})
    targets = integers(rng, 0, 6, 8)
    targets[integers(rng, 1, 7, 3)] = -100
    yield Case("some targets are ignored", {"logits": normal(rng, 8, 7, scale=2), "targets": targets})
    yield Case(
        "rows of unequal length", {"logits": normal(rng, 3, 6, 8, scale=2), "targets": _ragged(rng, 3, 6, 8, -100)}
    )
    targets = integers(rng, 0, 5, 2, 2, 3).scatter(-1, integers(rng, 0, 2, 2, 2, 1), -100)
    yield Case("two leading axes, (A, B, T, V)", {"logits": normal(rng, 2, 2, 3, 6, scale=2), "targets": targets})
    pad = integer(rng, 1, 4)
    targets = torch.where(integers(rng, 0, 2, 9) == 0, pad, integers(rng, 0, 4, 9))
    targets[:5] = (pad + torch.arange(5)) % 5  # ids below the ignored one and above it
    inputs = {"logits": normal(rng, 9, 5, scale=2), "targets": targets, "ignore_index": pad}
    yield Case("the ignored id is a token id too", inputs)
    targets = integers(rng, 0, 5, 4)
    logits = normal(rng, 4, 6, scale=5)
    # so unlikely that their probability rounds to 0, the first of them in float64 too
    logits[torch.arange(4), targets] -= torch.tensor([2000.0, 0, 150, 0])
    yield Case("a model that is sure of the wrong token", {"logits": logits, "targets": targets})
    apart = torch.tensor([[1000.0], [0.0], [-1000.0], [0.0]])[torch.randperm(4, generator=rng)]
    inputs = {"logits": normal(rng, 4, 6, scale=2) + apart, "targets": integers(rng, 0, 5, 4)}
    yield Case("rows far apart", inputs, tolerance=Tolerance(atol=1e-3))
    yield Case("a single token", {"logits": normal(rng, 1, 5), "targets": integers(rng, 0, 4, 1)})
    nothing = {"logits": normal(rng, 3, 4), "targets": torch.full((3,), -100)}
    yield Case("no target counts", nothing, edge=True)


def _library_cross_entropy(inputs):
    logits, targets = inputs["logits"], inputs["targets"]
    ignore_index = inputs.get("ignore_index", -100)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=ignore_index)


def _token_losses(logits, targets, ignore_index):
    """→ loss at every position (0 where ignored), and which positions count."""
    counts = targets != ignore_index
    picked = torch.log_softmax(logits, -1).gather(-1, targets.where(counts, 0).unsqueeze(-1)).squeeze(-1)
    return -picked.where(counts, 0.0), counts


def _pad_in_the_mean(logits, targets, ignore_index=-100):
    return _token_losses(logits, targets, ignore_index)[0].mean()


def _zero_for_nothing(logits, targets, ignore_index=-100):
    losses, counts = _token_losses(logits, targets, ignore_index)
    return losses.sum() / counts.sum().clamp(min=1)


def _ignored_as_token_0(logits, targets, ignore_index=-100):
    return _token_losses(logits, targets.masked_fill(targets == ignore_index, 0), -1)[0].mean()


def _ignored_modulo(logits, targets, ignore_index=-100):
    return _token_losses(logits, targets % logits.shape[-1], -1)[0].mean()


def _summed(logits, targets, ignore_index=-100):
    return _token_losses(logits, targets, ignore_index)[0].sum()


def _mean_of_rows(logits, targets, ignore_index=-100):
    losses, counts = _token_losses(logits, targets, ignore_index)
    return (losses.sum(-1) / counts.sum(-1)).mean()


def _in_bits(logits, targets, ignore_index=-100):
    losses, counts = _token_losses(logits, targets, ignore_index)
    return losses.sum() / counts.sum() / math.log(2)


def _gathers_first(logits, targets, ignore_index=-100):
    picked = torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return -picked[targets != ignore_index].mean()


def _softmax_twice(logits, targets, ignore_index=-100):
    losses, counts = _token_losses(torch.softmax(logits, -1), targets, ignore_index)
    return losses.sum() / counts.sum()


def _by_hand(logits, targets, ignore_index, shift=None):
    counts = targets != ignore_index
    rows, picked = logits[counts], targets[counts].unsqueeze(-1)
    if shift and len(rows):
        rows = rows - shift(rows)
    return (rows.exp().sum(-1).log() - rows.gather(-1, picked).squeeze(-1)).mean()


def _overflow(logits, targets, ignore_index=-100):
    return _by_hand(logits, targets, ignore_index)


def _one_maximum_for_all(logits, targets, ignore_index=-100):
    return _by_hand(logits, targets, ignore_index, shift=torch.max)


def _log_of_the_softmax(logits, targets, ignore_index=-100):
    counts = targets != ignore_index
    return -torch.softmax(logits[counts], -1).gather(-1, targets[counts].unsqueeze(-1)).log().mean()


def _only_minus_100(logits, targets, ignore_index=-100):
    losses, counts = _token_losses(logits, targets, -100)
    return losses.sum() / counts.sum()


CROSS_ENTROPY = Exercise(
    id="week1.cross_entropy",
    title="Cross-entropy",
    points=3,
    minutes=15,
    why="This one number is the whole signal of training; a wrong mean changes every gradient.",
    oracle="torch.nn.functional.cross_entropy",
    cases=_cross_entropy_cases,
    expected=_library_cross_entropy,
    library=("aten.nll_loss_forward", "aten.nll_loss2d_forward", "aten.xlogy", "cross_entropy", "kl_div", "nll_loss"),
    misconceptions=(
        Misconception(
            "zero where nothing counts",
            _zero_for_nothing,
            "The loss of a batch in which no target counts is unknown, not zero: a zero would look like a perfect "
            "model. What does the docstring ask for?",
        ),
        *(
            Misconception(
                "padding counted in the mean",
                answer,
                "Your mean also counts the ignored positions: {got} instead of {expected}. By which number do you "
                "divide, and what do you add up?",
            )
            for answer in (_pad_in_the_mean, _ignored_as_token_0, _ignored_modulo)
        ),
        Misconception(
            "sum instead of mean",
            _summed,
            "{got} grows with the number of tokens: it is a sum, and the loss is a mean.",
        ),
        Misconception(
            "mean of the rows' means",
            _mean_of_rows,
            "You average each row, then the rows: a token in a short row then weighs more than one in a long row.",
        ),
        Misconception(
            "in bits",
            _in_bits,
            "Your loss is right in bits: {got} where {expected} nats were asked for.",
        ),
        Misconception(
            "gathers at the ignored index",
            _gathers_first,
            "You look up the log-probability of token -100. Decide which positions count before you look anything up.",
        ),
        Misconception(
            "softmax applied twice",
            _softmax_twice,
            "You take the softmax of probabilities: they lie between 0 and 1, so even a perfect model keeps a loss "
            "above zero. Which of your functions expects logits?",
        ),
        Misconception(
            "the argument ignore_index is not used",
            _only_minus_100,
            "Your answer ignores -100 only. Which id does not count is the caller's choice: see `ignore_index`.",
        ),
        Misconception(
            "overflow",
            _overflow,
            "`exp` of a large logit is infinite, and of a very low one 0. Your `log_softmax` has solved that already.",
        ),
        Misconception(
            "one maximum for all rows",
            _one_maximum_for_all,
            "You subtract one maximum from all rows: in a row that lies far below it every `exp` is rounded to 0.",
        ),
        Misconception(
            "logarithm of the softmax",
            _log_of_the_softmax,
            "The probability of a very unlikely target is rounded to 0 before you take its logarithm, and the loss "
            "becomes infinite. Work with log-probabilities from the start.",
        ),
    ),
)
