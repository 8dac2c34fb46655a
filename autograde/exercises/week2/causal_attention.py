"""week2.causal_attention: attention that cannot see the future."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal


def _attention_probe(target, inputs):
    import torch

    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    if not inputs.get("gradients"):
        return {"out": target(q, k, v)}
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    out = target(*leaves)
    seen = {"out": out}
    for t in range(v.shape[-2]):  # the gradients of out[t], one t at a time
        ones = torch.zeros_like(out)
        ones[..., t, :] = torch.cos(torch.arange(v.shape[-1]))
        seen[f"gradients of {t}"] = torch.autograd.grad(out, leaves, ones, retain_graph=True)
    return seen


def _observed(inputs, seen):
    """What leaks from the future, told on the trusted side."""
    if not inputs.get("gradients"):
        return seen
    by_time = [seen[f"gradients of {t}"] for t in range(inputs["v"].shape[-2])]
    leak = any(bool((grad[..., t + 1 :, :] != 0).any()) for t, grads in enumerate(by_time) for grad in grads)
    total = [torch.stack(grads).sum(0) for grads in zip(*by_time, strict=True)]
    gradients = {f"gradient at {name}": grad for name, grad in zip("qkv", total, strict=True)}
    return {"out": seen["out"], "nothing leaks from the future": not leak, **gradients}


def _attention_cases(rng):
    def case(name, *lead, length=5, width=4, wide=None, scale=1.0, tolerance=None, dtype=torch.float32, **more):
        q, k = (normal(rng, *lead, length, width, scale=scale).to(dtype) for _ in "qk")
        v = normal(rng, *lead, length, wide or width).to(dtype)
        return Case(name, {"q": q, "k": k, "v": v, **more}, tolerance=tolerance)

    yield case("batch and heads, (B, H, T, width)", 2, 3, length=integer(rng, 5, 7))
    yield case("no leading axis", length=6, width=3)
    yield case("as many tokens as features", 2, length=4, width=4)
    yield case("values of another width", 2, length=4, width=5, wide=3)
    yield case("a wide head", length=5, width=64)
    yield case("three leading axes", 2, 1, 2, length=3, width=2)
    yield case("the first token sees itself alone", 2, length=2, width=3)
    yield Case("a single token", {name: normal(rng, 1, 1, 3) for name in "qkv"}, edge=True)
    yield case("large scores", 2, length=5, width=8, scale=60.0, tolerance=Tolerance(rtol=1e-2, atol=1e-2))
    later = case("a later key that fits far better", 1, length=5, width=4)
    later.inputs["k"][..., 3, :] = 2000 * torch.sign(later.inputs["q"][..., 1, :])
    later.inputs["q"][..., 1, :] += torch.sign(later.inputs["q"][..., 1, :])
    yield later
    low = case("scores far below zero", 1, length=5, width=4)
    low.inputs["q"][:] = low.inputs["q"].abs() + 1
    low.inputs["k"][:] = -400 - low.inputs["k"].abs()
    yield Case(low.name, low.inputs, tolerance=Tolerance(rtol=1e-2, atol=1e-2))
    yield case("float64", 2, length=4, width=3, dtype=torch.float64)
    yield case("gradients, and what leaks", 2, length=4, width=4, gradients=True)
    yield case("gradients, and what leaks, no leading axis", length=5, width=3, wide=2, gradients=True)


def _library_attention(inputs):
    q, k, v = (inputs[name].double() for name in "qkv")
    if not inputs.get("gradients"):
        return {"out": F.scaled_dot_product_attention(q, k, v, is_causal=True)}
    leaves = [x.requires_grad_() for x in (q, k, v)]
    out = F.scaled_dot_product_attention(*leaves, is_causal=True)
    weights = torch.cos(torch.arange(v.shape[-1])).expand_as(out)
    gradients = zip("qkv", torch.autograd.grad(out, leaves, weights.double()), strict=True)
    expected = {"out": out.detach(), "nothing leaks from the future": True}
    return expected | {f"gradient at {name}": gradient for name, gradient in gradients}


def _future(scores, diagonal=1):
    return torch.ones(scores.shape[-2:], dtype=torch.bool).triu(diagonal)


def _attend(q, k, v, scale=None, future=_future, fill=-math.inf, dim=-1):
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale(q))
    return torch.softmax(scores.masked_fill(future(scores), fill), dim) @ v


def _masked_after_softmax(q, k, v):
    return torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1).tril() @ v


def _masked_after_softmax_and_divided(q, k, v):
    weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1).tril()
    return weights / weights.sum(-1, keepdim=True) @ v


def _masked_with_zero(q, k, v):
    return _attend(q, k, v, fill=0.0)


def _masked_too_gently(q, k, v):
    return _attend(q, k, v, fill=-10.0)


def _future_only(q, k, v):
    return _attend(q, k, v, future=lambda scores: _future(scores).mT)


def _without_itself(q, k, v):
    return _attend(q, k, v, future=lambda scores: _future(scores, 0))


def _one_too_far(q, k, v):
    return _attend(q, k, v, future=lambda scores: _future(scores, 2))


def _sees_everything(q, k, v):
    return _attend(q, k, v, future=lambda scores: torch.zeros_like(scores, dtype=torch.bool))


def _divided_by_the_width(q, k, v):
    return _attend(q, k, v, scale=lambda q: 1 / q.shape[-1])


def _not_divided(q, k, v):
    return _attend(q, k, v, scale=lambda q: 1.0)


def _multiplied(q, k, v):
    return _attend(q, k, v, scale=lambda q: q.shape[-1] ** 0.5)


def _divided_by_the_length(q, k, v):
    return _attend(q, k, v, scale=lambda q: q.shape[-2] ** -0.5)


def _softmax_over_queries(q, k, v):
    return _attend(q, k, v, dim=-2)


def _keys_ask(q, k, v):
    return _attend(k, q, v)


def _softmax_by_hand(q, k, v):
    scores = q @ k.mT / q.shape[-1] ** 0.5
    weights = scores.exp().masked_fill(_future(scores), 0.0)
    return weights / weights.sum(-1, keepdim=True) @ v


def _weights_alone(q, k, v):
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return torch.softmax(scores.masked_fill(_future(scores), -math.inf), -1)


CAUSAL_ATTENTION = Exercise(
    id="week2.causal_attention",
    title="Attention that cannot see the future",
    points=3,
    minutes=20,
    why="A mask that leaks by one token gives a beautiful loss and a model that cannot write a word.",
    oracle="torch.nn.functional.scaled_dot_product_attention with is_causal=True",
    cases=_attention_cases,
    probe=_attention_probe,
    observe=_observed,
    expected=_library_attention,
    library=(
        "scaled_dot_product_attention",
        "multi_head_attention_forward",
        "aten._scaled_dot_product_flash_attention_for_cpu",
        "aten._safe_softmax",  # of that function's plain form
        "aten._native_multi_head_attention",
    ),
    misconceptions=(
        Misconception(
            "masked after the softmax",
            _masked_after_softmax,
            "You take the future away after the softmax: the weights that are left do not add up to 1, and the future "
            "still stands in the sum that they were divided by. When must the mask act?",
        ),
        Misconception(
            "masked after the softmax, then divided again",
            _masked_after_softmax_and_divided,
            "Close: on paper this is the same. In floating point the future still acts, since a later key that fits "
            "far better rounds every visible weight to 0 before you divide. When must the mask act?",
        ),
        Misconception(
            "future scores set to zero",
            _masked_with_zero,
            "A masked score of 0 is a score like any other: the softmax takes e to it, and that is 1. Which score "
            "becomes a weight of exactly 0?",
        ),
        Misconception(
            "future scores not low enough",
            _masked_too_gently,
            "Your masked scores are low, but a softmax compares: where the visible scores are lower still, the future "
            "comes through. Which score becomes a weight of exactly 0, whatever the others are?",
        ),
        Misconception(
            "the mask is transposed",
            _future_only,
            "Your mask hides the past and shows the future. Rows of the scores are queries, columns are keys: which "
            "triangle may a query see?",
        ),
        Misconception(
            "a token does not see itself",
            _without_itself,
            "Your tokens do not see themselves, and the first one sees nothing at all: a softmax over nothing is NaN. "
            "On which side is the diagonal?",
        ),
        Misconception(
            "one token of the future is seen",
            _one_too_far,
            "Each position sees one token too many: exactly the one that it should predict. On which side is the "
            "diagonal next to the main one?",
        ),
        Misconception(
            "nothing is masked",
            _sees_everything,
            "Every position sees the whole sequence: that is attention, but not causal.",
        ),
        Misconception(
            "divided by the width",
            _divided_by_the_width,
            "You divide the scores by the width itself. A sum of `width` random products grows like a smaller power of "
            "it.",
        ),
        Misconception(
            "scores not divided",
            _not_divided,
            "Your scores grow with the width of a head, and the softmax gets ever sharper. What are they divided by?",
        ),
        Misconception(
            "scores multiplied",
            _multiplied,
            "You multiply the scores where they should be divided.",
        ),
        Misconception(
            "divided by the root of the length",
            _divided_by_the_length,
            "You divide by the root of the number of tokens. Over which axis does the product of q and k add up?",
        ),
        Misconception(
            "softmax over the queries",
            _softmax_over_queries,
            "Your weights add up to 1 over the queries. Each query spreads its attention over the keys: which axis is "
            "that?",
        ),
        Misconception(
            "keys ask and queries answer",
            _keys_ask,
            "q and k have changed places. Row t of the scores belongs to the query at t.",
        ),
        Misconception(
            "overflow",
            _softmax_by_hand,
            "`exp` of a large score is infinite, and of a very low one 0. What may you subtract from a row without "
            "changing its softmax?",
        ),
        Misconception(
            "the weights alone",
            _weights_alone,
            "You return how much each position attends to the others. What do they get from there?",
        ),
    ),
)
