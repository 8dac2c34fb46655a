"""week3.unscale: true gradients again, and are they finite?"""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform


def _unscale_probe(target, inputs):
    import torch

    parameters = []
    for gradient in inputs["gradients"]:
        parameters.append(torch.nn.Parameter(torch.ones(3) if gradient is None else torch.ones_like(gradient)))
        parameters[-1].grad = None if gradient is None else gradient.clone()
    given = (p for p in parameters) if inputs["generator"] else parameters
    try:
        found = target(given, inputs["scale"])
    except ValueError:
        if not any(p.grad is not None and p.grad.dtype is torch.float16 for p in parameters):
            raise
        return {"raises": "ValueError"}
    return {"found_inf": found, "gradients": [p.grad for p in parameters]}


def _unscale_cases(rng):
    def case(name, *spoilt, shapes=((4,), (2, 3), (3,)), scale=1024.0, generator=False, **options):
        """spoilt: (index of a gradient, value) to be put somewhere into it, or (index, None) for no gradient."""
        gradients = [normal(rng, *shape, scale=scale) for shape in shapes]
        for index, value in spoilt:
            if value is None or isinstance(value, torch.dtype):
                gradients[index] = None if value is None else gradients[index].to(value)
            else:
                free = gradients[index].isfinite().flatten().nonzero().flatten()
                gradients[index].view(-1)[free[integer(rng, 0, len(free) - 1)]] = value
        return Case(name, {"gradients": gradients, "scale": scale, "generator": generator}, **options)

    inf, nan = math.inf, math.nan
    yield case("all finite")
    yield case("all finite, from a generator", scale=2.0 ** integer(rng, 11, 14), generator=True)
    yield case("a scale that is no power of two", scale=uniform(rng, 700, 1300))
    yield case("a scale of 65536, tiny gradients", shapes=((5,), (2,)), scale=65536.0)
    yield case("inf in the first gradient", (0, inf))
    yield case("inf in the last gradient", (2, inf))
    yield case("-inf in the middle", (1, -inf))
    yield case("NaN in the first gradient", (0, nan))
    yield case("NaN in the middle, from a generator", (1, nan), generator=True)
    yield case("inf and NaN", (0, inf), (2, nan))
    yield case("inf and NaN in one gradient", (0, inf), (0, nan), shapes=((1, 2), (3,)))
    yield case("inf and -inf in one gradient", (1, inf), shapes=((1,), (1,), (4, 2)))
    yield case("a parameter without a gradient", (1, None))
    yield case("inf behind a parameter without a gradient", (0, None), (1, inf))
    yield case("bfloat16 among them", (1, torch.bfloat16), tolerance=Tolerance(rtol=1e-2, atol=1e-6))
    yield case("very large, and finite", (1, 3e38), tolerance=Tolerance(rtol=1e-4, atol=1e-6))
    yield case("float16 gradients", (2, torch.float16), edge=True)
    yield case("no gradient at all", (0, None), (1, None), (2, None), edge=True)
    yield case("no parameters", shapes=(), edge=True)


def _by_grad_scaler(parameters, scale):
    """What torch.amp.GradScaler does between backward and step."""
    parameters = list(parameters)
    if not parameters:
        return False
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    scaler.scale(torch.ones(()))  # its scale exists from the first loss on
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    scaler.unscale_(optimizer)
    return any(bool(found) for found in scaler._found_inf_per_device(optimizer).values())


def _loop(
    divide=lambda gradient, scale: gradient / scale,
    bad=lambda gradient: not gradient.isfinite().all(),
    join=lambda before, now: before or now,
    none=True,
    half=True,
    stop=False,
):
    """An answer with its choices open; the defaults are right."""

    def unscale(parameters, scale):
        found = False
        for parameter in parameters:
            if none and parameter.grad is None:
                continue
            if half and parameter.grad.dtype is torch.float16:
                raise ValueError
            found = bool(join(found, bad(parameter.grad)))
            parameter.grad = divide(parameter.grad, scale)
            if stop and found:
                break
        return found

    return unscale


def _generator_used_up(parameters, scale):
    found = any(not p.grad.isfinite().all() for p in parameters if p.grad is not None)
    if any(p.grad is not None and p.grad.dtype is torch.float16 for p in parameters):
        raise ValueError
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad /= scale
    return found


def _only_if_clean(parameters, scale):
    parameters = [p for p in parameters if p.grad is not None]
    if any(p.grad.dtype is torch.float16 for p in parameters):
        raise ValueError
    if any(not p.grad.isfinite().all() for p in parameters):
        return True
    for parameter in parameters:
        parameter.grad /= scale
    return False


def _none_divided(parameters, scale):
    found = False
    for parameter in parameters:
        found |= not torch.isfinite(parameter.grad).all()
        if parameter.grad.dtype is torch.float16:
            raise ValueError
        parameter.grad /= scale
    return found


def _finite_instead(parameters, scale):
    return not _loop()(parameters, scale)


UNSCALE = Exercise(
    id="week3.unscale",
    title="True gradients again, and are they finite?",
    points=2,
    minutes=10,
    why="One infinite gradient that goes unnoticed turns every weight into NaN at the next step.",
    oracle="torch.amp.GradScaler.unscale_",
    cases=_unscale_cases,
    probe=_unscale_probe,
    expected=lambda inputs: _unscale_probe(_by_grad_scaler, inputs),
    tolerance=Tolerance(rtol=1e-4, atol=1e-7),
    library=("aten._amp_foreach_non_finite_check_and_unscale_",),
    misconceptions=(
        Misconception(
            "NaN not noticed",
            _loop(bad=lambda gradient: gradient.isinf().any()),
            "You look for inf alone. inf - inf and 0 · inf are NaN, and NaN ruins the weights just as well.",
        ),
        *(
            Misconception(
                "inf not noticed",
                _loop(bad=bad),
                "You look for NaN alone. Overflow gives inf first of all.",
            )
            for bad in (
                lambda gradient: gradient.isnan().any(),
                lambda gradient: (gradient != gradient).any(),
                lambda gradient: gradient.sum().isnan(),
            )
        ),
        *(
            Misconception(
                "a comparison that NaN or -inf passes",
                _loop(bad=bad),
                "A comparison such as `max > bound` is False for NaN, and does not see what lies at the other end.",
            )
            for bad in (
                lambda gradient: gradient.max() == math.inf,
                lambda gradient: gradient.max() > 3.4e38,
                lambda gradient: gradient.abs().max() == math.inf,
            )
        ),
        *(
            Misconception(
                "a norm that overflows by itself",
                _loop(bad=bad),
                "You look at a sum of squares. A gradient can be large and finite while its square is not.",
            )
            for bad in (
                lambda gradient: not gradient.square().sum().isfinite(),
                lambda gradient: not gradient.norm().square().isfinite(),
            )
        ),
        Misconception(
            "the last gradient decides",
            _loop(join=lambda before, now: now),
            "What you find in one gradient is overwritten by the next: only the last one counts.",
        ),
        Misconception(
            "only if all are bad",
            _loop(bad=lambda gradient: not gradient.isfinite().any()),
            "A gradient counts as bad in your answer only when *none* of its entries is finite. One bad entry is "
            "enough.",
        ),
        Misconception(
            "stops at the first",
            _loop(stop=True),
            "You leave off at the first gradient that is not finite: those behind it stay scaled.",
        ),
        Misconception(
            "divides only where all is finite",
            _only_if_clean,
            "Where anything is not finite you leave all gradients scaled. See the docstring: the others are divided "
            "all the same.",
        ),
        Misconception(
            "bad entries replaced",
            _loop(divide=lambda gradient, scale: torch.nan_to_num(gradient / scale, 0.0, 0.0, 0.0)),
            "You replace what is not finite. Such a step is skipped as a whole: the gradient of the other entries came "
            "through the same overflow.",
        ),
        Misconception(
            "gradients not divided",
            _loop(divide=lambda gradient, scale: gradient),
            "The flag is right, but the gradients are as large as before. Is the quotient stored in `.grad`?",
        ),
        Misconception(
            "multiplied",
            _loop(divide=lambda gradient, scale: gradient * scale),
            "Your gradients got larger. They were multiplied by the scale once already.",
        ),
        *(
            Misconception(
                "a calculation with None",
                answer,
                "A parameter that the loss never met has no gradient: its `.grad` is None.",
            )
            for answer in (_loop(none=False), _none_divided)
        ),
        Misconception(
            "float16 gradients divided",
            _loop(half=False),
            "You divide float16 gradients where they are: the small ones, which the scale saved, become zero after "
            "all. Trainable parameters belong in float32; say so with a ValueError.",
        ),
        Misconception(
            "the generator used up",
            _generator_used_up,
            "You go through `parameters` twice. A generator gives its items once; the second loop sees none.",
        ),
        Misconception(
            "the other way round",
            _finite_instead,
            "You return True where all gradients are finite.",
        ),
    ),
)
