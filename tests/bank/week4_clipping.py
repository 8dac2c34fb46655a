"""Answers to week 4's clipping exercises whose worth is known."""

import functools
import itertools
import math
import operator

import numpy as np
import torch

from autograde.audit import right, wrong

# --- global_norm ------------------------------------------------------------------------------------------------------


@right("week4.global_norm")
def norm_of_one_long_vector(tensors):
    parts = [t.reshape(-1).to(torch.float32) for t in tensors]
    if not parts:
        return torch.tensor(0.0)
    return torch.cat(parts).norm()


@right("week4.global_norm")
def norm_of_the_norms(tensors):
    norms = [torch.linalg.vector_norm(t, dtype=torch.float64) for t in tensors]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())


@right("week4.global_norm")
def norm_of_norms_in_their_own_dtype(tensors):
    """As torch does it: each norm is kept in the dtype of its tensor."""
    norms = torch.tensor([float(t.norm()) for t in tensors])
    return norms.norm()


@right("week4.global_norm")
def norm_by_numpy(tensors):
    return np.sqrt(np.sum([np.sum(np.square(t.numpy().astype(np.float64))) for t in tensors]))


@right("week4.global_norm")
def norm_by_hypot(tensors):
    return math.hypot(*itertools.chain.from_iterable(t.flatten().tolist() for t in tensors))


@right("week4.global_norm")
def norm_by_reduce(tensors):
    def add(total, t):
        flat = t.double().ravel()
        return total + flat @ flat

    return functools.reduce(add, tensors, torch.zeros((), dtype=torch.float64)) ** 0.5


@right("week4.global_norm")
def norm_in_a_loop_of_floats(tensors):
    total = 0.0
    for tensor in tensors:
        for value in tensor.flatten().tolist():
            total += value * value
    return torch.tensor(math.sqrt(total))


@wrong("week4.global_norm", "sum of the norms")
def lengths_laid_end_to_end(tensors):
    total = torch.tensor(0.0)
    for t in tensors:
        total = total + t.float().pow(2).sum().sqrt()
    return total


@wrong("week4.global_norm", "the square of the norm")
def dot_products_alone(tensors):
    return functools.reduce(operator.add, (torch.dot(t.double().ravel(), t.double().ravel()) for t in tensors), 0.0)


@wrong("week4.global_norm", "one norm for each tensor")
def mapped(tensors):
    return [*map(lambda t: t.double().pow(2).sum().sqrt(), tensors)]


@wrong("week4.global_norm", "squares in float16")
def squares_by_multiplication(tensors):
    total = torch.zeros(())
    for t in tensors:
        total = total + (t * t).sum()
    return torch.sqrt(total)


@wrong("week4.global_norm", "the largest of the norms")
def the_longest(tensors):
    longest = torch.tensor(0.0)
    for t in tensors:
        longest = torch.maximum(longest, t.float().norm())
    return longest


@wrong("week4.global_norm")
def the_first_tensor_alone(tensors):
    for t in tensors:
        return t.double().norm()
    return 0.0


@wrong("week4.global_norm")
def signed_entries(tensors):
    return max((float(t.max()) for t in tensors if t.numel()), default=0.0)


# --- clip_grad_norm ---------------------------------------------------------------------------------------------------


def _length(gradients):
    return torch.cat([torch.zeros(1), *(g.flatten().double() for g in gradients)]).norm()


@right("week4.clip_grad_norm")
def clipped_with_an_if(parameters, max_norm):
    chosen = [p for p in parameters if p.grad is not None]
    norm = torch.tensor(math.sqrt(sum(p.grad.double().pow(2).sum().item() for p in chosen)))
    if norm > max_norm:
        for p in chosen:
            p.grad *= max_norm / norm
    return norm


@right("week4.clip_grad_norm")
def clipped_into_new_tensors(parameters, max_norm):
    held = list(parameters)
    norm = _length(p.grad for p in held if p.grad is not None)
    factor = min(1.0, max_norm / max(float(norm), 1e-30))
    for p in held:
        p.grad = None if p.grad is None else p.grad * factor
    return norm


@right("week4.clip_grad_norm")
def clipped_as_torch_does_it(parameters, max_norm):
    grads = []
    for p in parameters:
        if p.grad is None:
            continue
        grads.append(p.grad)
    if len(grads) == 0:
        return torch.tensor(0.0)
    total_norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads]))
    clip_coef = max_norm / (total_norm + 1e-6)
    for g in grads:
        g.detach().mul_(torch.clamp(clip_coef, max=1.0))
    return total_norm


@right("week4.clip_grad_norm")
def clipped_by_dividing_by_the_larger(parameters, max_norm):
    grads = [*filter(lambda g: g is not None, (p.grad for p in parameters))]
    norm = _length(grads)
    if max_norm == math.inf:
        return norm
    with torch.no_grad():
        for g in grads:
            g.copy_(g * max_norm / torch.maximum(norm, torch.as_tensor(max_norm)))
    return norm


@right("week4.clip_grad_norm")
def clipped_as_one_flat_vector(parameters, max_norm):
    chosen = [p for p in parameters if p.grad is not None]
    if not chosen:
        return 0.0
    flat = torch.nn.utils.parameters_to_vector([p.grad for p in chosen])
    norm = flat.norm().item()
    if norm <= max_norm:
        return norm
    pieces = (flat / norm * max_norm).split([p.numel() for p in chosen])
    for p, piece in zip(chosen, pieces, strict=True):
        p.grad.copy_(piece.view_as(p))
    return norm


@right("week4.clip_grad_norm")
def clipped_with_tee(parameters, max_norm):
    first, second = itertools.tee(parameters)
    norm = sum((p.grad.double().norm() ** 2 for p in first if p.grad is not None), torch.zeros(())) ** 0.5
    while (p := next(second, None)) is not None:
        if p.grad is not None and bool(norm > max_norm):
            p.grad.data.div_(norm / max_norm)
    return norm


class _Clipper:
    def __init__(self, limit):
        self.limit = limit

    def __call__(self, gradients):
        norm = np.sqrt(sum(float((g.double().numpy() ** 2).sum()) for g in gradients))
        scale = self.limit / norm if norm > self.limit else 1.0
        return norm, [g * scale for g in gradients]


@right("week4.clip_grad_norm")
def clipped_by_numpy_in_a_class(parameters, max_norm):
    trained = [p for p in parameters if isinstance(p.grad, torch.Tensor)]
    norm, gradients = _Clipper(max_norm)([p.grad for p in trained])
    for p, gradient in zip(trained, gradients, strict=True):
        p.grad = gradient
    return norm


@wrong("week4.clip_grad_norm", "each parameter by itself")
def clipped_tensor_by_tensor(parameters, max_norm):
    squares = torch.zeros(())
    for p in parameters:
        if p.grad is not None:
            squares = squares + p.grad.double().square().sum()
            p.grad.mul_(min(1.0, max_norm / max(p.grad.norm().item(), 1e-12)))
    return squares.sqrt()


@wrong("week4.clip_grad_norm", "small gradients scaled up")
def normalised(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = _length(grads)
    for g in grads:
        if 0 < max_norm / norm < math.inf:
            g /= norm / max_norm
    return norm


@wrong("week4.clip_grad_norm", "the generator is read twice")
def two_comprehensions(parameters, max_norm):
    norm = torch.stack([torch.zeros(()), *[p.grad.float().norm() for p in parameters if p.grad is not None]]).norm()
    factor = max_norm / norm if norm > max_norm else 1.0
    [p.grad.mul_(factor) for p in parameters if p.grad is not None]
    return norm


@wrong("week4.clip_grad_norm", "the norm after clipping")
def measured_when_all_is_done(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    before = _length(grads)
    if before > max_norm:
        for g in grads:
            g.mul_(max_norm / before)
    return torch.minimum(before, torch.tensor(float(max_norm)))


@wrong("week4.clip_grad_norm", "values clipped instead of the norm")
def each_entry_limited(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = _length(grads)
    for g in grads:
        g.copy_(torch.maximum(torch.minimum(g, torch.tensor(max_norm)), torch.tensor(-max_norm)))
    return norm


@wrong("week4.clip_grad_norm")
def only_the_longest_tensor(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = _length(grads)
    if norm > max_norm:
        max(grads, key=lambda g: float(g.norm())).mul_(max_norm / norm)
    return norm


@wrong("week4.clip_grad_norm", "the result is lost")
def clipped_in_a_copy(parameters, max_norm):
    grads = [p.grad.clone() for p in parameters if p.grad is not None]
    norm = _length(grads)
    for g in grads:
        g.mul_(torch.clamp(max_norm / norm, max=1.0))
    return norm


@wrong("week4.clip_grad_norm")
def the_library_itself(parameters, max_norm):
    return torch.nn.utils.clip_grad_norm_(parameters, max_norm)


@wrong("week4.clip_grad_norm")
def thrown_away_where_too_long(parameters, max_norm):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = _length(grads)
    if norm > max_norm:
        for g in grads:
            g.zero_()
    return norm


# --- clip_grad_value --------------------------------------------------------------------------------------------------


@right("week4.clip_grad_value")
def limited_by_minimum_and_maximum(parameters, clip_value):
    for p in filter(lambda p: p.grad is not None, parameters):
        limit = torch.full_like(p.grad, clip_value)
        p.grad = torch.minimum(torch.maximum(p.grad, -limit), limit)


@right("week4.clip_grad_value")
def limited_by_where(parameters, clip_value):
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        too_large = gradient.abs() > clip_value
        parameter.grad = torch.where(too_large, gradient.sign() * clip_value, gradient)


@right("week4.clip_grad_value")
def limited_by_masks(parameters, clip_value):
    for p in list(parameters):
        if p.grad is not None:
            p.grad[p.grad > clip_value] = clip_value
            p.grad[p.grad < -clip_value] = -clip_value
    return parameters


@right("week4.clip_grad_value")
def limited_by_numpy(parameters, clip_value):
    for p in parameters:
        if isinstance(p.grad, torch.Tensor):
            array = p.grad.numpy()
            np.clip(array, -clip_value, clip_value, out=array)


@right("week4.clip_grad_value")
def limited_number_by_number(parameters, clip_value):
    def limited(value):
        if value > clip_value:
            return clip_value
        return -clip_value if value < -clip_value else value

    for p in parameters:
        if p.grad is not None:
            flat = [limited(value) for value in p.grad.flatten().tolist()]
            p.grad = torch.tensor(flat, dtype=p.grad.dtype).reshape(p.grad.shape)


@right("week4.clip_grad_value")
def limited_by_hardtanh(parameters, clip_value):
    gradients = (p.grad for p in parameters)
    for gradient in gradients:
        if gradient is not None:
            torch.nn.functional.hardtanh_(gradient, -clip_value, clip_value)


@right("week4.clip_grad_value")
def limited_in_a_comprehension(parameters, clip_value):
    with torch.no_grad():
        return [p.grad.clamp_(max=clip_value).clamp_(min=-clip_value) for p in parameters if p.grad is not None]


@wrong("week4.clip_grad_value", "the upper side only")
def cut_at_the_top(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad[p.grad > clip_value] = clip_value


@wrong("week4.clip_grad_value", "signs lost")
def limited_sizes(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad = torch.where(p.grad.abs() > clip_value, torch.tensor(clip_value, dtype=p.grad.dtype), p.grad.abs())


@wrong("week4.clip_grad_value", "large entries set to zero")
def large_ones_dropped(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad[(p.grad > clip_value) | (p.grad < -clip_value)] = 0


@wrong("week4.clip_grad_value", "the result is lost")
def a_local_name(parameters, clip_value):
    for p in parameters:
        gradient = p.grad
        if gradient is not None:
            gradient = torch.clip(gradient, -clip_value, clip_value)


@wrong("week4.clip_grad_value")
def the_library_by_value(parameters, clip_value):
    torch.nn.utils.clip_grad_value_([p for p in parameters if p.grad is not None], clip_value)


@wrong("week4.clip_grad_value")
def the_lower_side_only(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad.clamp_(min=-clip_value)


@wrong("week4.clip_grad_value")
def a_soft_limit(parameters, clip_value):
    for p in parameters:
        if p.grad is not None:
            p.grad = clip_value * torch.tanh(p.grad / clip_value)
