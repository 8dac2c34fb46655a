"""week3.underflow_fraction: how much of a gradient a format loses."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform

# Magnitudes in float16: what becomes 0, what rounds up to the smallest subnormal, the other subnormals, normal numbers
# around eps, and what overflows. No value lies near a border.
_BANDS = {
    "lost": (1e-10, 1e-8),
    "just lost": (1.7e-8, 2.6e-8),
    "rounded up": (3.4e-8, 5.6e-8),
    "subnormal": (7e-8, 5.5e-5),
    "small": (7e-5, 8e-4),
    "normal": (2e-3, 4e2),
    "large": (1e5, 1e6),
}


def _drawn(rng, counts, zeros, unit=1.0, dtype=torch.float32):
    """Shuffled entries: so many of each band, times `unit`, with either sign, and so many zeros."""
    parts = [torch.zeros(zeros, dtype=torch.float64)]
    for band, count in counts.items():
        low, high = torch.tensor(_BANDS[band], dtype=torch.float64).log()
        parts.append((low + (high - low) * torch.rand(count, generator=rng, dtype=torch.float64)).exp() * unit)
    values = torch.cat(parts)
    signs = torch.randint(0, 2, values.shape, generator=rng) * 2 - 1
    return (values * signs)[torch.randperm(len(values), generator=rng)].to(dtype)


def _underflow_cases(rng):
    def entries(unit=1.0, dtype=torch.float32, **more):
        counts = {
            "lost": integer(rng, 4, 7),
            "just lost": 1,
            "rounded up": 1,
            "subnormal": 3,
            "small": 2,
            "normal": 4,
        } | more
        return _drawn(rng, counts, integer(rng, 3, 4), unit, dtype)

    half = {"dtype": torch.float16}
    yield Case("float16, no scale", {"tensor": entries(), **half})
    yield Case("float16, larger numbers too", {"tensor": entries(large=3), **half})
    scale = 2.0 ** integer(rng, 8, 12)
    yield Case("a power of two as scale", {"tensor": entries(1 / scale), **half, "scale": scale})
    scale = uniform(rng, 1000, 3000)
    yield Case("another scale", {"tensor": entries(1 / scale, large=2), **half, "scale": scale})
    scale = uniform(rng, 0.002, 0.004)
    yield Case("a scale below 1", {"tensor": entries(1 / scale), **half, "scale": scale})
    yield Case("no zeros among them", {"tensor": _drawn(rng, {"lost": 3, "normal": 4}, 0), **half})
    # in float32, whose borders lie elsewhere: "lost" below 1e-47, "large" among its normal numbers
    counts = {"lost": integer(rng, 2, 4), "large": 5}
    inputs = {"tensor": _drawn(rng, counts, 2, 2.0**-132, torch.float64), "dtype": torch.float32}
    yield Case("from float64 to float32", inputs)
    yield Case("a scale that saves all of it", {**inputs, "scale": 2.0**60}, edge=True)
    matrix = entries(normal=12)
    yield Case("a matrix", {"tensor": matrix[: len(matrix) // 4 * 4].reshape(4, -1), **half})
    yield Case("bfloat16 keeps what float16 loses", {"tensor": entries(), "dtype": torch.bfloat16}, edge=True)
    yield Case("nothing but zeros", {"tensor": torch.zeros(integer(rng, 2, 5)), **half}, edge=True)
    yield Case("a single entry, which is lost", {"tensor": _drawn(rng, {"lost": 1}, 2), **half}, edge=True)


def _by_casts(inputs):
    tensor, scale = inputs["tensor"], inputs.get("scale", 1.0)
    there = tensor[tensor != 0]
    return float((there * scale).to(inputs["dtype"]).eq(0).double().mean()) if there.numel() else 0.0


def _share(lost, of=lambda tensor: tensor != 0, among=lambda tensor: tensor != 0):
    """A share with its choices open: what is lost, which entries may count as lost, and out of how many."""

    def underflow_fraction(tensor, dtype, scale=1.0):
        count = (lost(tensor, dtype, scale) & of(tensor)).sum().item()
        return count / max(among(tensor).sum().item(), 1)

    return underflow_fraction


def _vanished(tensor, dtype, scale):
    return (tensor * scale).to(dtype) == 0


def _all(tensor):
    return torch.ones_like(tensor, dtype=torch.bool)


def _below(bound):
    return _share(lambda tensor, dtype, scale: (tensor * scale).abs() < bound(torch.finfo(dtype)))


UNDERFLOW_FRACTION = Exercise(
    id="week3.underflow_fraction",
    title="How much does a format lose?",
    points=2,
    minutes=10,
    why="It says whether a run needs loss scaling, and how large the scale must be.",
    oracle="torch.Tensor.to: a cast to the format itself",
    cases=_underflow_cases,
    expected=_by_casts,
    tolerance=Tolerance(rtol=1e-6, atol=1e-6),
    misconceptions=(
        Misconception(
            "true zeros counted as lost",
            _share(_vanished, of=_all, among=_all),
            "You also count the entries that are zero in the first place. A zero that stays zero loses nothing.",
        ),
        Misconception(
            "true zeros counted as lost, and not as entries",
            _share(_vanished, of=_all),
            "Your share takes the zeros in on one side and leaves them out on the other: they count nowhere.",
        ),
        Misconception(
            "divided by all entries",
            _share(_vanished, among=_all),
            "You count the right entries and divide by all of them. Out of how many could have been lost?",
        ),
        *(
            Misconception(
                "the scale left out",
                _share(lost),
                "In your answer the scale saves nothing: it is left out, or comes after the cast, when what was lost "
                "is lost.",
            )
            for lost in (
                lambda tensor, dtype, scale: tensor.to(dtype) == 0,
                lambda tensor, dtype, scale: tensor.to(dtype) * scale == 0,
                lambda tensor, dtype, scale: tensor.to(dtype).to(tensor.dtype) * scale == 0,
            )
        ),
        Misconception(
            "divided by the scale",
            _share(lambda tensor, dtype, scale: (tensor / scale).to(dtype) == 0),
            "A larger scale loses more in your answer. In which direction should it move the entries?",
        ),
        Misconception(
            "subnormals counted as lost",
            _below(lambda info: info.tiny),
            "You count all that lies below the smallest normal number. Below it the subnormals begin: fewer digits, "
            "but not zero.",
        ),
        Misconception(
            "the border at the smallest subnormal",
            _below(lambda info: info.tiny * info.eps),
            "You take everything below the smallest subnormal for lost. A cast rounds to the nearest: what happens "
            "just below it?",
        ),
        Misconception(
            "compares with eps",
            _below(lambda info: info.eps),
            "You compare with eps, the spacing of the numbers around 1. How small a number may be is another matter.",
        ),
        Misconception(
            "overflow counted too",
            _share(
                lambda tensor, dtype, scale: _vanished(tensor, dtype, scale) | ~(tensor * scale).to(dtype).isfinite()
            ),
            "You also count what becomes infinite. That is overflow; this is about what becomes 0.",
        ),
        Misconception(
            "the share that is kept",
            _share(lambda tensor, dtype, scale: ~_vanished(tensor, dtype, scale)),
            "{got} is the share that survives.",
        ),
        Misconception(
            "a number, not a share",
            lambda tensor, dtype, scale=1.0: _vanished(tensor, dtype, scale)[tensor != 0].sum().item(),
            "{got} is how many entries are lost. Asked for is their share.",
        ),
        Misconception(
            "in percent",
            lambda tensor, dtype, scale=1.0: _share(_vanished)(tensor, dtype, scale) * 100,
            "{got} is in percent; a share lies between 0 and 1.",
        ),
    ),
)
