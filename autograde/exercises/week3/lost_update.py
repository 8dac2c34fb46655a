"""week3.lost_update: updates that round away."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

# Updates in units of the spacing above the weight: lost; kept though less than one spacing; kept. None near a tie.
_LOST, _ROUNDED, _KEPT, _LARGE = (0.06, 0.42), (0.58, 0.92), (1.15, 1.5), (3.0, 30.0)


def _entries(rng, dtype, kinds, powers=False, low=-6, high=5):
    """→ weights that `dtype` holds, 2^j (1 + k eps), and updates, one band of `kinds` a weight. powers: k = 0."""
    eps, n = torch.finfo(dtype).eps, len(kinds)
    steps = torch.zeros(n) if powers else (0.62 + 0.36 * torch.rand(n, generator=rng)).div(eps).round()
    size = 2.0 ** torch.randint(low, high + 1, (n,), generator=rng).double()
    bands = torch.tensor(kinds, dtype=torch.float64)
    factors = bands[:, 0] + (bands[:, 1] - bands[:, 0]) * torch.rand(n, generator=rng, dtype=torch.float64)
    signs = torch.randint(0, 2, (2, n), generator=rng).double() * 2 - 1
    weight = signs[0] * size * (1 + steps.double() * eps)
    return weight.float(), (signs[1] * factors * eps * size).float()


def _lost_cases(rng):
    names = {torch.bfloat16: "bfloat16", torch.float16: "float16", torch.float32: "float32"}
    for dtype, name in names.items():
        kinds = [_LOST, _ROUNDED, _KEPT, _LOST, _ROUNDED, _LARGE, _LOST]
        order = torch.randperm(len(kinds), generator=rng).tolist()
        weight, update = _entries(rng, dtype, [kinds[i] for i in order])
        yield Case(f"{name}, weights of many sizes", {"weight": weight, "update": update, "dtype": dtype})

    for dtype in (torch.bfloat16, torch.float16):
        weight, _ = _entries(rng, dtype, [_LOST] * 6, powers=True)
        eps = torch.finfo(dtype).eps
        # away from zero the neighbours lie a spacing apart, towards zero half of that
        factors = torch.tensor([0.35, -0.35, 0.4, -0.4, -0.15, 0.7]) + 0.03 * (torch.rand(6, generator=rng) - 0.5)
        update = weight * eps * factors
        order = torch.randperm(6, generator=rng)
        inputs = {"weight": weight[order], "update": update[order], "dtype": dtype}
        yield Case(f"{names[dtype]}, weights that are powers of two", inputs)

    weight, update = _entries(rng, torch.bfloat16, [_LOST, _KEPT, _LOST, _ROUNDED])
    update[2 * integer(rng, 0, 1)] = 0.0
    yield Case("an update of zero", {"weight": weight, "update": update, "dtype": torch.bfloat16})
    weight, update = _entries(rng, torch.float16, [_KEPT, _LOST, _KEPT, _KEPT], low=0)
    update[integer(rng, 2, 3)] = 1e-9
    yield Case("an update that is zero in float16", {"weight": weight, "update": update, "dtype": torch.float16})
    weight, update = _entries(rng, torch.bfloat16, [_KEPT, _LOST, _ROUNDED, _LOST])
    weight[integer(rng, 2, 3)] = 0.0
    yield Case("a weight of zero", {"weight": weight, "update": update, "dtype": torch.bfloat16})

    weight, update = _entries(rng, torch.bfloat16, [_LOST, _KEPT, _ROUNDED, _LOST, _ROUNDED, _LOST])
    inputs = {"weight": weight.reshape(2, 3), "update": update.reshape(2, 3), "dtype": torch.bfloat16}
    yield Case("a matrix", inputs)
    weight, update = _entries(rng, torch.bfloat16, [_LOST, _KEPT, _ROUNDED, _LOST])
    inputs = {"weight": weight.to(torch.bfloat16), "update": update, "dtype": torch.bfloat16}
    yield Case("a weight that is stored in bfloat16", inputs)
    weight, update = _entries(rng, torch.float32, [_LOST, _KEPT, _ROUNDED, _LOST])
    weight, update = torch.cat([weight, torch.tensor([1.0])]), torch.cat([update, torch.tensor([0.003])])
    yield Case("float32 as a master", {"weight": weight, "update": update, "dtype": torch.float32})
    story = {"weight": torch.tensor([1.0, 1.0, 1.0]), "update": torch.tensor([0.003, -0.003, 0.005])}
    yield Case("1 + .003 in bfloat16", {**story, "dtype": torch.bfloat16})


def _by_arithmetic(inputs):
    weight, update = inputs["weight"].to(inputs["dtype"]), inputs["update"].to(inputs["dtype"])
    return torch.add(weight, update).eq(weight) & inputs["update"].ne(0)


def _spacing(weight, dtype):
    """The distance to the next number away from zero; 0 at zero."""
    size = torch.where(weight == 0, 1.0, 2.0 ** (weight.double().frexp().exponent - 1).double())
    return size * torch.finfo(dtype).eps * (weight != 0)


def _bound(bound):
    """Lost where the update is smaller than bound(weight, dtype)."""

    def lost_update(weight, update, dtype):
        return (update.abs() < bound(weight.double(), dtype)) & (update != 0)

    return lost_update


def _zero_lost(weight, update, dtype):
    before = weight.to(dtype)
    return before + update.to(dtype) == before


def _cast_alone(weight, update, dtype):
    return (update.to(dtype) == 0) & (update != 0)


def _in_float32(weight, update, dtype):
    return (weight.float() + update.float() == weight.float()) & (update != 0)


def _kept(weight, update, dtype):
    before = weight.to(dtype)
    return (before + update.to(dtype) != before) & (update != 0)


LOST_UPDATE = Exercise(
    id="week3.lost_update",
    title="Which updates round away?",
    points=2,
    minutes=10,
    why="A weight kept in 16 bits stops learning long before its gradient vanishes; no loss curve says so.",
    oracle="torch's addition in the format itself",
    cases=_lost_cases,
    expected=_by_arithmetic,
    misconceptions=(
        *(
            Misconception(
                "compares with eps",
                _bound(bound),
                "You compare the update with eps. That is the spacing of the numbers between 1 and 2; how far apart "
                "are they around *this* weight?",
            )
            for bound in (
                lambda weight, dtype: torch.finfo(dtype).eps,
                lambda weight, dtype: torch.finfo(dtype).eps / 2,
            )
        ),
        *(
            Misconception(
                "eps times the weight",
                _bound(bound),
                "You let the spacing grow smoothly with the weight. It stays the same from one power of two up to the "
                "next, and then doubles.",
            )
            for bound in (
                lambda weight, dtype: torch.finfo(dtype).eps * weight.abs() / 2,
                lambda weight, dtype: torch.finfo(dtype).eps * weight.abs(),
            )
        ),
        Misconception(
            "half a spacing on both sides",
            _bound(lambda weight, dtype: _spacing(weight, dtype) / 2),
            "You take the numbers on both sides of a weight to be equally far. Just below a power of two they lie "
            "closer together than above it.",
        ),
        Misconception(
            "a whole spacing",
            _bound(_spacing),
            "You take every update below one spacing for lost. The sum is rounded to the nearest number: from where on "
            "is that the next one?",
        ),
        Misconception(
            "an update of zero counted",
            _zero_lost,
            "You also call an update of zero lost. There was nothing to lose.",
        ),
        Misconception(
            "looks at the update alone",
            _cast_alone,
            "You ask whether the update itself survives the cast. It may, and still be too small beside the weight.",
        ),
        Misconception(
            "the sum in float32",
            _in_float32,
            "You add in float32, where almost nothing is lost. In which dtype is the sum to be stored?",
        ),
        Misconception(
            "the other way round",
            _kept,
            "You mark the updates that arrive. Asked for are those that are lost.",
        ),
    ),
)
