"""week5.adam_invariance: the distance of Adam's steps does not depend on the size of the gradients."""

from unittest import mock

import torch
import torch.optim.adam as library

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

# What torch's own step leans on; the probe takes it away from answers, not from the oracle.
_STEP = library._single_tensor_adam


def _distances_probe(target, inputs):
    import torch.optim.adam as library

    from autograde.guard import LibraryCall

    def refused(*args, **kwargs):
        raise LibraryCall("Adam")

    kept = library._single_tensor_adam, library._multi_tensor_adam
    library._single_tensor_adam = library._multi_tensor_adam = refused
    try:
        betas = [tuple(inputs["betas"])] if "betas" in inputs else []
        return target(inputs["grads"], inputs["lr"], *betas, *([inputs["eps"]] if "eps" in inputs else []))
    finally:
        library._single_tensor_adam, library._multi_tensor_adam = kept


def _distance_cases(rng):
    def case(name, grads, betas=None, eps=None, **options):
        inputs = {"grads": grads, "lr": uniform(rng, 0.01, 0.05)}
        inputs |= {} if betas is None else {"betas": betas}
        return Case(name, inputs | ({} if eps is None else {"eps": eps}), **options)

    def betas():
        return [uniform(rng, 0.7, 0.9), uniform(rng, 0.95, 0.99)]

    sign = 1.0 if integer(rng, 0, 1) else -1.0
    yield case("a steady gradient of 0.01", torch.full((8,), 0.01 * sign))
    yield case("a steady gradient of 10", torch.full((8,), -10.0 * sign))
    noise = normal(rng, 12)
    yield case("noise", noise, betas())
    yield case("the same kind of noise, a thousand times larger", 1000 * normal(rng, 12), betas(), 1e-8)
    yield case("noise about a mean", normal(rng, 10) + 2.0, betas())
    spike = torch.full((10,), uniform(rng, 0.5, 1.5))
    spike[integer(rng, 4, 6)] *= 50
    yield case("one spike", spike, betas(), 1e-8)
    yield case("gradients that alternate", uniform(rng, 0.5, 2.0) * torch.tensor([1.0, -1.0]).repeat(4), betas())
    yield case("gradients that stop", torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]) * sign, betas())
    yield case("gradients of the size of eps", 1e-8 * (1.0 + normal(rng, 6).abs()))
    yield case("a large eps", normal(rng, 6), betas(), uniform(rng, 0.3, 0.9))
    yield case("float64", normal(rng, 6).double(), betas(), 1e-6)
    yield case("zeros first", torch.cat([torch.zeros(2), 1.0 + normal(rng, 4).abs()]), betas())
    yield case("one step", normal(rng, 1) + 3.0 * sign, edge=True)


def _measured(inputs):
    """How far torch.optim.Adam really moves a weight, in float64."""
    weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    betas, eps = inputs.get("betas", (0.9, 0.999)), inputs.get("eps", 1e-8)
    optimizer = torch.optim.Adam([weight], lr=inputs["lr"], betas=tuple(betas), eps=eps, foreach=False)
    distances = []
    with mock.patch.object(library, "_single_tensor_adam", _STEP):
        for grad in inputs["grads"].double():
            weight.data.zero_()
            weight.grad = grad.clone()
            optimizer.step()
            distances.append(weight.detach().abs())
    return torch.stack(distances)


def _lr_of(distance):
    """An answer from a rule `distance(g, m_hat, v_hat, lr, eps)` for one step."""

    def effective_lr(grads, lr, betas=(0.9, 0.999), eps=1e-8):
        m = v = torch.zeros((), dtype=torch.float64)
        steps = []
        for step, g in enumerate(grads.double(), 1):
            m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
            steps.append(distance(g, m / (1 - betas[0] ** step), v / (1 - betas[1] ** step), lr, eps))
        return torch.stack(steps)

    return effective_lr


def _raw(correct_m, correct_v):
    """An answer that leaves one moment or both as they are."""

    def effective_lr(grads, lr, betas=(0.9, 0.999), eps=1e-8):
        m = v = torch.zeros((), dtype=torch.float64)
        steps = []
        for step, g in enumerate(grads.double(), 1):
            m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
            top = m / (1 - betas[0] ** step) if correct_m else m
            under = v / (1 - betas[1] ** step) if correct_v else v
            steps.append(lr * top.abs() / (under.sqrt() + eps))
        return torch.stack(steps)

    return effective_lr


_signed = _lr_of(lambda g, m, v, lr, eps: lr * m / (v.sqrt() + eps))
_right = _lr_of(lambda g, m, v, lr, eps: lr * m.abs() / (v.sqrt() + eps))

ADAM_INVARIANCE = Exercise(
    id="week5.adam_invariance",
    defines="effective_lr",
    title="How far does Adam move a weight?",
    points=2,
    minutes=10,
    why="It is often said that large gradients get smaller updates in Adam. Your function says what is true.",
    oracle="the distance that torch.optim.Adam moves a weight, measured",
    cases=_distance_cases,
    probe=_distances_probe,
    expected=_measured,
    tolerance=Tolerance(2e-4, 2e-6),
    library=("aten._fused_adam_", "aten._fused_adamw_"),
    misconceptions=(
        Misconception(
            "large gradients get smaller steps",
            _lr_of(lambda g, m, v, lr, eps: lr / (v.sqrt() + eps)),
            "You return the factor before the gradient, and it does shrink as gradients grow. The weight moves by "
            "this factor *times* the mean gradient, which has grown as much.",
        ),
        Misconception(
            "large gradients get larger steps",
            _lr_of(lambda g, m, v, lr, eps: lr * m.abs()),
            "Your distance grows with the gradient, as SGD's does. What does Adam divide by?",
        ),
        Misconception(
            "SGD's steps",
            _lr_of(lambda g, m, v, lr, eps: lr * g.abs()),
            "You return lr times the gradient: the distance that plain SGD moves.",
        ),
        Misconception(
            "always lr",
            _lr_of(lambda g, m, v, lr, eps: torch.tensor(lr).double()),
            "Your distance is lr at every step. That holds for gradients that never change. What do noise, a spike "
            "or a gradient that stops make of it?",
        ),
        Misconception(
            "lr unless the gradient is zero",
            _lr_of(lambda g, m, v, lr, eps: lr * g.abs() / (g.abs() + eps)),
            "You divide each gradient by its own size, as if Adam remembered nothing. Both moments remember earlier "
            "gradients.",
        ),
        Misconception(
            "this gradient over the root",
            _lr_of(lambda g, m, v, lr, eps: lr * g.abs() / (v.sqrt() + eps)),
            "You divide this step's gradient by the root. Adam's step has the running mean there.",
        ),
        Misconception(
            "signed",
            _lr_of(lambda g, m, v, lr, eps: -lr * m / (v.sqrt() + eps)),
            "You return by how much the weight changes, with a sign. A distance has none.",
        ),
        Misconception(
            "signed the other way",
            _lr_of(lambda g, m, v, lr, eps: lr * m / (v.sqrt() + eps)),
            "Some of your distances are negative, where the gradients are.",
        ),
        Misconception(
            "lr left out",
            _lr_of(lambda g, m, v, lr, eps: m.abs() / (v.sqrt() + eps)),
            "Your distances are counted in learning rates. How far does the weight move?",
        ),
        Misconception(
            "divided by the square",
            _lr_of(lambda g, m, v, lr, eps: lr * m.abs() / (v + eps)),
            "You divide by the mean square itself. Is your result the same when all gradients are ten times as large?",
        ),
        Misconception(
            "eps inside the root",
            _lr_of(lambda g, m, v, lr, eps: lr * m.abs() / (v + eps).sqrt()),
            "Your eps stands inside the root, where 1e-8 counts as if it were 1e-4.",
        ),
        Misconception(
            "nothing corrected",
            _raw(False, False),
            "Your moments are not corrected for the zeros that they began with. How far goes the very first step?",
        ),
        Misconception(
            "only the mean corrected",
            _raw(True, False),
            "You correct m for its start at zero, and not v: the first steps come out far too long.",
        ),
        Misconception(
            "only the square corrected",
            _raw(False, True),
            "You correct v for its start at zero, and not m: the first steps come out far too short.",
        ),
        Misconception(
            "the distance from the start",
            lambda grads, lr, betas=(0.9, 0.999), eps=1e-8: _signed(grads, lr, betas, eps).cumsum(0).abs(),
            "You return how far the weight is from where it began. Asked for is the distance of each single step.",
        ),
        Misconception(
            "the last step alone",
            lambda grads, lr, betas=(0.9, 0.999), eps=1e-8: _right(grads, lr, betas, eps)[-1],
            "You return one number. There is a distance for every step.",
        ),
    ),
)
