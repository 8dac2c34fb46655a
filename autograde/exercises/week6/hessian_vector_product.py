"""week6.hessian_vector_product: what the Hessian does to a vector, without the Hessian."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal


def _product_probe(target, inputs):
    import torch
    import torch.nn.functional as F

    x, kind = inputs["data"], inputs["loss"]
    model = None
    if kind == "of a GPT":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=11, width=4, heads=1, mlp_width=6))
    elif kind == "of a Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 1, "max_position_embeddings": 32}
        heads = {"num_attention_heads": 1, "num_key_value_heads": 1, "attn_implementation": "eager"}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=11, use_cache=False, **sizes, **heads))
    if model is None:
        params = [w.clone().requires_grad_(True) for w in inputs["weights"]]
    else:
        draws = torch.Generator().manual_seed(inputs["seed"])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.5, generator=draws)
        params = [p for name, p in model.named_parameters() if name.endswith(inputs["chosen"])]
    for place, p in enumerate(params):
        p.grad = torch.full_like(p, place + 0.5) if inputs["left over"] else None

    def loss_fn():
        if model is not None:
            with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the fast one has one derivative
                logits = model(input_ids=x).logits[:, :-1]
            return F.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten())
        flat = torch.cat([p.flatten() for p in params])
        if kind == "quadratic":
            return flat @ x @ flat / 2 + flat.sum()
        if kind == "cubes":
            return (flat**3 / 6).sum() + flat[0] * flat[-1]
        if kind == "linear":
            return flat @ x
        if kind == "of the first tensor alone":
            return (params[0] ** 2).prod() + x.sum()
        if kind == "linear in the second":
            return params[0].sin().sum() + params[1].sum()
        hidden = torch.tanh(x @ params[0].T + params[1])
        return F.mse_loss(hidden @ params[2].T, x[:, :1])

    vectors = [v.clone() for v in inputs["vectors"]]
    product = target(loss_fn, params, vectors)
    product = list(product) if isinstance(product, (list, tuple)) else product
    graph = isinstance(product, list) and any(getattr(p, "requires_grad", False) for p in product)
    return {
        "product": product,
        "with a graph": int(graph),
        "gradients": [-1.0 if p.grad is None else p.grad for p in params],
        "weights": [p.detach() for p in params],
        "vectors": vectors,
    }


def _observed(inputs, seen):
    return {
        "product": seen["product"],
        "results that keep a graph": seen["with a graph"],
        ".grad afterwards": seen["gradients"],
        "weights afterwards": seen["weights"],
        "vectors afterwards": seen["vectors"],
    }


_SHAPES = {"head.weight": (11, 4), "norm.weight": (4,), "out.weight": (4, 4), "o_proj.weight": (4, 4)}


def _product_cases(rng):
    def case(name, loss, weights, data, left_over=False, length=1.0, edge=False, **model):
        shapes = [w.shape for w in weights] or [_SHAPES[n] for n in model.pop("shapes")]
        dtype = weights[0].dtype if weights else torch.float32
        inputs = {"loss": loss, "data": data, "weights": weights, "left over": left_over}
        return Case(
            name, inputs | {"vectors": [normal(rng, *s, scale=length).to(dtype) for s in shapes], **model}, edge=edge
        )

    def matrix(n, dtype=torch.float32):
        root = normal(rng, n, n)
        return (root + root.T).to(dtype)

    yield case("a quadratic bowl, one tensor", "quadratic", [normal(rng, 4)], matrix(4))
    yield case("two tensors, one Hessian", "quadratic", [normal(rng, 2, 2), normal(rng, 3)], matrix(7))
    yield case("gradients left over from somebody else", "quadratic", [normal(rng, 3), normal(rng, 2)], matrix(5), True)
    yield case("a curvature that changes", "cubes", [normal(rng, 3) + 2, normal(rng, 1, 2)], normal(rng, 1))
    yield case("a long vector", "cubes", [normal(rng, 2), normal(rng, 2)], normal(rng, 1), length=100.0)
    weights = [normal(rng, 4, 3), normal(rng, 4), normal(rng, 1, 4)]
    yield case("a net of two layers", "of a net", weights, normal(rng, 6, 3))
    weights = [w.double() for w in (normal(rng, 3, 2), normal(rng, 3), normal(rng, 1, 3))]
    yield case("float64", "of a net", weights, normal(rng, 5, 2).double(), left_over=True)
    ids = torch.randint(0, 11, (2, 7), generator=rng)
    model = {"seed": integer(rng, 0, 10_000), "chosen": "out.weight", "shapes": ["out.weight"]}
    yield case("a weight of a GPT", "of a GPT", [], ids, **model)
    model = {"seed": integer(rng, 0, 10_000), "chosen": "o_proj.weight", "shapes": ["o_proj.weight"]}
    yield case("a weight of a Llama", "of a Llama", [], ids, left_over=True, **model)
    yield case(
        "a loss that uses the first tensor only",
        "of the first tensor alone",
        [normal(rng, 3), normal(rng, 2)],
        normal(rng, 2),
    )
    yield case("linear in the second tensor", "linear in the second", [normal(rng, 3), normal(rng, 2)], normal(rng, 1))
    yield case("a linear loss", "linear", [normal(rng, 3), normal(rng, 2)], normal(rng, 5), edge=True)


def _flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def _shaped(flat, params):
    return [part.view_as(p) for part, p in zip(flat.split([p.numel() for p in params]), params, strict=True)]


def _rows(loss_fn, params):
    """The full Hessian, row by row, from autograd."""
    gradient = _flat(torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True))
    if not gradient.requires_grad:
        return torch.zeros(len(gradient), len(gradient), dtype=gradient.dtype)
    rows = [torch.autograd.grad(g, params, retain_graph=True, materialize_grads=True) for g in gradient]
    return torch.stack([_flat(row) for row in rows])


def _by_the_full_hessian(loss_fn, params, vectors):
    return _shaped(_rows(loss_fn, params) @ _flat(vectors), params)


def _expected(inputs):
    return _observed(inputs, _product_probe(_by_the_full_hessian, inputs))


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _gradients(loss_fn, params, create_graph=True):
    return torch.autograd.grad(loss_fn(), params, create_graph=create_graph, materialize_grads=True)


def _dot(first, second):
    return sum((x * y).sum() for x, y in zip(first, second, strict=True))


def _derived(value, params, **options):
    if not value.requires_grad:
        return [torch.zeros_like(p) for p in params]
    return list(torch.autograd.grad(value, params, materialize_grads=True, **options))


def _first_derivative(loss_fn, params, vectors):
    along = _dot(_gradients(loss_fn, params), vectors)
    return [along.detach() * v for v in vectors]


def _gradient_only(loss_fn, params, vectors):
    return [g.detach() for g in _gradients(loss_fn, params)]


def _graph_missing(loss_fn, params, vectors):
    gradients = _gradients(loss_fn, params, create_graph=False)
    return list(torch.autograd.grad(_dot(gradients, vectors), params))


def _tensor_by_tensor(loss_fn, params, vectors):
    gradients = _gradients(loss_fn, params)
    products = []
    for p, g, v in zip(params, gradients, vectors, strict=True):
        along = (g * v).sum()
        if along.requires_grad:
            product = torch.autograd.grad(along, [p], retain_graph=True, materialize_grads=True)[0]
        products.append(product if along.requires_grad else torch.zeros_like(p))
    return products


def _only_the_diagonal(loss_fn, params, vectors):
    return _shaped(_rows(loss_fn, params).diagonal() * _flat(vectors), params)


def _row_sums(loss_fn, params, vectors):
    sums = _derived(sum(g.sum() for g in _gradients(loss_fn, params)), params)
    return [s * v for s, v in zip(sums, vectors, strict=True)]


def _of_the_gradient(loss_fn, params, vectors):
    gradients = _gradients(loss_fn, params)
    return _derived(_dot(gradients, gradients), params)


def _of_the_gradient_detached(loss_fn, params, vectors):
    gradients = _gradients(loss_fn, params)
    return _derived(_dot(gradients, [g.detach() for g in gradients]), params)


def _squared_gradient(loss_fn, params, vectors):
    return [g.detach() ** 2 * v for g, v in zip(_gradients(loss_fn, params), vectors, strict=True)]


def _unit_vector(loss_fn, params, vectors):
    length = _flat(vectors).norm()
    return [h / length for h in _derived(_dot(_gradients(loss_fn, params), vectors), params)]


def _keeps_a_graph(loss_fn, params, vectors):
    return _derived(_dot(_gradients(loss_fn, params), vectors), params, create_graph=True)


def _dies_on_none(loss_fn, params, vectors):
    gradients = torch.autograd.grad(loss_fn(), params, create_graph=True, allow_unused=True)
    return list(torch.autograd.grad(_dot(gradients, vectors), params))


def _dies_on_linear(loss_fn, params, vectors):
    along = _dot(_gradients(loss_fn, params), vectors)
    return list(torch.autograd.grad(along, params, materialize_grads=True))


def _by_backward(loss_fn, params, vectors):
    for p in params:
        p.grad = None
    product = _derived(_dot(_gradients(loss_fn, params), vectors), params)
    for p, h in zip(params, product, strict=True):
        p.grad = h
    return [p.grad.clone() for p in params]


def _added_to_grad(loss_fn, params, vectors):
    for p, h in zip(params, _derived(_dot(_gradients(loss_fn, params), vectors), params), strict=True):
        p.grad = h if p.grad is None else p.grad + h
    return [p.grad for p in params]


def _difference(eps):
    def hessian_vector_product(loss_fn, params, vectors):
        start = [p.detach().clone() for p in params]
        ends = []
        for sign in (1, -1):
            for p, s, v in zip(params, start, vectors, strict=True):
                p.data.copy_(s + sign * eps * v)
            ends.append(torch.autograd.grad(loss_fn(), params, materialize_grads=True))
        for p, s in zip(params, start, strict=True):
            p.data.copy_(s)
        return [(up - down) / (2 * eps) for up, down in zip(*ends, strict=True)]

    return hessian_vector_product


HESSIAN_VECTOR_PRODUCT = Exercise(
    id="week6.hessian_vector_product",
    title="The Hessian times a vector",
    points=2,
    minutes=12,
    why="A Hessian has as many entries as the model has pairs of weights. Its product with a vector costs two passes.",
    oracle="the full Hessian, row by row, by torch.autograd.grad",
    cases=_product_cases,
    probe=_product_probe,
    observe=_observed,
    expected=_expected,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    misconceptions=(
        Misconception(
            "slope times vector",
            _first_derivative,
            "You derive once: gradient · v is a slope. The Hessian tells how the *gradient* changes, so derive that "
            "number once more.",
        ),
        Misconception(
            "the gradient",
            _gradient_only,
            "What you return is the gradient. Where does the vector come in, and the second derivative?",
        ),
        Misconception(
            "no graph of the gradient",
            _graph_missing,
            "The gradient that you got knows no longer where it came from, so torch cannot derive it again. Which "
            "argument of `torch.autograd.grad` keeps its graph?",
        ),
        Misconception(
            "each tensor by itself",
            _tensor_by_tensor,
            "You treat each tensor as if the others stood still. How a gradient changes when *another* tensor moves "
            "belongs to the Hessian too: one sum over all tensors, derived by all of them.",
        ),
        Misconception(
            "only the diagonal",
            _only_the_diagonal,
            "You use the diagonal of the Hessian alone. Weights act on each other's gradients as well.",
        ),
        Misconception(
            "row sums times the vector",
            _row_sums,
            "You sum the gradients, derive, and multiply by v at the end. That is too late: v has to weigh the "
            "gradients *before* you derive their sum.",
        ),
        *(
            Misconception(
                "the gradient in place of the vector",
                answer,
                "You derive the squared gradient, which gives the Hessian times the gradient. It is to be multiplied "
                "by the vector that you were given.",
            )
            for answer in (_of_the_gradient, _of_the_gradient_detached)
        ),
        Misconception(
            "squared gradients",
            _squared_gradient,
            "Squared gradients stand in for curvature in an optimizer's state. They are first derivatives all the "
            "same; this one needs the second.",
        ),
        Misconception(
            "the vector made a unit vector",
            _unit_vector,
            "You normalise the vector. H v is asked for as it is: twice the vector, twice the product.",
        ),
        Misconception(
            "a graph is kept",
            _keeps_a_graph,
            "The numbers are right, but each still holds on to its graph: in a loop of many products the memory fills. "
            "The second derivative need not be derived again.",
        ),
        Misconception(
            "a tensor without a gradient",
            _dies_on_none,
            "Your answer stops where the loss does not depend on one of the tensors: `grad` gives None or complains. "
            "The product is zero there.",
        ),
        Misconception(
            "a linear loss",
            _dies_on_linear,
            "Your answer stops at a linear loss: its gradient is a constant, which has no graph. Which Hessian has a "
            "straight line?",
        ),
        *(
            Misconception(
                "written into .grad",
                answer,
                "You work through `.grad`, where somebody may keep gradients for the next step. `torch.autograd.grad` "
                "returns what it computes and writes nowhere.",
            )
            for answer in (_by_backward, _added_to_grad)
        ),
        *(
            Misconception(
                "finite differences",
                _difference(eps),
                "You compare gradients at two places. Between rounding and curvature that leaves few right digits in "
                "float32; autograd derives a gradient exactly.",
            )
            for eps in (1e-2, 1e-3, 1e-4)
        ),
    ),
)
