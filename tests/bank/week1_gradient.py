"""Answers to cross_entropy_backward whose worth is known, for `autograde audit`."""

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- cross_entropy_backward -------------------------------------------------------------------------------------------


@right("week1.cross_entropy_backward")
def gradient_by_one_hot(logits, targets, ignore_index=-100):
    counts = (targets != ignore_index).unsqueeze(1)
    one_hot = F.one_hot(targets.where(counts[:, 0], 0), logits.shape[1])
    return (torch.softmax(logits.double(), 1) - one_hot).where(counts, 0.0) / counts.sum()


@right("week1.cross_entropy_backward")
def gradient_by_loops(logits, targets, ignore_index=-100):
    n = sum(t != ignore_index for t in targets.tolist())
    gradient = [[0.0] * logits.shape[1] for _ in targets]
    for i, (row, target) in enumerate(zip(logits.tolist(), targets.tolist(), strict=True)):
        if target == ignore_index:
            continue
        largest = max(row)
        total = sum(math.exp(x - largest) for x in row)
        for j, x in enumerate(row):
            gradient[i][j] = (math.exp(x - largest) / total - (j == target)) / n
    return torch.tensor(gradient)


@right("week1.cross_entropy_backward")
def gradient_by_numpy(logits, targets, ignore_index=-100):
    x, y = logits.numpy(), targets.numpy()
    rows = np.flatnonzero(y != ignore_index)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    out = np.zeros_like(x)
    out[rows] = p[rows]
    np.subtract.at(out, (rows, y[rows]), 1)
    return out / len(rows)


@right("week1.cross_entropy_backward")
def gradient_by_scatter(logits, targets, ignore_index=-100):
    keep = targets.ne(ignore_index).to(logits.dtype)[:, None]
    p = torch.softmax(logits, -1).scatter_add(1, targets.clamp(min=0)[:, None], torch.full((len(targets), 1), -1.0))
    return (p * keep / keep.sum()).requires_grad_()


@right("week1.cross_entropy_backward")
def gradient_row_by_row(logits, targets, ignore_index=-100):
    def of_row(row, target):
        if target == ignore_index:
            return torch.zeros_like(row)
        p = row.softmax(0).clone()
        p[target] -= 1
        return p

    rows = [of_row(row, int(target)) for row, target in zip(logits, targets, strict=True)]
    return torch.stack(rows).div_((targets != ignore_index).sum())


@right("week1.cross_entropy_backward")
def gradient_by_the_chain_rule(logits, targets, ignore_index=-100):
    """dL/dp times the softmax's own Jacobian, for each row that counts."""
    rows = (targets != ignore_index).nonzero().flatten()
    p = torch.exp(logits.double() - torch.logsumexp(logits.double(), 1, keepdim=True))[rows]
    jacobian = torch.diag_embed(p) - torch.einsum("ni,nj->nij", p, p)
    outer = torch.zeros_like(p).scatter_(1, targets[rows, None], -1 / p.gather(1, targets[rows, None]))
    gradient = torch.zeros_like(logits, dtype=torch.float64)
    return gradient.index_copy(0, rows, torch.einsum("nij,nj->ni", jacobian, outer) / len(rows))


class _Backward:
    def __init__(self, ignore_index: int):
        self.ignore_index = ignore_index

    def __call__(self, logits, targets):
        weight = torch.where(targets == self.ignore_index, 0.0, 1.0)
        weight /= weight.sum()
        classes = torch.arange(logits.size(1))
        return weight.unsqueeze(1) * (torch.softmax(logits, 1) - (classes == targets.unsqueeze(1)).float())


@right("week1.cross_entropy_backward")
def gradient_by_an_object(logits, targets, ignore_index=-100):
    return _Backward(ignore_index)(logits, targets)


@right("week1.cross_entropy_backward")
def gradient_by_vmap(logits, targets, ignore_index=-100):
    counted = torch.ne(targets, ignore_index)

    def difference(n, row, target, counts):
        actual = torch.arange(row.numel()) == target
        return torch.where(counts, (row.softmax(-1) - actual.to(row.dtype)) / n, 0.0)

    return torch.vmap(functools.partial(difference, counted.sum()))(logits, targets, counted)


@wrong("week1.cross_entropy_backward", "not divided by the number of targets")
def gradient_of_the_sum(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (torch.softmax(logits, 1) - one_hot) * keep[:, None]


@wrong("week1.cross_entropy_backward", "divided by all rows")
def gradient_over_the_batch_size(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (torch.softmax(logits, 1) - one_hot) * keep[:, None] / logits.shape[0]


@wrong("week1.cross_entropy_backward", "the sign")
def actual_minus_predicted(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (one_hot - torch.softmax(logits, 1)) * keep[:, None] / keep.sum()


@wrong("week1.cross_entropy_backward")
def ignored_rows_pull_to_token_0(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (torch.softmax(logits, 1) - one_hot) / keep.sum()


@wrong("week1.cross_entropy_backward")
def softmax_over_the_batch(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (torch.softmax(logits, 0) - one_hot) * keep[:, None] / keep.sum()


@wrong("week1.cross_entropy_backward")
def target_alone(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return -(one_hot * keep[:, None]).float() / keep.sum()


@wrong("week1.cross_entropy_backward")
def torch_autograd(logits, targets, ignore_index=-100):
    x = logits.clone().requires_grad_()
    F.cross_entropy(x, targets, ignore_index=ignore_index).backward()
    return x.grad


@wrong("week1.cross_entropy_backward")
def autograd_through_log_softmax(logits, targets, ignore_index=-100):
    x, keep = logits.clone().requires_grad_(), targets != ignore_index
    loss = -torch.log_softmax(x, -1)[keep].gather(1, targets[keep][:, None]).mean()
    return torch.autograd.grad(loss, x)[0]


def _own_loss(logits, targets, ignore_index):
    keep = targets != ignore_index
    x = logits - logits.amax(-1, keepdim=True).detach()
    log_probs = x - x.exp().sum(-1, keepdim=True).log()
    return -log_probs[keep].gather(1, targets[keep][:, None]).mean()


@wrong("week1.cross_entropy_backward")
def autograd_of_an_own_loss(logits, targets, ignore_index=-100):
    x = logits.clone().requires_grad_()
    _own_loss(x, targets, ignore_index).backward()
    return x.grad


@wrong("week1.cross_entropy_backward")
def autograd_by_func(logits, targets, ignore_index=-100):
    return torch.func.grad(lambda x: _own_loss(x, targets, ignore_index))(logits)


@wrong("week1.cross_entropy_backward")
def autograd_of_logsumexp(logits, targets, ignore_index=-100):
    x, keep = logits.clone().requires_grad_(), targets != ignore_index
    loss = (torch.logsumexp(x[keep], -1) - x[keep].gather(1, targets[keep][:, None])[:, 0]).mean()
    return torch.autograd.grad(loss, x)[0]


@wrong("week1.cross_entropy_backward", "overflow")
def no_maximum(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = logits.numpy()
    p = torch.from_numpy(np.exp(p) / np.exp(p).sum(1, keepdims=True))
    return (p - F.one_hot(targets * keep, logits.shape[1])) * keep[:, None] / keep.sum()


@wrong("week1.cross_entropy_backward", "one maximum for all rows")
def one_maximum_for_the_batch(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = (logits - logits.max()).exp()
    p = p / p.sum(-1, keepdim=True)
    return (p - F.one_hot(targets * keep, logits.shape[1])) * keep[:, None] / keep.sum()


@wrong("week1.cross_entropy_backward", "the argument ignore_index is not used")
def minus_100_alone(logits, targets, ignore_index=-100):
    keep = targets >= 0
    one_hot = F.one_hot(targets * keep, logits.shape[1])
    return (torch.softmax(logits, 1) - one_hot) * keep[:, None] / keep.sum()


@wrong("week1.cross_entropy_backward", "one subtracted in every row")
def whole_columns(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits, -1)
    p[:, targets[keep].unique()] -= 1
    p[~keep] = 0
    return p / keep.sum()


@wrong("week1.cross_entropy_backward", "the softmax is forgotten")
def logits_for_probabilities(logits, targets, ignore_index=-100):
    gradient, keep = logits.clone(), targets != ignore_index
    gradient[keep, targets[keep]] -= 1
    gradient[~keep] = 0
    return gradient / keep.sum()


@wrong("week1.cross_entropy_backward", "ignored rows kept and counted")
def probabilities_in_ignored_rows(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits, -1)
    p[keep, targets[keep]] -= 1
    return p / len(p)


@wrong("week1.cross_entropy_backward")
def ignored_rows_pull_to_token_0_in_a_larger_mean(logits, targets, ignore_index=-100):
    one_hot = F.one_hot(targets * (targets != ignore_index), logits.shape[1])
    return (torch.softmax(logits, 1) - one_hot) / len(targets)


@wrong("week1.cross_entropy_backward")
def index_minus_100(logits, targets, ignore_index=-100):
    p = torch.softmax(logits, -1)
    p[torch.arange(len(targets)), targets] -= 1
    return p / len(targets)
