"""The loss itself: its value on a fresh model, log-softmax and cross-entropy."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers, normal

# --- initial_loss -----------------------------------------------------------------------------------------------------


def _initial_loss_cases(rng):
    yield Case("the 259 ids of the byte tokenizer", {"vocab_size": 259})
    yield Case("119 ids", {"vocab_size": 119})
    yield Case("a small vocabulary", {"vocab_size": integer(rng, 5, 60)})
    yield Case("a large vocabulary", {"vocab_size": integer(rng, 30_000, 130_000)})
    yield Case("two tokens", {"vocab_size": 2})
    yield Case("one token: nothing to guess", {"vocab_size": 1}, edge=True)


def _loss_of_equal_logits(inputs):
    return F.cross_entropy(torch.zeros(1, inputs["vocab_size"], dtype=torch.float64), torch.tensor([0]))


INITIAL_LOSS = Exercise(
    id="week1.initial_loss",
    title="The loss of a model that knows nothing",
    points=1,
    minutes=3,
    why="A run that does not start near this number has a bug before its first step.",
    oracle="torch.nn.functional.cross_entropy of equal logits",
    cases=_initial_loss_cases,
    expected=_loss_of_equal_logits,
    misconceptions=(
        Misconception(
            "logarithm to base 2",
            lambda vocab_size: math.log2(vocab_size),
            "{got} is in bits. PyTorch's losses are in nats: which logarithm gives them?",
        ),
        Misconception(
            "the probability, not the loss",
            lambda vocab_size: 1 / vocab_size,
            "{got} is the probability of the right token. What does the loss make of a probability?",
        ),
        Misconception(
            "logarithm to base 10",
            lambda vocab_size: math.log10(vocab_size),
            "{got} comes from a logarithm to base 10. Which base has the cross-entropy?",
        ),
        Misconception(
            "the number of choices",
            lambda vocab_size: float(vocab_size),
            "{got} is the number of equally likely choices: that is the perplexity. The loss is made from it by one "
            "function.",
        ),
        Misconception(
            "averaged over the vocabulary",
            lambda vocab_size: math.log(vocab_size) / vocab_size,
            "The loss looks at the right token alone; there is no average over the vocabulary in it.",
        ),
    ),
)

# --- log_softmax ------------------------------------------------------------------------------------------------------


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

# --- cross_entropy ----------------------------------------------------------------------------------------------------


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
