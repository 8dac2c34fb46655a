"""week5.sgd_momentum: one step of SGD with momentum."""

from unittest import mock

import torch
import torch.optim.sgd as library

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

# What torch's own step leans on; the probe takes it away from answers, not from the oracle.
_STEP = library._single_tensor_sgd


def _sgd_probe(target, inputs):
    """Takes as many steps as there are gradients → param and buffer after each."""
    import torch.optim.sgd as library

    from autograde.guard import LibraryCall

    def refused(*args, **kwargs):
        raise LibraryCall("SGD")

    kept = library._single_tensor_sgd, library._multi_tensor_sgd
    library._single_tensor_sgd = library._multi_tensor_sgd = refused
    try:
        param, buf, trace = inputs["param"].clone(), inputs["buf"], {}
        buf = None if buf is None else buf.clone()
        for grad, lr in zip(inputs["grads"], inputs["lrs"], strict=True):
            param, buf = target(param, grad.clone(), buf, lr, *inputs["further"])
            trace[f"step {len(trace) + 1}"] = {"param": param, "buf": buf}
            param, buf = (t.detach().clone() if hasattr(t, "detach") else t for t in (param, buf))
    finally:
        library._single_tensor_sgd, library._multi_tensor_sgd = kept
    return trace


def _sgd_cases(rng):
    def case(name, *further, steps=1, buf=False, shape=(2, 3), lrs=None, double=False, **options):
        inputs = {"param": normal(rng, shape), "grads": [normal(rng, shape) for _ in range(steps)]}
        inputs |= {"buf": normal(rng, shape) if buf else None}
        if double:
            inputs = {key: [t.double() for t in v] if isinstance(v, list) else v.double() for key, v in inputs.items()}
        lrs = lrs or [uniform(rng, 0.05, 0.3)] * steps
        return Case(name, {**inputs, "lrs": lrs, "further": list(further)}, **options)

    momentum, decay = uniform(rng, 0.6, 0.95), uniform(rng, 0.05, 0.3)
    yield case("the first step")
    yield case("a later step", momentum, 0.0, buf=True)
    yield case("a later step with decay", momentum, decay, buf=True)
    yield case("the first step with decay", momentum, decay, shape=(4,))
    yield case("the usual momentum", steps=4, buf=True)
    yield case("an lr that falls", momentum, 0.0, steps=4, lrs=[0.4, 0.2, 0.1, 0.05])
    yield case("an lr that falls, with decay", momentum, decay, steps=4, lrs=[0.3, 0.3, 0.03, 0.03])
    yield case("float64", momentum, decay, buf=True, double=True)
    yield case("one number", momentum, decay, steps=integer(rng, 2, 4), shape=())
    yield case("no momentum", 0.0, decay, steps=2, buf=True)
    yield case("an lr of zero", momentum, 0.1, steps=2, lrs=[0.0, 0.0], edge=True)


def _library(inputs):
    """The trace of torch.optim.SGD."""
    momentum, decay = {0: (0.9, 0.0), 2: tuple(inputs["further"])}[len(inputs["further"])]
    param = torch.nn.Parameter(inputs["param"].clone())
    # A momentum of 0 would keep no buffer; one that is next to nothing keeps it.
    optimizer = torch.optim.SGD([param], lr=1.0, momentum=momentum or 1e-30, weight_decay=decay, foreach=False)
    if inputs["buf"] is not None:
        optimizer.state[param]["momentum_buffer"] = inputs["buf"].clone()
    trace = {}
    with mock.patch.object(library, "_single_tensor_sgd", _STEP):
        for grad, lr in zip(inputs["grads"], inputs["lrs"], strict=True):
            optimizer.param_groups[0]["lr"], param.grad = lr, grad.clone()
            optimizer.step()
            buf = optimizer.state[param]["momentum_buffer"].clone()
            trace[f"step {len(trace) + 1}"] = {"param": param.detach().clone(), "buf": buf}
    return trace


def _step(
    *,
    gradient=lambda p, g, wd: g + wd * p,
    first=lambda g, m: g,
    later=lambda b, g, m: m * b + g,
    finish=lambda p, g, buf, lr, m, wd: p - lr * buf,
    keep=lambda old, new, g: new,
):
    """An answer with its choices open: what joins the buffer, how, and what moves the weights."""

    def sgd_momentum(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
        grad = gradient(param, grad, weight_decay)
        new = first(grad, momentum) if buf is None else later(buf, grad, momentum)
        moved = finish(param, grad, new, lr, momentum, weight_decay)
        return moved, keep(buf, new, grad)

    return sgd_momentum


def _lr_in_the_buffer(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    grad = grad + weight_decay * param
    buf = lr * grad if buf is None else momentum * buf + lr * grad
    return param - buf, buf


def _old_buffer_moves(param, grad, buf, lr, momentum=0.9, weight_decay=0.0):
    grad = grad + weight_decay * param
    old = torch.zeros_like(grad) if buf is None else buf
    return param - lr * old, momentum * old + grad


SGD_MOMENTUM = Exercise(
    id="week5.sgd_momentum",
    title="SGD with momentum",
    points=2,
    minutes=10,
    why="Momentum is the first thing that an optimizer remembers: one number more for every weight of the model.",
    oracle="torch.optim.SGD",
    cases=_sgd_cases,
    probe=_sgd_probe,
    expected=_library,
    tolerance=Tolerance(1e-4, 1e-5),
    keeps_inputs=False,
    library=("aten._fused_sgd_",),
    misconceptions=(
        Misconception(
            "a dampened buffer",
            _step(later=lambda b, g, m: m * b + (1 - m) * g),
            "Your later gradients enter the buffer multiplied by 1 - momentum, as in a running mean. SGD's buffer is "
            "a sum: what does the docstring multiply?",
        ),
        Misconception(
            "a running mean from the start",
            _step(first=lambda g, m: (1 - m) * g, later=lambda b, g, m: m * b + (1 - m) * g),
            "Your buffer is a running mean of the gradients, as Adam keeps one. SGD's buffer is a sum, in which each "
            "gradient enters whole.",
        ),
        Misconception(
            "the first gradient dampened",
            _step(first=lambda g, m: (1 - m) * g),
            "Your first step is shorter than it should be. What is the buffer after the first step, by the docstring?",
        ),
        Misconception(
            "the first gradient forgotten",
            _step(first=lambda g, m: torch.zeros_like(g)),
            "After your first step the buffer is zero: the first gradient moves nothing and is forgotten.",
        ),
        Misconception(
            "no first step",
            lambda param, grad, buf, lr, momentum=0.9, weight_decay=0.0: _step()(
                param, grad, buf * 1.0, lr, momentum, weight_decay
            ),
            "Before the first step there is no buffer: `buf` is None, and None cannot be multiplied.",
        ),
        Misconception(
            "lr inside the buffer",
            _lr_in_the_buffer,
            "Your buffer holds gradients multiplied by lr. When a schedule lowers lr, the old part of such a buffer "
            "goes on at the old lr. Where does lr enter in the docstring?",
        ),
        Misconception(
            "decay beside the buffer",
            _step(gradient=lambda p, g, wd: g, finish=lambda p, g, buf, lr, m, wd: p - lr * wd * p - lr * buf),
            "Your decay acts on the weights and leaves the buffer alone. That is AdamW's way; the decay of SGD "
            "is part of the gradient, and so momentum repeats it.",
        ),
        Misconception(
            "decay left out",
            _step(gradient=lambda p, g, wd: g),
            "Your weights do not decay: `weight_decay` changes nothing in what you return.",
        ),
        Misconception(
            "decay with the wrong sign",
            _step(gradient=lambda p, g, wd: g - wd * p),
            "Your decay makes weights grow. The gradient of a penalty wd / 2 * param ** 2 has which sign?",
        ),
        Misconception(
            "Nesterov's step",
            _step(finish=lambda p, g, buf, lr, m, wd: p - lr * (g + m * buf)),
            "Your step looks ahead: it adds the gradient to momentum times the *new* buffer. That is Nesterov's "
            "variant. The plain one moves along the buffer itself.",
        ),
        Misconception(
            "uphill",
            _step(finish=lambda p, g, buf, lr, m, wd: p + lr * buf),
            "Your step walks up the slope. The buffer points where the loss grows.",
        ),
        Misconception(
            "moves by the gradient",
            _step(finish=lambda p, g, buf, lr, m, wd: p - lr * g),
            "Your buffer is right, and the weights do not move along it but along this step's gradient alone.",
        ),
        Misconception(
            "moves by the old buffer",
            _old_buffer_moves,
            "You move the weights before this step's gradient has joined the buffer, so every gradient acts one step "
            "late.",
        ),
        Misconception(
            "the buffer not updated",
            _step(keep=lambda old, new, g: g if old is None else old),
            "You return the buffer that you were given. The next step needs the one that this step has made.",
        ),
        Misconception(
            "returned in the wrong order",
            lambda *args: _step()(*args)[::-1],
            "You return the buffer first. The docstring asks for (param, buf).",
        ),
        Misconception(
            "momentum on the wrong side",
            _step(later=lambda b, g, m: b + m * g),
            "Momentum multiplies the gradient in your buffer. It should make the *past* fade.",
        ),
    ),
)
