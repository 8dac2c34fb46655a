"""Answers to initial_loss, log_softmax and cross_entropy whose worth is known, for `autograde audit`."""

import functools
import math
import warnings
from decimal import Decimal

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- initial_loss -----------------------------------------------------------------------------------------------------


@right("week1.initial_loss")
def loss_measured_on_zeros(vocab_size):
    return F.cross_entropy(torch.zeros(1, vocab_size), torch.zeros(1, dtype=torch.long))


@right("week1.initial_loss")
def minus_log_of_the_probability(vocab_size):
    return -np.log(1 / vocab_size)


@right("week1.initial_loss")
def entropy_of_the_uniform(vocab_size):
    p = torch.full((vocab_size,), 1 / vocab_size, dtype=torch.float64, requires_grad=True)
    return -(p * p.log()).sum()


@right("week1.initial_loss")
def loss_from_bits(vocab_size: int) -> float:
    bits = math.log2(vocab_size)
    return bits / math.log2(math.e)


@right("week1.initial_loss")
def logsumexp_of_equal_scores(vocab_size):
    scores = torch.zeros(vocab_size)
    return (scores.logsumexp(dim=0) - scores[0]).item()


@right("week1.initial_loss")
def loss_in_decimals(vocab_size):
    return -(Decimal(1) / Decimal(vocab_size)).ln()


@right("week1.initial_loss")
def loss_from_its_prime_factors(vocab_size):
    """ln of a product is the sum of the ln."""
    total, factor = 0.0, 2
    while vocab_size > 1:
        while vocab_size % factor == 0:
            vocab_size //= factor
            total += np.log(factor)
        factor += 1
    return total


@right("week1.initial_loss")
def entropy_of_a_distribution(vocab_size):
    uniform = torch.distributions.Categorical(probs=torch.ones(vocab_size))
    return uniform.entropy()


@wrong("week1.initial_loss", "logarithm to base 2")
def loss_in_bits(vocab_size):
    return math.log(vocab_size) / math.log(2)


@wrong("week1.initial_loss", "the probability, not the loss")
def loss_is_the_probability(vocab_size):
    return torch.softmax(torch.zeros(vocab_size), 0)[0]


@wrong("week1.initial_loss", "averaged over the vocabulary")
def mean_where_a_sum_belongs(vocab_size):
    p = torch.full((vocab_size,), 1 / vocab_size, dtype=torch.float64)
    return -(p * p.log()).mean() * vocab_size / vocab_size


@wrong("week1.initial_loss", "negative")
def sign_of_the_logarithm(vocab_size):
    return -math.log(vocab_size)


@wrong("week1.initial_loss")
def one_class_too_few(vocab_size):
    return math.log(max(1, vocab_size - 1))


@wrong("week1.initial_loss")
def the_number_of_the_lesson(vocab_size):
    return 5.557


# --- log_softmax ------------------------------------------------------------------------------------------------------


@right("week1.log_softmax")
def log_softmax_by_numpy(logits):
    x = logits.numpy().astype(np.float64)
    x = x - x.max(axis=-1, keepdims=True)
    return torch.from_numpy(x - np.log(np.exp(x).sum(axis=-1, keepdims=True)))


@right("week1.log_softmax")
def log_softmax_by_loops(logits):
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]).tolist():
        largest = max(row)
        total = math.fsum(math.exp(x - largest) for x in row)
        rows.append([x - largest - math.log(total) for x in row])
    return torch.tensor(rows, dtype=torch.float64).reshape(logits.shape)


@right("week1.log_softmax")
def log_softmax_in_place_on_a_copy(logits):
    out = logits.clone()
    out -= out.amax(-1, keepdim=True)
    out -= out.exp().sum(-1, keepdim=True).log_()
    return out.requires_grad_()


@right("week1.log_softmax")
def log_softmax_token_by_token(logits):
    total = logits[..., :1]
    for i in range(1, logits.shape[-1]):
        total = torch.logaddexp(total, logits[..., i : i + 1])
    return logits - total


@right("week1.log_softmax")
def log_softmax_with_a_warning_and_a_print(logits):
    warnings.warn("careful", stacklevel=1)
    print("largest logit", logits.max())
    x = logits.double()
    x = x - x.max(-1).values.unsqueeze(-1)
    return x - torch.einsum("...v->...", x.exp()).log().unsqueeze(-1)


@right("week1.log_softmax")
def log_softmax_by_reduce(logits):
    total = functools.reduce(torch.logaddexp, logits.unbind(-1))
    return logits - total[..., None]


@right("week1.log_softmax")
def log_softmax_axis_by_axis(logits):
    """Recursion over the leading axes, down to a single row."""
    if logits.ndim > 1:
        return torch.stack([log_softmax_axis_by_axis(part) for part in logits])
    top = logits.max()
    return logits - (top + torch.log(torch.sum(torch.exp(logits - top))))


@right("week1.log_softmax")
def log_softmax_by_numpy_ufunc(logits):
    scores = logits.double().numpy()
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


@wrong("week1.log_softmax", "overflow")
def overflow_in_numpy(logits):
    x = logits.numpy()
    return torch.from_numpy(x - np.log(np.exp(x).sum(-1, keepdims=True)))


@wrong("week1.log_softmax", "logarithm of the softmax")
def softmax_by_hand_then_log(logits):
    exps = (logits - logits.amax(-1, keepdim=True)).exp()
    return (exps / exps.sum(-1, keepdim=True)).log()


@wrong("week1.log_softmax", "a small number inside the logarithm")
def softmax_clamped(logits):
    return torch.softmax(logits, -1).add(1e-9).log()


@wrong("week1.log_softmax", "one maximum for all rows")
def one_maximum_in_numpy(logits):
    x = logits.numpy() - logits.numpy().max()
    return torch.from_numpy(x - np.log(np.exp(x).sum(-1, keepdims=True)))


@wrong("week1.log_softmax")
def first_axis_by_transposing(logits):
    x = logits.movedim(0, -1)
    x = x - x.amax(-1, keepdim=True)
    return (x - x.exp().sum(-1, keepdim=True).log()).movedim(-1, 0).abs()


@wrong("week1.log_softmax")
def minimum_instead_of_maximum(logits):
    x = logits - logits.amin(-1, keepdim=True)
    return x - x.exp().sum(-1, keepdim=True).log()


@wrong("week1.log_softmax")
def probabilities(logits):
    return torch.softmax(logits, -1)


@wrong("week1.log_softmax")
def the_library_itself(logits):
    return F.log_softmax(logits, -1)


@wrong("week1.log_softmax")
def the_library_by_another_door(logits):
    return logits - torch.logsumexp(logits, -1, keepdim=True)


@wrong("week1.log_softmax", "the first logit subtracted")
def first_logit_taken_off(logits):
    x = logits.numpy() - logits.numpy()[..., [0]]
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@wrong("week1.log_softmax", "the first logit subtracted")
def first_logit_taken_off_in_float64(logits):
    x = logits.double() - logits.double()[..., 0].unsqueeze(-1)
    return x - x.exp().sum(-1, keepdim=True).log()


@wrong("week1.log_softmax", "one maximum for all rows")
def one_maximum_in_float64(logits):
    x = logits.double() - logits.double().max()
    return x - x.exp().sum(-1, keepdim=True).log()


@wrong("week1.log_softmax", "logarithm of the softmax")
def log_of_the_softmax_in_float64(logits):
    return torch.log(torch.softmax(logits.double(), -1))


@wrong("week1.log_softmax")
def small_number_in_the_sum(logits):
    x = logits - logits.amax(-1, keepdim=True)
    return x - (x.exp().sum(-1, keepdim=True) + 1e-3).log()


@wrong("week1.log_softmax")
def second_axis_always(logits):
    x = logits - logits.amax(1, keepdim=True)
    return x - x.exp().sum(1, keepdim=True).log()


@wrong("week1.log_softmax")
def up_to_three_axes(logits):
    if logits.ndim > 3:
        raise ValueError("expected (B, T, V)")
    x = logits - logits.amax(-1, keepdim=True)
    return x - x.exp().sum(-1, keepdim=True).log()


@wrong("week1.log_softmax")
def last_of_the_cumulative_sums(logits):
    return logits - torch.logcumsumexp(logits, -1)[..., -1:]


@wrong("week1.log_softmax")
def the_library_for_sparse_tensors(logits):
    return torch.sparse.log_softmax(logits.to_sparse(), -1).to_dense()


# --- cross_entropy ----------------------------------------------------------------------------------------------------


@right("week1.cross_entropy")
def cross_entropy_by_one_hot(logits, targets, ignore_index=-100):
    counts = (targets != ignore_index).double()
    picked = F.one_hot(targets * counts.long(), logits.shape[-1]).double()
    losses = -(picked * torch.log_softmax(logits.double(), -1)).sum(-1)
    return (losses * counts).sum() / counts.sum()


@right("week1.cross_entropy")
def cross_entropy_by_loops(logits, targets, ignore_index=-100):
    losses = []
    for row, target in zip(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1).tolist(), strict=True):
        if target != ignore_index:
            losses.append(torch.logsumexp(row, 0) - row[target])
    return sum(losses) / len(losses) if losses else float("nan")


@right("week1.cross_entropy")
def cross_entropy_by_numpy(logits, targets, ignore_index=-100):
    x = logits.numpy().astype(np.float64).reshape(-1, logits.shape[-1])
    y = targets.numpy().reshape(-1)
    x, y = x[y != ignore_index], y[y != ignore_index]
    x = x - x.max(-1, keepdims=True, initial=-np.inf) if len(x) else x
    losses = np.log(np.exp(x).sum(-1)) - x[np.arange(len(y)), y]
    return losses.sum() / len(y) if len(y) else np.nan


@right("week1.cross_entropy")
def cross_entropy_with_a_graph(logits, targets, ignore_index=-100):
    logits = logits.clone().requires_grad_()
    keep = targets.ne(ignore_index)
    safe = targets.masked_fill(~keep, 0)
    losses = -torch.log_softmax(logits, -1).take_along_dim(safe[..., None], -1)[..., 0]
    return losses.masked_select(keep).mean()


class _Loss(torch.nn.Module):
    def __init__(self, ignore_index: int = -100):
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        flat, ids = logits.flatten(end_dim=-2), targets.flatten()
        rows = torch.nonzero(ids.ne(self.ignore_index), as_tuple=True)[0]
        return (flat.logsumexp(-1)[rows] - flat[rows, ids[rows]]).mean()


@right("week1.cross_entropy")
def cross_entropy_by_a_module(logits, targets, ignore_index=-100):
    return _Loss(ignore_index)(logits, targets)


@right("week1.cross_entropy")
def cross_entropy_of_a_distribution(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    if not counted.any():
        return torch.tensor(math.nan)
    return -torch.distributions.Categorical(logits=logits[counted]).log_prob(targets[counted]).mean()


@right("week1.cross_entropy")
def cross_entropy_in_pure_python(logits, targets, ignore_index=-100):
    def costs(scores, target):
        if isinstance(target, list):
            for pair in zip(scores, target, strict=True):
                yield from costs(*pair)
        elif target != ignore_index:
            top = max(scores)
            yield top + math.log(sum(math.exp(score - top) for score in scores)) - scores[target]

    found = [*costs(logits.tolist(), targets.tolist())]
    return math.fsum(found) / len(found) if found else math.nan


@right("week1.cross_entropy")
def cross_entropy_by_einsum(logits, targets, ignore_index=-100):
    classes = torch.arange(logits.shape[-1])
    actual = (targets[..., None] == classes) & (targets != ignore_index)[..., None]
    nats = -torch.einsum("nv,nv->", actual.flatten(0, -2).double(), logits.double().log_softmax(-1).flatten(0, -2))
    return nats / actual.sum()


@wrong("week1.cross_entropy", "padding counted in the mean")
def mean_over_every_place(logits, targets, ignore_index=-100):
    rows, total = logits.reshape(-1, logits.shape[-1]), 0.0
    for row, target in zip(rows, targets.reshape(-1).tolist(), strict=True):
        if target != ignore_index:
            total += float(torch.logsumexp(row, 0) - row[target])
    return total / len(rows)


@wrong("week1.cross_entropy", "sum instead of mean")
def added_up(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return torch.logsumexp(logits[keep], -1).sum() - logits[keep].gather(-1, targets[keep][:, None]).sum()


@wrong("week1.cross_entropy", "mean of the rows' means")
def row_by_row(logits, targets, ignore_index=-100):
    if targets.ndim == 1:
        logits, targets = logits[None], targets[None]
    means = []
    for row, labels in zip(logits.log_softmax(-1), targets, strict=True):
        keep = labels != ignore_index
        means.append(-row[keep].gather(-1, labels[keep, None]).mean())
    return torch.stack(means).mean()


@wrong("week1.cross_entropy", "in bits")
def log2_of_the_probability(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    logs = torch.log_softmax(logits[keep], -1) * math.log2(math.e)
    return -logs.gather(-1, targets[keep][:, None]).mean()


@wrong("week1.cross_entropy", "softmax applied twice")
def library_shape_of_probabilities(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits[keep], -1)
    return (torch.logsumexp(p, -1) - p.gather(-1, targets[keep][:, None])[:, 0]).mean()


@wrong("week1.cross_entropy", "zero where nothing counts")
def zero_where_nothing_counts(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    losses = -torch.log_softmax(logits[keep], -1).gather(-1, targets[keep][:, None])
    return losses.sum() / max(1, int(keep.sum()))


@wrong("week1.cross_entropy", "logarithm of the softmax")
def log_of_a_rounded_probability(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return -torch.softmax(logits[keep], -1).gather(-1, targets[keep][:, None]).log().mean()


@wrong("week1.cross_entropy")
def wrong_by_one_token(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    losses = -torch.log_softmax(logits[keep], -1).gather(-1, targets[keep][:, None])
    return losses.sum() / (keep.sum() + 1)


@wrong("week1.cross_entropy")
def sign_forgotten(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return torch.log_softmax(logits[keep], -1).gather(-1, targets[keep][:, None]).mean()


@wrong("week1.cross_entropy")
def loss_of_the_library(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=ignore_index)


@wrong("week1.cross_entropy", "logarithm of the softmax")
def log_of_a_rounded_float64(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return -torch.softmax(logits[keep].double(), -1).gather(-1, targets[keep][:, None]).log().mean()


@wrong("week1.cross_entropy", "overflow")
def no_maximum(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    x = logits[keep]
    return (x.exp().sum(-1).log() - x.gather(-1, targets[keep][:, None])[:, 0]).mean()


@wrong("week1.cross_entropy", "overflow")
def no_maximum_in_float64(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    x = logits[keep].double()
    return (x.exp().sum(-1).log() - x.gather(-1, targets[keep][:, None])[:, 0]).mean()


@wrong("week1.cross_entropy", "one maximum for all rows")
def one_maximum_for_the_batch(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    x = logits[keep] - logits.max()
    return (x.exp().sum(-1).log() - x.gather(-1, targets[keep][:, None])[:, 0]).mean()


@wrong("week1.cross_entropy", "padding counted in the mean")
def padding_taken_modulo(logits, targets, ignore_index=-100):
    places = (targets % logits.shape[-1])[..., None]
    return -torch.log_softmax(logits, -1).gather(-1, places).mean()


@wrong("week1.cross_entropy", "padding counted in the mean")
def padding_taken_for_token_0(logits, targets, ignore_index=-100):
    places = torch.where(targets == ignore_index, 0, targets)[..., None]
    return -torch.log_softmax(logits, -1).take_along_dim(places, -1).mean()


@wrong("week1.cross_entropy")
def ids_above_the_ignored_one(logits, targets, ignore_index=-100):
    keep = targets > ignore_index
    return -torch.log_softmax(logits, -1)[keep].gather(-1, targets[keep][:, None]).mean()


@wrong("week1.cross_entropy")
def library_with_one_hot_targets(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return F.cross_entropy(logits[keep], F.one_hot(targets[keep], logits.shape[-1]).to(logits.dtype))


@wrong("week1.cross_entropy")
def library_of_the_divergence(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets[keep], logits.shape[-1]).to(logits.dtype)
    return torch.nn.KLDivLoss(reduction="batchmean")(torch.log_softmax(logits[keep], -1), one_hot)


@wrong("week1.cross_entropy")
def library_of_the_second_half(logits, targets, ignore_index=-100):
    log_probs = torch.log_softmax(logits.flatten(0, -2), -1)
    return torch.nn.NLLLoss(ignore_index=ignore_index)(log_probs, targets.flatten())
