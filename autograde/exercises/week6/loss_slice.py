"""week6.loss_slice: the loss along a line, its direction as long as the weights that it moves, filter by filter."""

import torch
from torch.func import functional_call

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform

GPT, LLAMA, LAYERS = "course.lab.gpt", "a transformers Llama", "a convolution, a norm and a linear layer with biases"


def _slice_probe(target, inputs):
    import torch
    import torch.nn.functional as F

    draws = torch.Generator().manual_seed(inputs["seed"])
    if inputs["model"] == "a transformers Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "max_position_embeddings": 32}
        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=11, use_cache=False, num_attention_heads=2, num_key_value_heads=1, **sizes)
        )
    elif inputs["model"] == "course.lab.gpt":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=11, width=8, heads=2, mlp_width=12))
    else:
        first, norm = torch.nn.Conv2d(2, 3, 2), torch.nn.GroupNorm(1, 3)
        model = torch.nn.Sequential(first, norm, torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(12, 4))
    model = model.to(inputs["dtype"])
    parameters = list(model.parameters())
    with torch.no_grad():
        for parameter in parameters:
            parameter.normal_(0.0, 0.5, generator=draws)
            parameter.grad = torch.randn(parameter.shape, generator=draws).to(parameter.dtype)
    direction = [torch.randn(p.shape, generator=draws).to(p.dtype) * inputs["length"] for p in parameters]
    for place, row in inputs["filters of zeros"]:
        direction[place][row] = 0.0
    if inputs["model"].startswith("a convolution"):
        x = torch.randn(6, 2, 3, 3, generator=draws).to(inputs["dtype"])
        y = torch.randint(0, 4, (6,), generator=draws)
    else:
        x = torch.randint(0, 11, (2, 9), generator=draws)
    own, calls = ArithmeticError("loss_fn of this case raises here"), 0

    def loss_fn(model):
        nonlocal calls
        calls += 1
        if calls == inputs["raises at call"]:
            raise own
        if x.is_floating_point():
            return F.cross_entropy(model(x), y)
        logits = model(input_ids=x, attention_mask=torch.ones_like(x)).logits[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())

    losses, raised = None, ""
    try:
        losses = target(model, loss_fn, direction, list(inputs["alphas"]))
    except ArithmeticError as error:
        if error is not own:
            raise
        raised = "the error of loss_fn"
    if isinstance(losses, (list, tuple)):
        losses = [float(loss) for loss in losses]
    tensors = {"weights": parameters, "gradients": [p.grad for p in parameters], "direction": direction}
    flat = {name: torch.cat([t.detach().flatten() for t in found]) for name, found in tensors.items()}
    return {"losses": losses, "raised": raised, **flat}


def _observed(inputs, seen):
    """Bit for bit against a model that nobody touched."""
    fresh = _slice_probe(lambda *args: [], {**inputs, "raises at call": -1})
    found = {"losses": seen["losses"], "raised": seen["raised"]}
    for name in ("weights", "gradients", "direction"):
        after, before = seen[name], fresh[name]
        if not isinstance(after, torch.Tensor) or after.shape != before.shape or after.dtype != before.dtype:
            found[f"{name} afterwards"] = "something else"
            continue
        bits = torch.int64 if before.dtype is torch.float64 else torch.int32
        same = torch.equal(after.view(bits), before.view(bits))
        near = torch.allclose(after, before, rtol=1e-4, atol=1e-5)
        found[f"{name} afterwards"] = "as before" if same else "rounded: off by next to nothing" if near else "moved"
    return found


def _slice_cases(rng):
    def case(name, model, alphas, dtype=torch.float32, length=1.0, zeros=(), raises=-1):
        inputs = {"model": model, "seed": integer(rng, 0, 10_000), "dtype": dtype, "alphas": alphas, "length": length}
        return Case(name, {**inputs, "filters of zeros": [list(z) for z in zeros], "raises at call": raises})

    def both(n=2, most=1.0):
        """Alphas on both sides of 0, and 0."""
        steps = [most * (k + uniform(rng, 0.3, 1)) / n for k in range(n)]
        return [round(-a, 3) for a in steps[::-1]] + [0.0] + [round(a, 3) for a in steps]

    yield case("a GPT", GPT, both())
    yield case("a Llama", LLAMA, both(1))
    yield case("a convolution: four axes", LAYERS, both())
    yield case("one alpha", GPT, [uniform(rng, 0.5, 1)])
    yield case("alphas in no order", GPT, [0.9, uniform(rng, -1, -0.5), 0.9, uniform(rng, 0.1, 0.3)])
    yield case("a long direction", LAYERS, both(1), length=100.0)
    yield case("a short direction", GPT, both(1), length=0.01)
    yield case("float64", LAYERS, both(), dtype=torch.float64)
    places = [(0, integer(rng, 0, 10)), (2, integer(rng, 0, 23))]
    yield case("filters of the direction that are zero", GPT, both(1), zeros=places)
    yield case("loss_fn raises at the first call", GPT, both(1), raises=1)
    yield case("loss_fn raises at the third call", LAYERS, both(), raises=3)


class _Moved:
    """The model with other weights, called as the model is."""

    def __init__(self, model, weights):
        self.model, self.weights = model, weights

    def __call__(self, *args, **kwargs):
        return functional_call(self.model, self.weights, args, kwargs)


def _by_functional_call(model, loss_fn, direction, alphas):
    """Filter by filter, in float64, on weights that never touch the model."""
    moves = {}
    for (name, weight), raw in zip(model.named_parameters(), direction, strict=True):
        moves[name] = move = torch.zeros(weight.shape, dtype=torch.float64)
        for place in range(len(weight)) if weight.ndim > 1 else ():
            own = raw[place].double().norm()
            if own > 0:
                move[place] = raw[place].double() * (weight[place].detach().double().norm() / own)
    losses = []
    for alpha in alphas:
        moved = {n: (w.detach().double() + alpha * moves[n]).to(w.dtype) for n, w in model.named_parameters()}
        losses.append(float(loss_fn(_Moved(model, moved))))
    return losses


def _expected(inputs):
    return _observed(inputs, _slice_probe(_by_functional_call, inputs))


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _sizes(tensor):
    """The norm of each filter, in a shape that multiplies the tensor."""
    return torch.linalg.vector_norm(tensor, dim=tuple(range(1, tensor.ndim)), keepdim=True)


def _per_filter(weight, raw, power=1):
    own = _sizes(raw)
    return raw * (_sizes(weight) / own.masked_fill(own == 0, 1.0)) ** power


def _per_tensor(weight, raw):
    return raw * weight.norm() / raw.norm()


def _along(axis):
    """Norms along one axis alone."""

    def move(weight, raw):
        own = raw.norm(dim=axis, keepdim=True)
        return raw * weight.norm(dim=axis, keepdim=True) / own.masked_fill(own == 0, 1.0)

    return move


def _unit(weight, raw):
    own = _sizes(raw)
    return raw / own.masked_fill(own == 0, 1.0)


def _undefended(weight, raw):
    return raw * _sizes(weight) / _sizes(raw)


def _still(weight, raw):
    return torch.zeros_like(raw)


def _set(weights, values):
    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(value)


def _with(matrices=_per_filter, vectors=_still, cumulative=False, restore="finally"):
    """The right answer with one of its parts replaced."""

    def loss_slice(model, loss_fn, direction, alphas):
        weights = list(model.parameters())
        start, losses = [w.detach().clone() for w in weights], []
        moves = [(matrices if w.ndim > 1 else vectors)(w, d) for w, d in zip(start, direction, strict=True)]

        def walk():
            for alpha in alphas:
                origin = weights if cumulative else start
                _set(weights, [w.detach() + alpha * m for w, m in zip(origin, moves, strict=True)])
                losses.append(float(loss_fn(model).detach()))

        if restore == "finally":
            try:
                walk()
            finally:
                _set(weights, start)
        else:
            walk()
            if restore == "at the end":
                _set(weights, start)
        return losses

    return loss_slice


def _subtracts(model, loss_fn, direction, alphas):
    weights, losses = list(model.parameters()), []
    moves = [
        _per_filter(w.detach(), d) if w.ndim > 1 else torch.zeros_like(d)
        for w, d in zip(weights, direction, strict=True)
    ]
    for alpha in alphas:
        _set(weights, [w + alpha * m for w, m in zip(weights, moves, strict=True)])
        try:
            losses.append(float(loss_fn(model).detach()))
        finally:
            _set(weights, [w - alpha * m for w, m in zip(weights, moves, strict=True)])
    return losses


def _swallows(model, loss_fn, direction, alphas):
    losses = []

    def quiet(model):
        try:
            losses.append(float(loss_fn(model)))
        except ArithmeticError:
            losses.append(float("nan"))
        return torch.zeros(())

    _with()(model, quiet, direction, alphas)
    return losses


def _spoils_direction(model, loss_fn, direction, alphas):
    for weight, raw in zip(model.parameters(), direction, strict=True):
        raw.copy_(_per_filter(weight.detach(), raw) if weight.ndim > 1 else torch.zeros_like(raw))
    return _with(matrices=lambda weight, raw: raw)(model, loss_fn, direction, alphas)


def _leaves_gradients(model, loss_fn, direction, alphas):
    def backward(model):
        loss = loss_fn(model)
        loss.backward()
        return loss

    return _with()(model, backward, direction, alphas)


def _only_linear(model, loss_fn, direction, alphas):
    chosen = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Linear)}
    masked = [d if id(p) in chosen else torch.zeros_like(d) for p, d in zip(model.parameters(), direction, strict=True)]
    return _with()(model, loss_fn, masked, alphas)


LOSS_SLICE = Exercise(
    id="week6.loss_slice",
    title="A slice through the landscape",
    points=3,
    minutes=20,
    why="Without the filters' own scale a picture of a landscape shows how large the weights are, not how sharp it is.",
    oracle="Li et al. 2018 (arXiv 1712.09913), filter by filter, by torch.func.functional_call",
    cases=_slice_cases,
    probe=_slice_probe,
    observe=_observed,
    expected=_expected,
    tolerance=Tolerance(rtol=2e-4, atol=2e-5),
    misconceptions=(
        *(
            Misconception(
                "biases and norms move",
                _with(vectors=vectors),
                "You move biases and the weights of norms along. They have no filters whose size a step could be "
                "compared with: in these pictures they stay where they are.",
            )
            for vectors in (
                lambda weight, raw: raw,
                _per_tensor,
                lambda weight, raw: raw.sign() * weight.abs(),
            )
        ),
        Misconception(
            "one norm for a whole tensor",
            _with(_per_tensor),
            "You scale each tensor as a whole. Its filters differ in size, and a small one is then moved by far more "
            "than its own length: what has the norm to be taken over?",
        ),
        Misconception(
            "not normalised",
            _with(lambda weight, raw: raw),
            "You walk along the direction as it is drawn. How far that goes, measured by the weights, differs from "
            "filter to filter.",
        ),
        Misconception(
            "filters of length 1",
            _with(_unit),
            "Each of your filters gets the length 1. It should get the length of the *weights* that it moves.",
        ),
        *(
            Misconception(
                "columns instead of rows",
                _with(move),
                "You take norms along another axis. One filter is what makes one output: which index of `weight` does "
                "it stand behind?",
            )
            for move in (_along(0), lambda weight, raw: _per_filter(weight.mT, raw.mT).mT)
        ),
        Misconception(
            "the last axis alone",
            _with(_along(-1)),
            "For matrices you are right. A filter of a convolution has more axes than one: all but the first.",
        ),
        Misconception(
            "squared norms",
            _with(lambda weight, raw: _per_filter(weight, raw, power=2)),
            "Your factor is a quotient of *squared* norms. Try it on a filter that is twice as long as it should be.",
        ),
        Misconception(
            "the embedding stays",
            _only_linear,
            "You move linear layers alone. The rows of an embedding, the kernels of a convolution are filters as well: "
            "go by the number of axes.",
        ),
        Misconception(
            "a filter of zeros",
            _with(_undefended),
            "A filter of the direction that is all zeros has no length to divide by, and its weights become NaN. It "
            "should not move at all.",
        ),
        Misconception(
            "each alpha from the last place",
            _with(cumulative=True),
            "You walk on from wherever the last alpha has led. Each alpha is counted from the weights as they were "
            "given.",
        ),
        Misconception(
            "weights left moved",
            _with(restore="never"),
            "The losses are right, but afterwards the model stands at the last alpha. Whoever trains on, trains "
            "another model.",
        ),
        Misconception(
            "not restored after an error",
            _with(restore="at the end"),
            "When loss_fn raises, your last line is never reached, and the weights stay moved. Which statement of "
            "Python runs in either case?",
        ),
        Misconception(
            "restored by subtraction",
            _subtracts,
            "You subtract what you have added. In floating point (w + d) − d is often not w: it takes a copy to bring "
            "back every bit.",
        ),
        Misconception(
            "the error is swallowed",
            _swallows,
            "When loss_fn raises you go on as if nothing had happened. Restore the weights, and let the error reach "
            "the caller.",
        ),
        Misconception(
            "the direction is changed",
            _spoils_direction,
            "You normalise the caller's direction in place. A second slice along it would start from something else.",
        ),
        Misconception(
            "gradients written",
            _leaves_gradients,
            "Your answer leaves other gradients in `.grad` than there were. A slice only looks: it needs no backward "
            "pass.",
        ),
    ),
)
