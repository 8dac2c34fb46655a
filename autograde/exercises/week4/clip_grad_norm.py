"""week4.clip_grad_norm: one factor for all gradients."""

import math
from unittest import mock

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

# What torch's own norm and clipping lean on; a probe takes it away from answers, not from the oracle.
_GROUPS = torch.nn.utils.clip_grad._group_tensors_by_device_and_dtype


def _clip_probe(target, inputs):
    import torch
    import torch.nn.utils.clip_grad as library

    from autograde.guard import LibraryCall

    parameters = []
    for weight, gradient in zip(inputs["weights"], inputs["gradients"], strict=True):
        parameter = torch.nn.Parameter(weight.clone(), requires_grad=gradient is not None)
        parameter.grad = None if gradient is None else gradient.clone()
        parameters.append(parameter)
    given = (p for p in parameters) if inputs["given as"] == "a generator" else parameters

    def refused(*args, **kwargs):
        raise LibraryCall("clip_grad_norm_")

    groups = getattr(library, "_group_tensors_by_device_and_dtype", None)
    library._group_tensors_by_device_and_dtype = refused
    try:
        norm = target(given, inputs["limit"])
    finally:
        library._group_tensors_by_device_and_dtype = groups
    gradients = [0.0 if p.grad is None else p.grad for p in parameters]
    return {"norm": norm, "gradients": gradients, "weights": [p.detach() for p in parameters]}


def _observed(inputs, seen):
    """After a norm that is not finite nobody looks at the gradients."""
    seen = {"norm returned": seen["norm"], "gradients afterwards": seen["gradients"], "weights": seen["weights"]}
    if not all(g is None or bool(g.isfinite().all()) for g in inputs["gradients"]):
        del seen["gradients afterwards"]
    return seen


def _clip_cases(rng):
    def case(name, limit, *gradients, generator=False, **options):
        """`limit` in units of the global norm where it is negative: -0.5 is half of the norm."""
        given = [g for g in gradients if g is not None]
        if limit < 0:
            norm = math.sqrt(sum(float(g.double().square().sum()) for g in given))
            limit = float(f"{-limit * norm:.4g}")
        weights = [normal(rng, *(2, 3) if g is None else g.shape) for g in gradients]
        if gradients[0] is not None:
            weights = [weight.to(gradients[0].dtype) for weight in weights]
        inputs = {"weights": weights, "gradients": list(gradients), "limit": limit}
        return Case(name, {**inputs, "given as": "a generator" if generator else "a list"}, **options)

    def three(scale=1.0):
        return normal(rng, 3, 4, scale=scale), normal(rng, 5, scale=3 * scale), normal(rng, 2, 2, scale=scale / 2)

    yield case("the norm is too large", -uniform(rng, 0.3, 0.5), *three())
    yield case("a generator", -uniform(rng, 0.1, 0.2), *three(), generator=True)
    yield case("one tensor alone is over the limit", -uniform(rng, 0.75, 0.85), *three()[1:], normal(rng, 3, scale=0.1))
    first, second, third = (g / g.norm() for g in three())
    yield case("no tensor alone is over the limit, all together are", 1.3, first, second, third)
    yield case("small gradients", uniform(rng, 3, 6), *three(scale=0.05))
    yield case("just below the limit", -1.04, *three())
    yield case("just above the limit", -0.96, *three())
    yield case("a frozen parameter between", -uniform(rng, 0.3, 0.5), normal(rng, 4), None, normal(rng, 2, 3, scale=3))
    yield case("float64", -uniform(rng, 0.4, 0.6), *(g.double() for g in three()), generator=True)
    yield case("a limit of infinity only measures", math.inf, *three())
    yield case("large gradients", uniform(rng, 0.5, 2), *three(scale=1e6))
    yield case("gradients of zero", 1.0, torch.zeros(3), torch.zeros(2, 2), edge=True)
    yield case("no gradient at all", 1.0, None, None, edge=True)
    first, second, third = three()
    second[integer(rng, 0, 4)] = math.nan
    yield case("a NaN among them", 1.0, first, second, third, edge=True)
    first, second, third = three()
    third[integer(rng, 0, 1), 0] = -math.inf
    yield case("an infinite gradient", 1.0, first, second, third, edge=True)


def _library_clip(parameters, max_norm):
    with mock.patch.object(torch.nn.utils.clip_grad, "_group_tensors_by_device_and_dtype", _GROUPS):
        return torch.nn.utils.clip_grad_norm_(parameters, max_norm)


def _expected(inputs):
    return _observed(inputs, _clip_probe(_library_clip, inputs))


def _norm(gradients):
    return torch.cat([torch.zeros(1), *(g.flatten().double() for g in gradients)]).norm()


def _given(parameters):
    return [p.grad for p in parameters if p.grad is not None]


def _scale(gradients, factor):
    for gradient in gradients:
        gradient.mul_(factor)


def _per_parameter(parameters, max_norm):
    gradients = _given(parameters)
    before = _norm(gradients)
    for gradient in gradients:
        norm = gradient.norm()
        if norm > max_norm:
            gradient.mul_(max_norm / norm)
    return before


def _always_to_the_limit(parameters, max_norm):
    gradients = _given(parameters)
    norm = _norm(gradients)
    if norm > 0 and max_norm < math.inf:
        _scale(gradients, max_norm / norm)
    return norm


def _always(parameters, max_norm, eps=0.0):
    """The same without a thought for a norm of 0 or an infinite limit."""
    gradients = _given(parameters)
    norm = _norm(gradients)
    _scale(gradients, max_norm / (norm + eps))
    return norm


def _always_with_eps(parameters, max_norm):
    return _always(parameters, max_norm, eps=1e-6)


def _dies_on_none(parameters, max_norm):
    gradients = [p.grad for p in list(parameters)]
    norm = torch.stack([g.norm() for g in gradients]).norm()
    _scale(gradients, torch.clamp(max_norm / norm, max=1.0))
    return norm


def _reads_twice(parameters, max_norm):
    norm = _norm(p.grad for p in parameters if p.grad is not None)
    for p in parameters:
        if p.grad is not None:
            p.grad.mul_(torch.clamp(max_norm / norm, max=1.0))
    return norm


def _norm_after(parameters, max_norm):
    gradients = _given(parameters)
    _scale(gradients, torch.clamp(max_norm / _norm(gradients), max=1.0))
    return _norm(gradients)


def _norm_or_limit(parameters, max_norm):
    gradients = _given(parameters)
    norm = _norm(gradients)
    _scale(gradients, torch.clamp(max_norm / norm, max=1.0))
    return torch.minimum(norm, torch.tensor(max_norm))


def _sum_of_norms(parameters, max_norm):
    gradients = _given(parameters)
    norm = sum((g.norm() for g in gradients), torch.zeros(()))
    _scale(gradients, torch.clamp(max_norm / norm, max=1.0))
    return norm


def _value_clipped(parameters, max_norm):
    gradients = _given(parameters)
    norm = _norm(gradients)
    for gradient in gradients:
        gradient.clamp_(-max_norm, max_norm)
    return norm


def _divides_by_the_limit(parameters, max_norm):
    """Forgets max_norm in the factor: what is too long gets the length 1."""
    gradients = _given(parameters)
    norm = _norm(gradients)
    if norm > max_norm:
        _scale(gradients, 1 / norm)
    return norm


def _upside_down(parameters, max_norm):
    gradients = _given(parameters)
    norm = _norm(gradients)
    if norm > max_norm:
        _scale(gradients, norm / max_norm)
    return norm


def _square_compared(parameters, max_norm):
    gradients = _given(parameters)
    square = _norm(gradients) ** 2
    if square > max_norm:
        _scale(gradients, max_norm / square)
    return square


def _scales_the_weights(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = _norm(p.grad for p in parameters)
    with torch.no_grad():
        for p in parameters:
            p.mul_(torch.clamp(max_norm / norm, max=1.0))
    return norm


def _result_lost(parameters, max_norm):
    gradients = _given(parameters)
    norm = _norm(gradients)
    for gradient in gradients:
        gradient = gradient * torch.clamp(max_norm / norm, max=1.0)  # a new tensor, which nobody keeps
    return norm


def _returns_nothing(parameters, max_norm):
    gradients = _given(parameters)
    _scale(gradients, torch.clamp(max_norm / _norm(gradients), max=1.0))


def _nan_hidden(parameters, max_norm):
    gradients = _given(parameters)
    for gradient in gradients:
        gradient.nan_to_num_(0.0, 0.0, 0.0)
    norm = _norm(gradients)
    _scale(gradients, torch.clamp(max_norm / norm, max=1.0))
    return norm


def _nothing_to_divide_by(parameters, max_norm):
    gradients = _given(parameters)
    norm = float(_norm(gradients))
    _scale(gradients, min(1.0, max_norm / norm))
    return norm


CLIP_GRAD_NORM = Exercise(
    id="week4.clip_grad_norm",
    title="Clip the global norm",
    points=3,
    minutes=15,
    why="One factor for all keeps the direction of the step; one for each layer turns it.",
    oracle="torch.nn.utils.clip_grad_norm_",
    cases=_clip_cases,
    probe=_clip_probe,
    observe=_observed,
    expected=_expected,
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    library=("get_total_norm", "clip_grads_with_norm_"),
    misconceptions=(
        Misconception(
            "each parameter by itself",
            _per_parameter,
            "You clip each tensor by its own norm: large ones shrink, small ones do not, and the step points somewhere "
            "else. Which single number may all of them be multiplied by?",
        ),
        *(
            Misconception(
                "small gradients scaled up",
                answer,
                "You bring every gradient to the length `max_norm`, short ones too: near a minimum the steps would "
                "never get smaller. A limit acts on one side.",
            )
            for answer in (_always_to_the_limit, _always, _always_with_eps)
        ),
        Misconception(
            "a calculation with None",
            _dies_on_none,
            "A frozen parameter has no gradient, and your line computes with None. What if there is none at all?",
        ),
        Misconception(
            "the generator is read twice",
            _reads_twice,
            "`model.parameters()` is a generator: once you have measured the norm, nothing is left of it, and nothing "
            "is scaled.",
        ),
        *(
            Misconception(
                "the norm after clipping",
                answer,
                "You return the norm after clipping, which is never above the limit. A log needs to know how large it "
                "was before.",
            )
            for answer in (_norm_after, _norm_or_limit)
        ),
        Misconception(
            "sum of the norms",
            _sum_of_norms,
            "You add up the norms of the tensors. Lengths do not add up like that: which norm did you build before?",
        ),
        Misconception(
            "values clipped instead of the norm",
            _value_clipped,
            "You limit each entry by itself. Two entries at the limit together are longer than the limit, and the "
            "direction has turned.",
        ),
        Misconception(
            "always to length 1",
            _divides_by_the_limit,
            "What is too long comes out with length 1, whatever the limit was.",
        ),
        Misconception(
            "the factor is upside down",
            _upside_down,
            "You make large gradients larger. Which way round does the fraction have to be, so that it is below 1?",
        ),
        Misconception(
            "the square of the norm",
            _square_compared,
            "You compare the *square* of the norm with the limit.",
        ),
        Misconception(
            "weights scaled",
            _scales_the_weights,
            "Your answer shrinks the weights. What is to be limited is the step, and that is made from `.grad`.",
        ),
        Misconception(
            "the result is lost",
            _result_lost,
            "The norm is right, and no gradient changes: you compute the scaled ones, and `.grad` never hears of them.",
        ),
        Misconception(
            "nothing returned",
            _returns_nothing,
            "The gradients are right, but nothing is returned: the norm before clipping is what you watch in a log.",
        ),
        Misconception(
            "NaN hidden",
            _nan_hidden,
            "You replace NaN by a number. Then nobody learns that this batch was broken; let the norm say so.",
        ),
        Misconception(
            "division by a norm of zero",
            _nothing_to_divide_by,
            "Gradients of zero have the norm 0, and your answer divides by it.",
        ),
    ),
)
