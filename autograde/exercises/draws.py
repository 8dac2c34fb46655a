"""Short ways to draw case inputs from a torch.Generator."""

import torch


def normal(rng, *shape, scale=1.0):
    """A float32 tensor of normal draws."""
    return torch.randn(*shape, generator=rng) * scale


def integer(rng, low, high):
    """One int in [low, high]."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def integers(rng, low, high, *shape):
    """An int64 tensor of draws in [low, high]."""
    return torch.randint(low, high + 1, shape, generator=rng)


def uniform(rng, low, high):
    """One float in [low, high), with three decimals, so that it reads well in a message."""
    return round(low + (high - low) * float(torch.rand((), generator=rng)), 3)
