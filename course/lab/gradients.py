"""Gradients as vectors: of a batch, of every row by itself, what stands in `.grad`, and how two of them compare.

Every vector is (N,) float32, the parameters that train one behind the other, in the order of `model.parameters()`.
"""

import contextlib
import copy
import functools
import math

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from course.lab import text, training


def trained(steps: int = 100, seed: int = 0):
    """A copy of its own of the tiny model after `steps` updates (AdamW, learning rate .01, 16 rows of 64 bytes)."""
    return copy.deepcopy(_trained(steps, seed))


@functools.cache
def _trained(steps, seed):
    model = training.tiny_model(seed)
    with training.one_thread():
        for _ in training.tiny_run(1e-2, 16, steps, seed, model=model):
            pass
    model.zero_grad()
    return model


def pieces(lengths, seed: int = 0) -> list[dict]:
    """A micro-batch of one row for each length (in tokens), cut from random places of the training text."""
    ids = text.corpus().train
    places = torch.randint(len(ids) - max(lengths), (len(lengths),), generator=training.generator(seed, 5)).tolist()
    return [text.batch(ids[None, at : at + n]) for at, n in zip(places, lengths, strict=True)]


def whole(micro_batches) -> dict:
    """All rows of the micro-batches as one batch, padded on the right to the longest."""
    longest = max(batch["input_ids"].shape[1] for batch in micro_batches)
    fill = {"input_ids": text.PAD, "attention_mask": 0, "labels": -100}
    return {
        key: torch.cat([F.pad(b[key], (0, longest - b[key].shape[1]), value=value) for b in micro_batches])
        for key, value in fill.items()
    }


def counted(batch) -> torch.Tensor:
    """How many labels of the batch count, a 0-d tensor: those behind the first place that are not -100."""
    return (batch["labels"][:, 1:] != -100).sum()


def gradient(model) -> torch.Tensor:
    """What stands in `.grad` now; zeros where there is none."""
    return torch.cat(
        [
            (torch.zeros_like(p) if p.grad is None else p.grad.detach()).flatten()
            for p in model.parameters()
            if p.requires_grad
        ]
    )


def gradient_of(model, batch) -> torch.Tensor:
    """The gradient of the mean loss over the labels of `batch` that count. It leaves `.grad` empty."""
    with training.one_thread():
        model.zero_grad()
        training.loss(model, batch).backward()
    found = gradient(model)
    model.zero_grad()
    return found


def by_row(model, ids: torch.Tensor, at_once: int = 32) -> torch.Tensor:
    """(rows, N): the gradient of the mean loss of every row of `ids` (rows, T) by itself, nothing of it padding.

    Rows are equally long, so the gradient of any batch of them is the mean of theirs.
    """
    weights = {name: p.detach() for name, p in model.named_parameters()}

    def loss(weights, row):
        logits = functional_call(model, weights, (row[None],)).logits
        return F.cross_entropy(logits[0, :-1], row[1:])

    # the plain kernel of attention: the fused one has no rule for vmap, and would run row by row with a warning
    with training.one_thread(), sdpa_kernel(SDPBackend.MATH):
        parts = [vmap(grad(loss), in_dims=(None, 0))(weights, some) for some in ids.split(at_once)]
    return torch.cat([torch.cat([g.flatten(1) for g in part.values()], dim=1) for part in parts])


@functools.lru_cache(4)  # a few dozen megabytes each
def rows_of(before: int, pool: int = 256) -> torch.Tensor:
    """(pool, N): the gradient of each of `pool` rows by itself, for the tiny model after `before` updates."""
    ids = next(text.windows("train", pool, 64, training.generator(0, 9)))
    return by_row(trained(before), ids)


def parts(rows: torch.Tensor, size: int, seed: int = 0) -> torch.Tensor:
    """The rows dealt out at random to batches of `size`: the gradient of each, (batches, N)."""
    order = torch.randperm(len(rows), generator=training.generator(seed, size))
    return rows[order[: len(rows) // size * size]].view(-1, size, rows.shape[1]).mean(1)


def agreement(rows: torch.Tensor, size: int, seed: int = 0) -> torch.Tensor:
    """Cosine between each batch of `size` rows and all rows together, (batches,)."""
    return F.cosine_similarity(parts(rows, size, seed), rows.mean(0, keepdim=True), dim=1)


def expected_agreement(rows: torch.Tensor, size: int) -> float:
    """The cosine that the spread of single rows foretells: 1 / √(1 + S²/|G|² · (1/size - 1/pool))."""
    mean = rows.mean(0)
    spread = float((rows - mean).square().sum() / (len(rows) - 1) / mean.square().sum())
    return (1 + spread * (1 / size - 1 / len(rows))) ** -0.5


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    """The cosine of the angle between two vectors, in float64: 1 is the same direction, 0 a right angle."""
    return float(F.cosine_similarity(a.double(), b.double(), dim=0))


def error(got: torch.Tensor, true: torch.Tensor) -> float:
    """|got - true| / |true|: 0 where they are equal, 1 where one could as well have answered zero."""
    return float((got - true).norm() / true.norm())


def _factor(gradient, limit):
    return gradient * min(1.0, limit / max(float(gradient.norm()), 1e-30))


def _together(gradients, limit):
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    return [g * min(1.0, limit / max(norm, 1e-30)) for g in gradients]


def _groups(gradients, weights, limit):
    embedding, *blocks, head = gradients
    embedding, head = _together([embedding, head], limit)
    return [embedding, *_together(blocks, limit), head]


def _adaptive(gradients, weights, limit):
    found = []
    for g, w in zip(gradients, weights, strict=True):
        rows = g.view(len(g), -1).norm(dim=1), w.view(len(w), -1).norm(dim=1).clamp_min(1e-3)
        factor = (limit * rows[1] / rows[0].clamp_min(1e-30)).clamp(max=1.0)
        found.append(g * factor.view(-1, *[1] * (g.ndim - 1)))
    return found


WAYS = {  # name: (list of gradients, list of weights, limit) -> list of gradients
    "global norm": lambda gradients, weights, limit: _together(gradients, limit),
    "norm of two groups": _groups,
    "norm of each parameter": lambda gradients, weights, limit: [_factor(g, limit) for g in gradients],
    "each row, by its weights": _adaptive,
    "each number": lambda gradients, weights, limit: [g.clamp(-limit, limit) for g in gradients],
}


def shortened(way: str, model, share: float) -> torch.Tensor:
    """The gradient in `.grad`, clipped by one of WAYS with the limit that leaves `share` of its norm, as one vector."""
    found = [(p.grad, p.detach()) for p in model.parameters() if p.grad is not None]
    gradients, weights = [g for g, _ in found], [w for _, w in found]
    aim = share * float(gradient(model).norm())
    low, high = -12.0, 6.0  # powers of ten of the limit
    for _ in range(50):
        middle = (low + high) / 2
        result = torch.cat([g.flatten() for g in WAYS[way](gradients, weights, 10**middle)])
        low, high = (middle, high) if float(result.norm()) < aim else (low, middle)
    return result


def exchanges(model, micro_batches, no_sync: bool) -> int | None:
    """How often DistributedDataParallel would send the gradients around for one update from these micro-batches.

    `no_sync`: whether all micro-batches but the last are under `no_sync()`. The group has one process, and what it
    would send is counted. None where this machine has no network interface at all, not even its own.
    """
    sent = []

    def count(_, bucket):
        sent.append(bucket.buffer().numel())
        done = torch.futures.Future()
        done.set_result(bucket.buffer())
        return done

    try:
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    except RuntimeError:
        return None
    try:
        copies = torch.nn.parallel.DistributedDataParallel(copy.deepcopy(model))
        copies.register_comm_hook(None, count)
        for number, batch in enumerate(micro_batches, 1):
            quiet = no_sync and number < len(micro_batches)
            with copies.no_sync() if quiet else contextlib.nullcontext():
                training.loss(copies, batch).backward()
    finally:
        dist.destroy_process_group()
    return len(sent)
