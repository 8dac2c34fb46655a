"""The loss around a model's weights: slices along directions, the sharpest curvature, and the noise of the gradient.

Directions are lists of tensors, one for each of `model.parameters()`. Whatever is measured, the weights are afterwards
what they were, bit for bit, and `.grad` is untouched.
"""

import contextlib
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from course.lab import training


def filter_normalised(model, generator=None) -> list[torch.Tensor]:
    """A random direction whose filters are as long as those of the weights (Li et al. 2018, arXiv 1712.09913).

    A filter is weight[i] of a parameter of two or more axes; biases and the weights of norms get zeros.
    """
    direction = []
    for weight in model.parameters():
        move = torch.zeros_like(weight.detach())
        if weight.ndim > 1:
            raw = torch.randn(weight.shape, generator=generator).to(weight)
            move = raw * _sizes(weight.detach()) / _sizes(raw)
        direction.append(move)
    return direction


def _sizes(tensor):
    return torch.linalg.vector_norm(tensor, dim=tuple(range(1, tensor.ndim)), keepdim=True)


@contextlib.contextmanager
def restored(model):
    """Within, the weights may be moved; afterwards, also after an error, each is what it was, bit for bit."""
    weights = list(model.parameters())
    start = [weight.detach().clone() for weight in weights]
    try:
        yield start
    finally:
        with torch.no_grad():
            for weight, begin in zip(weights, start, strict=True):
                weight.copy_(begin)


@torch.no_grad()
def _at(model, loss_fn, start, moves):
    for place, (weight, begin) in enumerate(zip(model.parameters(), start, strict=True)):
        weight.copy_(begin + sum(alpha * direction[place] for alpha, direction in moves))
    return float(loss_fn(model))


def slice_1d(model, loss_fn: Callable, direction, alphas: Iterable[float]) -> list[float]:
    """loss_fn(model) at weights + alpha * direction, for each alpha."""
    with restored(model) as start:
        return [_at(model, loss_fn, start, [(alpha, direction)]) for alpha in alphas]


def slice_2d(model, loss_fn: Callable, first, second, alphas, betas) -> torch.Tensor:
    """Losses (len(betas), len(alphas)), float64, at weights + alpha * first + beta * second."""
    with restored(model) as start:
        rows = [[_at(model, loss_fn, start, [(a, first), (b, second)]) for a in alphas] for b in betas]
    return torch.tensor(rows, dtype=torch.float64)


def twice_differentiable():
    """A context in which attention has a second derivative: torch's fast kernels have only the first one."""
    return sdpa_kernel(SDPBackend.MATH)


def hessian_times(loss_fn: Callable, params, vector: torch.Tensor) -> torch.Tensor:
    """H v for a flat vector over all of `params`, flat too; loss_fn() is the loss with its graph.

    Zeros where the loss is linear or does not depend on a parameter.
    """
    params = list(params)
    with twice_differentiable():
        gradient = _flat(torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True))
        along = gradient @ vector
        if not along.requires_grad:
            return torch.zeros_like(vector)
        return _flat(torch.autograd.grad(along, params, materialize_grads=True)).detach()


def _flat(tensors):
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


class Sharpness(NamedTuple):
    value: float  # the largest eigenvalue of the Hessian, with its sign
    direction: torch.Tensor  # its eigenvector, flat, of norm 1
    modulus: float  # the largest size of an eigenvalue, of either sign


def sharpness(loss_fn: Callable, params, iterations: int = 30, generator=None) -> Sharpness:
    """The largest signed eigenvalue of the Hessian, by power iteration and again with all eigenvalues shifted up.

    `iterations` products with the Hessian in each of the two rounds, each about three times the cost of a gradient.
    The estimate comes from below; where the two largest eigenvalues lie close, the value converges long before the
    direction does.
    """
    params = list(params)

    def iterate(shift):
        v = torch.randn(sum(p.numel() for p in params), generator=generator).to(params[0])
        for _ in range(iterations):
            unit = v / v.norm().clamp(min=1e-30)
            product = hessian_times(loss_fn, params, unit)
            v = product + shift * unit
        return float(unit @ product), unit, float(product.norm())

    _, _, modulus = iterate(0.0)
    value, direction, _ = iterate(modulus)
    return Sharpness(value, direction, modulus)


class NoiseScale(NamedTuple):
    scale: float  # S / |G|², in rows of a batch; NaN where |G|² is not above 0
    signal: float  # |G|²: of the gradient over all rows
    noise: float  # S: the variance of the gradient of one row, summed over all weights
    small: list[float]  # measured squared norms, draw by draw
    big: list[float]


def noise_scale(model, batches: Iterable[dict], small: int = 4, draws: int = 8, loss=training.loss) -> NoiseScale:
    """The gradient noise scale (McCandlish et al. 2018, appendix A), the weights as they are.

    Takes `draws` batches; each as a whole is a big one, its first `small` rows a small one. Every batch has the same
    number of rows, above `small`, and every row as many labels that count.
    Raises ValueError where a batch is too small or `batches` ends too early.
    """
    params = [p for p in model.parameters() if p.requires_grad]

    def square(batch):
        gradient = torch.autograd.grad(loss(model, batch), params, materialize_grads=True)
        return sum(float(g.double().square().sum()) for g in gradient)

    norms, rows = ([], []), 0
    for _, batch in zip(range(draws), batches, strict=False):
        rows = len(batch["input_ids"])
        if rows <= small:
            raise ValueError(f"a batch of {rows} rows has no part of {small} rows that is smaller")
        norms[0].append(square({key: value[:small] for key, value in batch.items()}))
        norms[1].append(square(batch))
    if len(norms[1]) < draws:
        raise ValueError(f"{len(norms[1])} batches, {draws} are needed")
    low, high = (sum(found) / draws for found in norms)
    signal = (rows * high - small * low) / (rows - small)
    noise = (low - high) / (1 / small - 1 / rows)
    return NoiseScale(noise / signal if signal > 0 else math.nan, signal, noise, *norms)
