"""Answers to week 6's exercises on the loss landscape whose worth is known."""

import copy
import functools
import math

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from autograde.audit import right, wrong

# --- loss_slice -------------------------------------------------------------------------------------------------------


@right("week6.loss_slice")
def slice_on_a_copy(model, loss_fn, direction, alphas):
    """The model itself never moves."""
    found = []
    for alpha in alphas:
        moved = copy.deepcopy(model)
        for p, d in zip(moved.parameters(), direction, strict=True):
            if p.dim() < 2:
                continue
            for i in range(p.shape[0]):
                length = d[i].norm().item()
                if length > 0:
                    p.data[i] += alpha * p.data[i].norm() * d[i] / length
        found.append(loss_fn(moved).item())
    return found


@right("week6.loss_slice")
def slice_by_state_dict(model, loss_fn, direction, alphas):
    names = [name for name, _ in model.named_parameters()]
    saved = {name: t.clone() for name, t in model.state_dict().items()}

    def step(name, raw):
        rows = raw.flatten(1) if raw.ndim > 1 else None
        if rows is None:
            return 0 * raw
        scale = saved[name].flatten(1).norm(dim=1) / rows.norm(dim=1)
        return (rows * scale.nan_to_num(0.0, 0.0, 0.0)[:, None]).reshape(raw.shape).nan_to_num(0.0)

    steps = {name: step(name, raw) for name, raw in zip(names, direction, strict=True)}
    try:
        losses = []
        for alpha in alphas:
            model.load_state_dict({n: t + alpha * steps[n] if n in steps else t for n, t in saved.items()})
            losses.append(float(loss_fn(model)))
        return losses
    finally:
        model.load_state_dict(saved)


@right("week6.loss_slice")
def slice_by_data_pointers(model, loss_fn, direction, alphas):
    """The parameters get other tensors, and their own ones back at the end."""
    own = [p.data for p in model.parameters()]

    def normed(w, d):
        if len(w.shape) <= 1:
            return torch.zeros_like(d)
        return torch.stack([r * (x.norm() / r.norm()) if r.any() else r.clone() for x, r in zip(w, d, strict=True)])

    moves = list(map(normed, own, direction))

    def at(alpha):
        for p, w, m in zip(model.parameters(), own, moves, strict=True):
            p.data = w + alpha * m
        with torch.inference_mode():
            return loss_fn(model).item()

    try:
        return [at(alpha) for alpha in alphas]
    finally:
        for p, w in zip(model.parameters(), own, strict=True):
            p.data = w


@right("week6.loss_slice")
def slice_through_one_vector(model, loss_fn, direction, alphas):
    start = parameters_to_vector(model.parameters()).detach().clone()
    pieces = []
    for w, d in zip(model.parameters(), direction, strict=True):
        if w.ndim == 1:
            pieces.append(torch.zeros(w.numel(), dtype=w.dtype))
            continue
        w, d = w.detach().reshape(len(w), -1), d.reshape(len(d), -1)
        sizes = d.square().sum(1).sqrt()
        factor = torch.where(sizes == 0, 0.0, w.square().sum(1).sqrt() / sizes.clamp_min(1e-30))
        pieces.append((d * factor.unsqueeze(1)).reshape(-1))
    line = torch.cat(pieces)
    losses = []
    try:
        for alpha in alphas:
            vector_to_parameters(start + alpha * line, model.parameters())
            losses.append(float(loss_fn(model)))
    except BaseException:
        vector_to_parameters(start, model.parameters())
        raise
    vector_to_parameters(start, model.parameters())
    return losses


@right("week6.loss_slice")
def slice_without_moving(model, loss_fn, direction, alphas):
    weights = dict(model.named_parameters())

    class Elsewhere:
        def __init__(self, tensors):
            self.tensors = tensors

        def __call__(self, *args, **kwargs):
            return torch.func.functional_call(model, self.tensors, args, kwargs)

    line = {}
    for (name, w), d in zip(weights.items(), direction, strict=True):
        matrix = d.view(d.shape[0], -1)
        unit = torch.nn.functional.normalize(matrix, dim=1, eps=1e-30).view_as(d)
        sizes = w.detach().view(w.shape[0], -1).norm(dim=1).view(-1, *[1] * (w.ndim - 1))
        line[name] = unit * sizes if w.ndim > 1 else torch.zeros_like(w)
    losses = [loss_fn(Elsewhere({n: w + a * line[n] for n, w in weights.items()})) for a in alphas]
    return [loss.item() for loss in losses]


@right("week6.loss_slice")
@torch.no_grad()
def slice_restoring_each_time(model, loss_fn, direction, alphas):
    """Every step is undone from a copy before the next."""
    results = []
    for alpha in alphas:
        backup = {p: p.clone() for p in model.parameters()}
        try:
            for p, d in zip(model.parameters(), direction, strict=True):
                if p.ndim >= 2:
                    dims = list(range(p.ndim))[1:]
                    top = torch.linalg.vector_norm(p, dim=dims, keepdim=True)
                    below = torch.linalg.vector_norm(d, dim=dims, keepdim=True)
                    p += alpha * torch.where(below != 0, d / below * top, torch.zeros_like(d))
            results.append(float(loss_fn(model)))
        finally:
            for p, old in backup.items():
                p.copy_(old)
    return results


def _rows(w, d):
    w, rows = w.detach().flatten(1), d.flatten(1)
    return (rows * w.norm(dim=1, keepdim=True) / rows.norm(dim=1, keepdim=True).clamp(min=1e-30)).view_as(d)


@wrong("week6.loss_slice", "weights left moved")
@torch.no_grad()
def slice_that_forgets_to_come_back(model, loss_fn, direction, alphas):
    start = copy.deepcopy(list(model.parameters()))
    losses = []
    for alpha in alphas:
        for p, s, d in zip(model.parameters(), start, direction, strict=True):
            if p.ndim > 1:
                p.copy_(s + alpha * _rows(s, d))
        losses.append(loss_fn(model).item())
    return losses


@wrong("week6.loss_slice", "one norm for a whole tensor")
def slice_normalised_by_tensor(model, loss_fn, direction, alphas):
    saved = copy.deepcopy(model.state_dict())
    lines = {
        name: d / d.norm() * w.detach().norm() * (w.ndim > 1)
        for (name, w), d in zip(model.named_parameters(), direction, strict=True)
    }
    losses = []
    try:
        for alpha in alphas:
            model.load_state_dict({**saved, **{n: saved[n] + alpha * d for n, d in lines.items()}})
            losses.append(float(loss_fn(model)))
    finally:
        model.load_state_dict(saved)
    return losses


@wrong("week6.loss_slice", "biases and norms move")
def slice_with_every_bias(model, loss_fn, direction, alphas):
    losses = []
    for alpha in alphas:
        moved = copy.deepcopy(model)
        for p, d in zip(moved.parameters(), direction, strict=True):
            p.data += alpha * (_rows(p, d) if p.ndim > 1 else d)
        losses.append(float(loss_fn(moved)))
    return losses


@wrong("week6.loss_slice", "not restored after an error")
@torch.no_grad()
def slice_for_fair_weather(model, loss_fn, direction, alphas):
    start = [p.clone() for p in model.parameters()]

    def at(alpha):
        for p, s, d in zip(model.parameters(), start, direction, strict=True):
            p.copy_(s + alpha * _rows(s, d) if p.ndim > 1 else s)
        return float(loss_fn(model))

    losses = list(map(at, alphas))
    for p, s in zip(model.parameters(), start, strict=True):
        p.copy_(s)
    return losses


@wrong("week6.loss_slice", "not normalised")
def slice_along_the_raw_direction(model, loss_fn, direction, alphas):
    losses = []
    for alpha in alphas:
        moved = copy.deepcopy(model)
        for p, d in zip(moved.parameters(), direction, strict=True):
            p.data += alpha * d if p.ndim > 1 else 0.0
        losses.append(float(loss_fn(moved)))
    return losses


@wrong("week6.loss_slice")
def slice_on_one_side(model, loss_fn, direction, alphas):
    return slice_on_a_copy(model, loss_fn, direction, [abs(alpha) for alpha in alphas])


@wrong("week6.loss_slice")
def slice_above_the_start(model, loss_fn, direction, alphas):
    losses = slice_on_a_copy(model, loss_fn, direction, [0.0, *alphas])
    return [loss - losses[0] for loss in losses[1:]]


# --- hessian_vector_product -------------------------------------------------------------------------------------------


@right("week6.hessian_vector_product")
def product_through_one_number(loss_fn, params, vectors):
    grads = torch.autograd.grad(loss_fn(), params, create_graph=True, allow_unused=True)
    total = None
    for g, v in zip(grads, vectors, strict=True):
        if g is not None and g.grad_fn is not None:
            part = torch.sum(g * v)
            total = part if total is None else total + part
    if total is None:
        return [p.detach() * 0 for p in params]
    second = torch.autograd.grad(total, params, allow_unused=True)
    return [torch.zeros_like(p) if h is None else h for h, p in zip(second, params, strict=True)]


@right("week6.hessian_vector_product")
def product_by_grad_outputs(loss_fn, params, vectors):
    """The vector goes in as the outer gradient: no sum is written."""
    grads = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    pairs = [(g, v) for g, v in zip(grads, vectors, strict=True) if g.requires_grad]
    if not pairs:
        return tuple(torch.zeros_like(p) for p in params)
    outputs, outer = zip(*pairs, strict=True)
    return torch.autograd.grad(outputs, params, grad_outputs=outer, materialize_grads=True)


def _product(loss_fn, params, vectors):
    gradient = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    along = sum((g * v).sum() for g, v in zip(gradient, vectors, strict=True))
    if not along.requires_grad:  # nothing to derive: the loss is linear
        return [torch.zeros_like(p) for p in params]
    return list(torch.autograd.grad(along, params, materialize_grads=True))


@right("week6.hessian_vector_product")
def product_of_flat_vectors(loss_fn, params, vectors):
    flat = functools.partial(torch.nn.utils.parameters_to_vector)
    gradient = flat(torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True))
    try:
        pieces = torch.autograd.grad(gradient @ flat(vectors), params, materialize_grads=True)
    except RuntimeError:  # nothing to derive: the loss is linear
        pieces = [torch.zeros_like(p) for p in params]
    return list(pieces)


@right("week6.hessian_vector_product")
def product_by_the_full_hessian(loss_fn, params, vectors):
    """Many passes, and the same result."""
    gradient = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    result = [torch.zeros_like(p) for p in params]
    for g, v in zip(gradient, vectors, strict=True):
        for entry, weight in zip(g.flatten(), v.flatten(), strict=True):
            if entry.requires_grad:
                row = torch.autograd.grad(entry, params, retain_graph=True, materialize_grads=True)
                for r, total in zip(row, result, strict=True):
                    total.add_(r, alpha=weight.item())
    return result


@right("week6.hessian_vector_product")
def product_with_grads_put_aside(loss_fn, params, vectors):
    """By backward; somebody's gradients are put aside first."""
    aside = [p.grad for p in params]
    for p in params:
        p.grad = None
    grads = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    along = torch.stack([(g * v).sum() for g, v in zip(grads, vectors, strict=True)]).sum()
    if along.requires_grad:
        along.backward(inputs=params)
    product = [torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for p in params]
    for p, old in zip(params, aside, strict=True):
        p.grad = old
    return product


@right("week6.hessian_vector_product")
def product_by_a_slope_that_is_derived(loss_fn, params, vectors):
    """Adds a zero that depends on every weight, so that there is always something to derive."""
    anchor = sum(0.0 * (p * p).sum() for p in params)
    grads = torch.autograd.grad(loss_fn() + anchor, params, create_graph=True)
    slope = sum(torch.tensordot(g, v, dims=g.ndim) for g, v in zip(grads, vectors, strict=True))
    return [h.detach() for h in torch.autograd.grad(slope, params)]


@wrong("week6.hessian_vector_product", "each tensor by itself")
def product_block_by_block(loss_fn, params, vectors):
    result = []
    for p, v in zip(params, vectors, strict=True):
        (g,) = torch.autograd.grad(loss_fn(), [p], create_graph=True, materialize_grads=True)
        if g.requires_grad:
            result.append(torch.autograd.grad(g, p, v, materialize_grads=True)[0])
        else:
            result.append(torch.zeros_like(v))
    return result


@wrong("week6.hessian_vector_product", "a linear loss")
def product_that_needs_curvature(loss_fn, params, vectors):
    grads = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    flat = torch.cat([g.reshape(-1) for g in grads])
    outer = torch.cat([v.reshape(-1) for v in vectors])
    return torch.autograd.grad(flat, params, outer, materialize_grads=True)


@wrong("week6.hessian_vector_product", "no graph of the gradient")
def product_of_plain_gradients(loss_fn, params, vectors):
    grads = torch.autograd.grad(loss_fn(), params, allow_unused=True)
    slope = sum((g * v).sum() for g, v in zip(grads, vectors, strict=True) if g is not None)
    return [h for h in torch.autograd.grad(slope, params)]


@wrong("week6.hessian_vector_product", "the gradient in place of the vector")
def product_with_the_gradient(loss_fn, params, vectors):
    grads = torch.autograd.grad(loss_fn(), params, create_graph=True, materialize_grads=True)
    length = sum(g.pow(2).sum() for g in grads)
    if not length.requires_grad:
        return [torch.zeros_like(p) for p in params]
    return [h / 2 for h in torch.autograd.grad(length, params, materialize_grads=True)]


@wrong("week6.hessian_vector_product")
def product_with_a_minus(loss_fn, params, vectors):
    return [-h for h in _product(loss_fn, params, vectors)]


@wrong("week6.hessian_vector_product")
def product_contracted(loss_fn, params, vectors):
    """vᵀ H v, a number."""
    product = _product(loss_fn, params, vectors)
    return math.fsum(float((h * v).sum()) for h, v in zip(product, vectors, strict=True))


# --- sharpness --------------------------------------------------------------------------------------------------------


@right("week6.sharpness")
def sharpness_by_sign(loss_fn, params, iterations):
    """Shifts only where the first round ended at a negative eigenvalue."""

    def power(shift):
        v = [torch.randn_like(p) for p in params]
        value = 0.0
        for _ in range(iterations):
            size = math.sqrt(sum(float(x.pow(2).sum()) for x in v))
            if size < 1e-30:
                return value
            v = [x / size for x in v]
            hv = _product(loss_fn, params, v)
            value = sum(float((x * y).sum()) for x, y in zip(v, hv, strict=True))
            v = [y - shift * x for x, y in zip(v, hv, strict=True)]
        return value

    first = power(0.0)
    return first if first >= 0 else power(first)


@right("week6.sharpness")
def sharpness_of_flat_vectors(loss_fn, params, iterations):
    flat = parameters_to_vector(params).detach()

    def apply(v):
        parts = [x.view_as(p) for x, p in zip(v.split([p.numel() for p in params]), params, strict=True)]
        return parameters_to_vector(_product(loss_fn, params, parts))

    v = torch.nn.functional.normalize(torch.randn_like(flat), dim=0)
    for _ in range(iterations):
        v = torch.nn.functional.normalize(apply(v), dim=0, eps=1e-30)
    bound = 1.05 * apply(v).norm()
    v = torch.nn.functional.normalize(torch.randn_like(flat), dim=0)
    for _ in range(iterations):
        v = torch.nn.functional.normalize(apply(v) + bound * v, dim=0, eps=1e-30)
    return torch.dot(v, apply(v))


@right("week6.sharpness")
def sharpness_with_the_shift_taken_out(loss_fn, params, iterations):
    """The second round's own quotient, less the shift."""
    shift = value = 0.0
    for number in (1, 2):
        v = torch.randn(sum(p.numel() for p in params), dtype=params[0].dtype)
        for _ in range(iterations):
            v /= v.norm() or 1.0
            parts = torch.split(v, [p.numel() for p in params])
            product = _product(loss_fn, params, [x.reshape(p.shape) for x, p in zip(parts, params, strict=True)])
            w = torch.cat([h.reshape(-1) for h in product]) + shift * v
            value, v = (v @ w).item(), w
        if number == 1:
            shift = v.norm().item()
            continue
    return value - shift


@right("week6.sharpness")
def sharpness_by_lanczos(loss_fn, params, iterations):
    """A small tridiagonal matrix that shares the ends of the spectrum."""
    sizes = [p.numel() for p in params]
    v = torch.randn(sum(sizes), dtype=torch.float64)
    basis, rows = [v / v.norm()], []
    for _ in range(min(iterations, len(v))):
        parts = [x.view_as(p).to(p.dtype) for x, p in zip(basis[-1].split(sizes), params, strict=True)]
        w = torch.cat([h.flatten() for h in _product(loss_fn, params, parts)]).double()
        rows.append(w)
        for _ in range(2):
            for b in basis:
                w = w - (w @ b) * b
        if w.norm() <= 1e-4 * rows[0].norm() or len(basis) == len(v):
            break
        basis.append(w / w.norm())
    matrix = torch.stack(basis[: len(rows)]) @ torch.stack(rows).T
    return torch.linalg.eigvalsh((matrix + matrix.T) / 2)[-1].item()


@right("week6.sharpness")
def sharpness_by_the_full_hessian(loss_fn, params, iterations):
    columns = []
    for k, p in enumerate(params):
        for place in range(p.numel()):
            unit = [torch.zeros_like(q) for q in params]
            unit[k].view(-1)[place] = 1.0
            columns.append(torch.cat([h.flatten() for h in _product(loss_fn, params, unit)]))
    return torch.linalg.eigvalsh(torch.stack(columns).double()).max()


@right("week6.sharpness")
def sharpness_recursively(loss_fn, params, iterations):
    def walk(v, shift, left):
        length = sum(x.square().sum() for x in v) ** 0.5
        v = [torch.where(length > 0, x / length, x) for x in v]
        image = _product(loss_fn, params, v)
        if left == 0:
            return v, image
        return walk([h + shift * x for h, x in zip(image, v, strict=True)], shift, left - 1)

    def start():
        return [torch.rand_like(p) - 0.5 for p in params]

    _, image = walk(start(), 0.0, iterations)
    v, image = walk(start(), math.sqrt(sum(float(h.square().sum()) for h in image)), iterations)
    return float(sum((x * h).sum() for x, h in zip(v, image, strict=True)))


@wrong("week6.sharpness", "the largest modulus")
def sharpness_in_one_round(loss_fn, params, iterations):
    v = torch.randn(sum(p.numel() for p in params), dtype=params[0].dtype)
    value = 0.0
    for _ in range(2 * iterations):
        v = torch.nn.functional.normalize(v, dim=0, eps=1e-30)
        parts = [x.view_as(p) for x, p in zip(v.split([p.numel() for p in params]), params, strict=True)]
        w = torch.cat([h.flatten() for h in _product(loss_fn, params, parts)])
        value, v = float(v @ w), w
    return value


@wrong("week6.sharpness", "without its sign")
def sharpness_as_growth(loss_fn, params, iterations):
    v = [torch.randn_like(p) for p in params]
    growth = 0.0
    for _ in range(2 * iterations):
        v = _product(loss_fn, params, v)
        growth = math.sqrt(sum(float(x.square().sum()) for x in v))
        v = [x / max(growth, 1e-30) for x in v]
    return growth


@wrong("week6.sharpness", "the shift is still in")
def sharpness_of_the_shifted_matrix(loss_fn, params, iterations):
    shift = 0.0
    for _ in range(2):
        v, grown = [torch.randn_like(p) for p in params], 0.0
        for _ in range(iterations):
            v = [h + shift * x for h, x in zip(_product(loss_fn, params, v), v, strict=True)]
            grown = math.sqrt(sum(float(x.square().sum()) for x in v))
            v = [x / max(grown, 1e-30) for x in v]
        shift = grown
    return shift


@wrong("week6.sharpness")
def sharpness_shifted_down(loss_fn, params, iterations):
    bound = sharpness_as_growth(loss_fn, params, iterations)
    v, value = [torch.randn_like(p) for p in params], 0.0
    for _ in range(iterations):
        length = math.sqrt(sum(float(x.square().sum()) for x in v)) or 1.0
        v = [x / length for x in v]
        h = _product(loss_fn, params, v)
        value = sum(float((x * y).sum()) for x, y in zip(v, h, strict=True))
        v = [y - bound * x for x, y in zip(v, h, strict=True)]
    return value


@wrong("week6.sharpness")
def sharpness_as_a_learning_rate(loss_fn, params, iterations):
    """2 / λ, the largest stable rate, is another number."""
    value = sharpness_by_sign(loss_fn, params, iterations)
    return 2 / value if value else math.inf


@wrong("week6.sharpness")
def sharpness_of_random_directions(loss_fn, params, iterations):
    best = -math.inf
    for _ in range(iterations):
        v = [torch.randn_like(p) for p in params]
        length = sum(float(x.square().sum()) for x in v)
        best = max(
            best, float(sum((x * h).sum() for x, h in zip(v, _product(loss_fn, params, v), strict=True))) / length
        )
    return best
