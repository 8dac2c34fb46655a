"""week5.adamw_step: one step of AdamW for one tensor."""

import functools
import json
from unittest import mock

import torch
import torch.optim.adam as library

from autograde import wire
from autograde.compare import compare
from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

DEFAULTS = (0.9, 0.999), 1e-8, 0.01  # betas, eps, weight_decay
TIGHT = Tolerance(1e-4, 1e-5)
# What torch's own step leans on; the probe takes it away from answers, not from the oracle.
_STEP = library._single_tensor_adam


def _adamw_probe(target, inputs):
    """Takes as many steps as there are gradients → param, m and v after each."""
    import torch.optim.adam as library

    from autograde.guard import LibraryCall

    def refused(*args, **kwargs):
        raise LibraryCall("AdamW")

    kept = library._single_tensor_adam, library._multi_tensor_adam
    library._single_tensor_adam = library._multi_tensor_adam = refused
    try:
        state, trace = [inputs[name].clone() for name in ("param", "m", "v")], []
        further = [tuple(value) if isinstance(value, list) else value for value in inputs["further"]]
        for number, (grad, lr) in enumerate(zip(inputs["grads"], inputs["lrs"], strict=True)):
            param, m, v = target(state[0], grad.clone(), *state[1:], inputs["step"] + number, lr, *further)
            trace.append({"param": param, "m": m, "v": v})
            state = [t.detach().clone() if hasattr(t, "detach") else t for t in (param, m, v)]
    finally:
        library._single_tensor_adam, library._multi_tensor_adam = kept
    return trace


def _adamw_cases(rng):
    def case(name, *further, first=1, steps=1, scale=1.0, shape=(2, 3), lrs=None, double=False, zeros=False, **options):
        grads = [normal(rng, shape, scale=0.0 if zeros else scale) for _ in range(steps)]
        m, v = torch.zeros(shape), torch.zeros(shape)
        if first > 1:
            m, v = normal(rng, shape, scale=scale), normal(rng, shape, scale=scale).square() + scale**2 / 4
        inputs = {"param": normal(rng, shape), "grads": grads, "m": m, "v": v}
        if double:
            inputs = {key: [t.double() for t in v] if isinstance(v, list) else v.double() for key, v in inputs.items()}
        inputs |= {"step": first, "lrs": lrs or [uniform(rng, 0.08, 0.15)] * steps, "further": list(further)}
        return Case(name, {**inputs, "size of the gradients": scale}, **options)

    betas, eps, decay = [uniform(rng, 0.8, 0.9), uniform(rng, 0.95, 0.99)], 1e-8, uniform(rng, 0.1, 0.3)
    yield case("the first step")
    yield case("a later step", betas, eps, decay, first=integer(rng, 3, 6))
    yield case("no decay", betas, eps, 0.0, first=2)
    yield case("four steps", betas, eps, decay, steps=4)
    yield case("the usual settings", steps=6, shape=(4,))
    yield case("an lr that falls", betas, eps, decay, steps=4, lrs=[0.2, 0.1, 0.05, 0.0])
    yield case("small gradients", (0.9, 0.999), eps, decay, steps=3, scale=1e-3)
    yield case("tiny gradients", (0.9, 0.999), eps, decay, steps=3, scale=1e-6)
    yield case("large gradients", betas, eps, decay, steps=2, scale=1e4)
    yield case("a large eps", betas, uniform(rng, 0.3, 0.6), decay, steps=2)
    yield case("float64", betas, eps, decay, steps=2, double=True)
    yield case("one number", betas, eps, decay, steps=3, shape=())
    yield case("long after", (0.9, 0.999), eps, decay, first=integer(rng, 20_000, 90_000))
    yield case("gradients of zero", betas, eps, decay, steps=2, zeros=True)


@functools.lru_cache(maxsize=512)
def _traces(text):
    """→ the trace of torch.optim.AdamW, and the same with the decay after the rest of the step."""
    inputs = wire.decode(json.loads(text))
    return _trace(inputs, True), _trace(inputs, False)


def _trace(inputs, decay_first):
    betas, eps, decay = (*inputs["further"], *DEFAULTS[len(inputs["further"]) :])
    param = torch.nn.Parameter(inputs["param"].clone())
    optimizer = torch.optim.AdamW(
        [param], betas=tuple(betas), eps=eps, weight_decay=decay if decay_first else 0.0, foreach=False
    )
    before = {"step": torch.tensor(float(inputs["step"] - 1))}
    state = optimizer.state[param]
    state.update(before | {"exp_avg": inputs["m"].clone(), "exp_avg_sq": inputs["v"].clone()})
    trace = []
    with mock.patch.object(library, "_single_tensor_adam", _STEP):
        for grad, lr in zip(inputs["grads"], inputs["lrs"], strict=True):
            optimizer.param_groups[0]["lr"], param.grad = lr, grad.clone()
            optimizer.step()
            if not decay_first:
                param.data *= 1 - lr * decay
            moments = {"m": state["exp_avg"].clone(), "v": state["exp_avg_sq"].clone()}
            trace.append({"param": param.detach().clone(), **moments})
    return trace


def _in_units(inputs, trace):
    """Moments in units of the gradient's size, so that those of tiny gradients can be told apart."""
    size = inputs["size of the gradients"]
    units = {"m": 1.0, "v": 1.0} if size == 1.0 else {f"m / {size:g}": size, f"v / {size:g}²": size**2}
    return {
        f"step {number}": {"param": step["param"], **{key: step[key[0]] / unit for key, unit in units.items()}}
        for number, step in enumerate(trace, 1)
    }


def _observed(inputs, seen):
    """Which of the two orders of decay an answer has is its own choice: both are compared with the same trace."""
    first, last = _traces(json.dumps(wire.encode(inputs)))
    if compare(_in_units(inputs, seen), _in_units(inputs, last), TIGHT) is None:
        seen = first
    return _in_units(inputs, seen)


def _expected(inputs):
    return _in_units(inputs, _traces(json.dumps(wire.encode(inputs)))[0])


def _plain(moment, beta, step):
    return moment / (1 - beta**step)


def _no_correction(moment, beta, step):
    return moment


def _root(v, v_hat, eps):
    return v_hat.sqrt() + eps


def _decayed(param, move, lr, decay):
    return param * (1 - lr * decay) - lr * move


def _step(
    *,
    gradient=lambda p, g, decay: g,
    second=lambda g, m: g**2,
    correct_m=_plain,
    correct_v=_plain,
    root=_root,
    finish=_decayed,
    swap=False,
    store_hats=False,
    defaults=DEFAULTS,
):
    """An answer with its choices open: moments, correction, root, decay, what is returned."""

    def adamw_step(param, grad, m, v, step, lr, betas=defaults[0], eps=defaults[1], weight_decay=defaults[2]):
        beta1, beta2 = betas[::-1] if swap else betas
        g = gradient(param, grad, weight_decay)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * second(g, m)
        m_hat, v_hat = correct_m(m, beta1, step), correct_v(v, beta2, step)
        param = finish(param, m_hat / root(v, v_hat, eps), lr, weight_decay)
        return (param, m_hat, v_hat) if store_hats else (param, m, v)

    return adamw_step


def _eps_before_correction(param, grad, m, v, step, lr, betas=DEFAULTS[0], eps=DEFAULTS[1], weight_decay=DEFAULTS[2]):
    beta1, beta2 = betas
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    rate = lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    return param * (1 - lr * weight_decay) - rate * m / (v.sqrt() + eps), m, v


def _decay_divided(param, grad, m, v, step, lr, betas=DEFAULTS[0], eps=DEFAULTS[1], weight_decay=DEFAULTS[2]):
    beta1, beta2 = betas
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    move = (_plain(m, beta1, step) + weight_decay * param) / (_plain(v, beta2, step).sqrt() + eps)
    return param - lr * move, m, v


def _gradient_moves(param, grad, m, v, step, lr, betas=DEFAULTS[0], eps=DEFAULTS[1], weight_decay=DEFAULTS[2]):
    beta1, beta2 = betas
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    return param * (1 - lr * weight_decay) - lr * grad / (_plain(v, beta2, step).sqrt() + eps), m, v


def _old_moments(param, grad, m, v, step, lr, betas=DEFAULTS[0], eps=DEFAULTS[1], weight_decay=DEFAULTS[2]):
    beta1, beta2 = betas
    move = _plain(m, beta1, step) / (_plain(v, beta2, step).sqrt() + eps)
    m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    return param * (1 - lr * weight_decay) - lr * move, m, v


ADAMW_STEP = Exercise(
    id="week5.adamw_step",
    title="One step of AdamW",
    points=3,
    minutes=15,
    why="Nearly every language model is trained by these five lines, and each of them is easy to get slightly wrong.",
    oracle="torch.optim.AdamW, with its decay before or after the rest",
    cases=_adamw_cases,
    probe=_adamw_probe,
    observe=_observed,
    expected=_expected,
    tolerance=TIGHT,
    keeps_inputs=False,
    library=("aten._fused_adam_", "aten._fused_adamw_"),
    misconceptions=(
        Misconception(
            "decay in the gradient",
            _step(gradient=lambda p, g, decay: g + decay * p, finish=lambda p, move, lr, decay: p - lr * move),
            "Your decay joins the gradient, and so it is divided by the root as all gradients are: that is Adam with "
            "L2, in which weights with large gradients hardly decay. AdamW's W stands for keeping the two apart.",
        ),
        Misconception(
            "decay without lr",
            _step(finish=lambda p, move, lr, decay: p * (1 - decay) - lr * move),
            "Your decay takes the fraction weight_decay off the weights at every step, whatever lr is. What is left of "
            "a weight after a hundred steps at 0.1?",
        ),
        Misconception(
            "decay without lr, nothing corrected",
            _step(
                correct_m=_no_correction,
                correct_v=_no_correction,
                finish=lambda p, move, lr, decay: p * (1 - decay) - lr * move,
            ),
            "Two things are missing: lr in the decay, without which the weights vanish within a hundred steps, and the "
            "correction of both moments for the zeros that they began with.",
        ),
        Misconception(
            "decay divided by the root",
            _decay_divided,
            "Your decay stays out of the moments, and is still divided by the root: it stands in the numerator with "
            "m_hat. The docstring takes a fraction off the weight itself.",
        ),
        Misconception(
            "decay left out",
            _step(finish=lambda p, move, lr, decay: p - lr * move),
            "Your weights do not decay: `weight_decay` changes nothing in what you return.",
        ),
        Misconception(
            "weights that grow",
            _step(finish=lambda p, move, lr, decay: p * (1 + lr * decay) - lr * move),
            "Your decay makes the weights grow by a fraction at every step.",
        ),
        Misconception(
            "nothing corrected",
            _step(correct_m=_no_correction, correct_v=_no_correction),
            "Your moments are not corrected for the zeros that they began with. The first step is then about three "
            "times too long: compare it with lr.",
        ),
        Misconception(
            "only the mean corrected",
            _step(correct_v=_no_correction),
            "You correct m for its start at zero, and not v: the root is far too small in the first steps.",
        ),
        Misconception(
            "only the square corrected",
            _step(correct_m=_no_correction),
            "You correct v for its start at zero, and not m: the first steps are far too short.",
        ),
        Misconception(
            "the step counted from 0",
            _step(
                correct_m=lambda moment, beta, step: moment / (1 - beta ** (step + 1)),
                correct_v=lambda moment, beta, step: moment / (1 - beta ** (step + 1)),
            ),
            "You correct for one step more than there was: `step` is 1 at the first step already.",
        ),
        Misconception(
            "stores corrected moments",
            _step(store_hats=True),
            "You return the corrected moments. The next step would update them and correct them again.",
        ),
        Misconception(
            "eps inside the root",
            _step(root=lambda v, v_hat, eps: (v_hat + eps).sqrt()),
            "Your eps stands inside the root. There 1e-8 counts as if it were 1e-4: with gradients of 1e-3 and "
            "less the steps become too short.",
        ),
        Misconception(
            "eps before the correction",
            _eps_before_correction,
            "You add eps to the root of v before v is corrected. In the first steps the correction then enlarges eps "
            "along with it, which shows where gradients are tiny.",
        ),
        Misconception(
            "no eps",
            _step(root=lambda v, v_hat, eps: v_hat.sqrt()),
            "Nothing keeps your root from being zero: where a weight has had no gradient but zeros you divide 0 by 0.",
        ),
        Misconception(
            "no root",
            _step(root=lambda v, v_hat, eps: v_hat + eps),
            "You divide by the mean square itself. What must be taken of it so that it is measured like a gradient?",
        ),
        Misconception(
            "the square of the mean",
            _step(second=lambda g, m: m**2),
            "Your v averages the squares of m. It should average the squares of the gradients: noise that cancels in m "
            "must not cancel in v.",
        ),
        Misconception(
            "sizes instead of squares",
            _step(second=lambda g, m: g.abs()),
            "Your v averages the sizes of the gradients, and later a root is taken of it. What is averaged "
            "in the docstring?",
        ),
        Misconception(
            "betas swapped",
            _step(swap=True),
            "Your betas are swapped: which of the two moments is the slow one?",
        ),
        Misconception(
            "the gradient in place of its mean",
            _gradient_moves,
            "Your weights move along this step's gradient, divided by the root. What is m for?",
        ),
        Misconception(
            "old moments",
            _old_moments,
            "You move the weights by the moments as they were before this step's gradient joined them.",
        ),
        Misconception(
            "uphill",
            _step(finish=lambda p, move, lr, decay: p * (1 - lr * decay) + lr * move),
            "Your step walks up the slope: the gradient points where the loss grows.",
        ),
        Misconception(
            "Adam's default decay",
            _step(defaults=(DEFAULTS[0], DEFAULTS[1], 0.0)),
            "Your function decays nothing unless it is told to. Look at the default of `weight_decay` in the first "
            "line that the lesson gives.",
        ),
    ),
)
