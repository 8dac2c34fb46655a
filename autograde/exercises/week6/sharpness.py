"""week6.sharpness: the largest eigenvalue of the Hessian, from products with vectors alone."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform


def _sharpness_probe(target, inputs):
    import torch
    import torch.nn.functional as F

    x, model = inputs["data"], None
    if inputs["loss"] == "of a GPT":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=11, width=4, heads=1, mlp_width=6))
        draws = torch.Generator().manual_seed(inputs["seed"])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.7, generator=draws)
        params = [model.norm.weight, model.blocks[0].attention.out.weight]
    else:
        params = [w.clone().requires_grad_(True) for w in inputs["weights"]]
    for place, p in enumerate(params):
        p.grad = torch.full_like(p, place + 0.5) if inputs["left over"] else None

    def loss_fn():
        if model is not None:
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the fast one has one derivative
                logits = model(input_ids=x).logits[:, :-1]
            return F.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())
        flat = torch.cat([p.flatten() for p in params])
        if inputs["loss"] == "linear":
            return flat @ x
        if inputs["loss"] == "quadratic":
            return flat @ x @ flat / 2 + flat.sum()
        hidden = torch.tanh(x @ params[0].T + params[1])
        return F.mse_loss(hidden @ params[2].T, x[:, :1])

    value = target(loss_fn, params, inputs["iterations"])
    gradients = [-1.0 if p.grad is None else p.grad for p in params]
    return {"sharpness": value, ".grad afterwards": gradients, "weights afterwards": [p.detach() for p in params]}


def _sharpness_cases(rng):
    def case(name, loss, weights, data, iterations=50, left_over=False, edge=False, **model):
        inputs = {"loss": loss, "data": data, "weights": weights, "left over": left_over, "iterations": iterations}
        return Case(name, inputs | model, edge=edge)

    def bowl(name, eigenvalues, *shapes, scale=1.0, dtype=torch.float32, **options):
        """A quadratic loss whose Hessian has these eigenvalues, in directions that mix all weights."""
        eigenvalues = scale * torch.tensor(eigenvalues, dtype=torch.float64)
        turn, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=rng, dtype=torch.float64))
        matrix = turn @ eigenvalues.diag() @ turn.T
        weights = [normal(rng, *shape).to(dtype) for shape in shapes]
        return case(name, "quadratic", weights, matrix.to(dtype), **options)

    def near(*values):
        return [value * uniform(rng, 0.96, 1.04) for value in values]

    yield bowl("the largest modulus belongs to a negative one", near(-5, 3, 1, -0.5, 0.2), (5,))
    yield bowl("the largest modulus belongs to a positive one", near(5, -3.4, 2, 1), (2, 2))
    yield bowl("a bowl: all positive", near(6, 3, 2, 1, 0.5, 0.1), (2, 2), (2,), left_over=True)
    yield bowl("a hill: all negative", near(-5, -3, -2.4, -1), (4,))
    yield bowl("two tensors that act on each other", near(-4, 3, 1, 0.3, -2, 0.5, -0.2), (3,), (2, 2))
    yield bowl("a sharp valley", near(5, 2.5, -2, 1), (4,), scale=2000.0)
    yield bowl("next to flat", near(-5, 3, 1, 0.2), (2,), (2,), scale=1e-3)
    yield bowl("float64", near(-8, 5, 1, 0.5, -1), (5,), dtype=torch.float64, left_over=True)
    yield bowl("as curved in every direction", [uniform(rng, 1, 3)] * 4, (4,))

    def net():
        weights = [normal(rng, 3, 2), normal(rng, 3), normal(rng, 1, 3)]
        return case("a net of two layers", "of a net", weights, normal(rng, 8, 2), iterations=90, left_over=True)

    def gpt():
        ids = torch.randint(0, 11, (2, 8), generator=rng)
        return case("two weights of a GPT", "of a GPT", [], ids, iterations=90, seed=integer(rng, 0, 10_000))

    yield next(filter(_settles, iter(net, None)))
    yield next(filter(_settles, iter(gpt, None)))
    yield case("a plane", "linear", [normal(rng, 3), normal(rng, 2)], normal(rng, 5), edge=True)


def _flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def _hessian(loss_fn, params):
    """Row by row, from autograd, in float64."""
    gradient = _flat(torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True))
    if not gradient.requires_grad:
        return torch.zeros(len(gradient), len(gradient), dtype=torch.float64)
    rows = [torch.autograd.grad(g, params, retain_graph=True, materialize_grads=True) for g in gradient]
    hessian = torch.stack([_flat(row) for row in rows]).double()
    return (hessian + hessian.T) / 2


def _of_the_spectrum(pick):
    """An answer that reads its number off all eigenvalues, in rising order."""
    return lambda loss_fn, params, iterations: float(pick(torch.linalg.eigvalsh(_hessian(loss_fn, params))))


def _settles(case):
    """Whether iterating gets anywhere: no second eigenvalue is nearly as large as the one that is looked for."""
    values = torch.tensor(_sharpness_probe(_all_eigenvalues, case.inputs)["sharpness"])
    second, largest = values.abs().sort().values[-2:]
    return bool(second < 0.9 * largest and values[-2] + largest < 0.95 * (values[-1] + largest))


def _all_eigenvalues(loss_fn, params, iterations):
    return torch.linalg.eigvalsh(_hessian(loss_fn, params)).tolist()


def _expected(inputs):
    return _sharpness_probe(_of_the_spectrum(lambda values: values[-1]), inputs)


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _by_modulus(values):
    return values[values.abs().argmax()]


def _first_tensor(loss_fn, params, iterations):
    return float(torch.linalg.eigvalsh(_hessian(loss_fn, params[:1]))[-1])


def _best_of_the_tensors(loss_fn, params, iterations):
    return max(float(torch.linalg.eigvalsh(_hessian(loss_fn, [p]))[-1]) for p in params)


def _along_the_gradient(loss_fn, params, iterations):
    gradient = _flat(torch.autograd.grad(loss_fn(), params, materialize_grads=True)).double()
    return float(gradient @ _hessian(loss_fn, params) @ gradient / gradient.square().sum())


def _gradient_norm(loss_fn, params, iterations):
    return float(_flat(torch.autograd.grad(loss_fn(), params, materialize_grads=True)).norm())


def _iterated(rounds=2, normalise=True, least=0.0, quotient=True, products=None):
    """Power iteration with a shift, on the full Hessian; some of its parts replaced."""

    def sharpness(loss_fn, params, iterations):
        hessian, shift = _hessian(loss_fn, params).to(params[0].dtype), 0.0
        for _ in range(rounds):
            v = torch.randn(len(hessian), dtype=hessian.dtype)
            v = v / v.norm()
            for _ in range(products or iterations):
                before, product = v, hessian @ v
                v = product + shift * v
                if normalise and v.norm() > least:
                    v = v / v.norm()
                elif normalise and least >= 0:
                    break
                elif normalise:
                    v = v / v.norm()
            value = float(before @ product) / (1.0 if quotient else float(before @ before))
            shift = float(product.norm())
        return value

    return sharpness


SHARPNESS = Exercise(
    id="week6.sharpness",
    title="The sharpness of a minimum",
    points=3,
    minutes=20,
    why="Plain gradient descent is unstable where the sharpness exceeds 2 / lr: the landscape sets the learning rate.",
    oracle="torch.linalg.eigvalsh of the full Hessian, on models small enough to have one",
    cases=_sharpness_cases,
    probe=_sharpness_probe,
    expected=_expected,
    tolerance=Tolerance(rtol=0.02, atol=1e-6),
    misconceptions=(
        Misconception(
            "the largest modulus",
            _of_the_spectrum(_by_modulus),
            "Power iteration finds the eigenvalue of largest modulus, and that may be a negative one: a hilltop "
            "direction, not a sharp valley. What does a shift of all eigenvalues change?",
        ),
        Misconception(
            "without its sign",
            _of_the_spectrum(lambda values: values.abs().max()),
            "You return the *size* of an eigenvalue, |H v|. Downwards curvature is not sharpness; vᵀ H v has a sign.",
        ),
        Misconception(
            "the shift is still in",
            _of_the_spectrum(lambda values: values[-1] + values.abs().max()),
            "What you return belongs to the shifted matrix. Take the shift out again, or ask H itself about your v.",
        ),
        *(
            Misconception(
                "the lowest eigenvalue",
                _of_the_spectrum(pick),
                "You end at the lowest eigenvalue: your shift turns the order round. Which end of the spectrum has to "
                "be the largest in modulus after the shift?",
            )
            for pick in (
                lambda values: values[0],
                lambda values: values[0] if _by_modulus(values) > 0 else values[-1],
            )
        ),
        Misconception(
            "never below 0",
            _of_the_spectrum(lambda values: values[-1].clamp(min=0.0)),
            "On a hill every direction curves downwards, and the largest eigenvalue is negative. You return 0 there.",
        ),
        Misconception(
            "the sum of all eigenvalues",
            _of_the_spectrum(lambda values: values.sum()),
            "Your number is the trace of the Hessian: all eigenvalues together. One sharp direction can hide in it.",
        ),
        Misconception(
            "the second derivative halved",
            _of_the_spectrum(lambda values: values[-1] / 2),
            "You return half of the eigenvalue. The ½ belongs to the loss, ½ · λ · distance², and not to its second "
            "derivative.",
        ),
        Misconception(
            "only the first tensor",
            _first_tensor,
            "You look at the first tensor and hold the others still. The sharpest direction moves them all together.",
        ),
        Misconception(
            "each tensor by itself",
            _best_of_the_tensors,
            "You treat each tensor by itself and take the largest. v is one vector over all tensors: one norm, one "
            "product, one eigenvalue.",
        ),
        Misconception(
            "along the gradient",
            _along_the_gradient,
            "You measure the curvature along the gradient. The sharpest direction is another one; iterating finds it.",
        ),
        Misconception(
            "the length of the gradient",
            _gradient_norm,
            "You return the norm of the gradient: how steep it is here, not how fast that changes.",
        ),
        Misconception(
            "v is never normalised",
            _iterated(normalise=False),
            "Your v grows or shrinks with every product until it leaves the range of floats. What is done to v before "
            "each of them?",
        ),
        Misconception(
            "one product alone",
            _iterated(products=1),
            "After one product v is still nearly the random one that you began with. What is `iterations` for?",
        ),
        Misconception(
            "a flat loss",
            _iterated(least=-1.0),
            "Where the Hessian is zero, H v is zero too, and you divide by its norm.",
        ),
    ),
)
