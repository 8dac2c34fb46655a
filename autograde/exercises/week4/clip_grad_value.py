"""week4.clip_grad_value: a limit for every entry by itself."""

import math
from unittest import mock

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

# What torch's own clipping leans on; a probe takes it away from answers, not from the oracle.
_GROUPS = torch.nn.utils.clip_grad._group_tensors_by_device_and_dtype


def _value_probe(target, inputs):
    import torch
    import torch.nn.utils.clip_grad as library

    from autograde.guard import LibraryCall

    parameters = []
    for weight, gradient in zip(inputs["weights"], inputs["gradients"], strict=True):
        parameter = torch.nn.Parameter(weight.clone(), requires_grad=gradient is not None)
        parameter.grad = None if gradient is None else gradient.clone()
        parameters.append(parameter)

    def refused(*args, **kwargs):
        raise LibraryCall("clip_grad_value_")

    groups = getattr(library, "_group_tensors_by_device_and_dtype", None)
    library._group_tensors_by_device_and_dtype = refused
    try:
        target((p for p in parameters) if inputs["given as"] == "a generator" else parameters, inputs["limit"])
    finally:
        library._group_tensors_by_device_and_dtype = groups
    gradients = [0.0 if p.grad is None else p.grad for p in parameters]
    return {"gradients afterwards": gradients, "weights": [p.detach() for p in parameters]}


def _value_cases(rng):
    def case(name, limit, *gradients, generator=False, **options):
        weights = [normal(rng, *(2, 3) if g is None else g.shape) for g in gradients]
        if gradients[0] is not None:
            weights = [weight.to(gradients[0].dtype) for weight in weights]
        inputs = {"weights": weights, "gradients": list(gradients), "limit": limit}
        return Case(name, {**inputs, "given as": "a generator" if generator else "a list"}, **options)

    def spread(*shape):
        """Entries on both sides of ±1, far from it and near."""
        signs = torch.randint(0, 2, shape, generator=rng) * 2 - 1
        sizes = torch.rand(*shape, generator=rng) * 1.9 + 0.05
        values = (signs * sizes).flatten()
        values[:4] = torch.tensor([1.7, -1.6, 0.4, -0.3])[torch.randperm(4, generator=rng)]
        return values.reshape(shape)

    limit = uniform(rng, 0.8, 1.2)
    yield case("entries on both sides of both limits", limit, spread(3, 4), spread(5), spread(2, 2))
    yield case("a generator", limit, spread(4), spread(2, 3), generator=True)
    yield case("another limit", uniform(rng, 0.02, 0.03), 0.03 * spread(3, 3), 0.03 * spread(4))
    yield case("too large on the negative side alone", 1.0, -1 - normal(rng, 4).abs(), normal(rng, 3, scale=0.1))
    yield case("a frozen parameter between", limit, spread(4), None, spread(2, 3))
    yield case("float64", limit, spread(6).double(), spread(2, 2).double(), generator=True)
    yield case("nothing is too large", 5.0, spread(2, 3), spread(4), edge=True)
    first, second = spread(5), spread(2, 4)
    first[integer(rng, 0, 2)], first[integer(rng, 3, 4)] = math.inf, -math.inf
    second[1, integer(rng, 0, 3)] = math.nan
    yield case("infinite entries and a NaN", limit, first, second)
    yield case("no gradient at all", 1.0, None, edge=True)


def _library_value(parameters, clip_value):
    given = [p for p in parameters if p.grad is not None]
    with mock.patch.object(torch.nn.utils.clip_grad, "_group_tensors_by_device_and_dtype", _GROUPS):
        if given:  # torch 2.13 raises where there is none
            torch.nn.utils.clip_grad_value_(given, clip_value)


def _each(change):
    """An answer that puts change(gradient, limit) in the place of each gradient."""

    def clip_grad_value(parameters, clip_value):
        for p in parameters:
            if p.grad is not None:
                p.grad = change(p.grad, clip_value)

    return clip_grad_value


def _by_its_norm(gradient, limit):
    return gradient * torch.clamp(limit / gradient.norm(), max=1.0)


def _by_its_largest(gradient, limit):
    return gradient * torch.clamp(limit / gradient.abs().max(), max=1.0)


def _dies_on_none(parameters, clip_value):
    for p in parameters:
        p.grad.clamp_(-clip_value, clip_value)


def _clamps_the_weights(parameters, clip_value):
    for p in parameters:
        p.data.clamp_(-clip_value, clip_value)


def _result_lost(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp(-clip_value, clip_value)


CLIP_GRAD_VALUE = Exercise(
    id="week4.clip_grad_value",
    title="Clip every value",
    points=1,
    minutes=4,
    why="It is the other clipping that libraries offer. It turns the step; you measure by how much.",
    oracle="torch.nn.utils.clip_grad_value_",
    cases=_value_cases,
    probe=_value_probe,
    expected=lambda inputs: _value_probe(_library_value, inputs),
    tolerance=Tolerance(rtol=1e-5, atol=1e-7),
    library=("clip_grad_value_",),
    misconceptions=(
        Misconception(
            "the upper side only",
            _each(lambda gradient, limit: gradient.clamp(max=limit)),
            "A gradient of minus a million passes: you limit the upper side only.",
        ),
        Misconception(
            "signs lost",
            _each(lambda gradient, limit: gradient.abs().clamp(max=limit)),
            "Every entry comes out positive, so half of the weights would move the wrong way. The size is limited, the "
            "sign stays.",
        ),
        Misconception(
            "large entries set to zero",
            _each(lambda gradient, limit: gradient.masked_fill(gradient.abs() > limit, 0.0)),
            "What is too large becomes 0 in your answer. It should become as large as is allowed.",
        ),
        Misconception(
            "the norm of each tensor clipped",
            _each(_by_its_norm),
            "You scale whole tensors by their norm. Here each entry is limited by itself, and the others stay.",
        ),
        Misconception(
            "scaled by the largest entry",
            _each(_by_its_largest),
            "You scale a whole tensor until its largest entry fits. Only the entries beyond the limit are to change.",
        ),
        Misconception(
            "only signs are left",
            _each(lambda gradient, limit: gradient.sign() * limit),
            "Every entry comes out as large as the limit. Those within it should stay as they are.",
        ),
        Misconception(
            "a calculation with None",
            _dies_on_none,
            "A frozen parameter has no gradient: `.grad` is None there. Ask first.",
        ),
        Misconception(
            "weights clipped",
            _clamps_the_weights,
            "Your answer limits the weights. It is the gradients that are too large.",
        ),
        Misconception(
            "the result is lost",
            _result_lost,
            "Nothing changes: you compute the limited gradient, and nobody keeps it.",
        ),
        Misconception(
            "NaN hidden",
            _each(lambda gradient, limit: gradient.nan_to_num(0.0).clamp(-limit, limit)),
            "You replace NaN by a number, and nobody learns that this batch was broken. NaN is to stay NaN.",
        ),
    ),
)
