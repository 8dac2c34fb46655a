"""Answers to week 0 whose worth is known: right ones in other styles, wrong ones in other words."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from autograde.audit import right, wrong

# --- practice ---------------------------------------------------------------------------------------------------------


@right("week0.practice")
def mean_square_by_numpy(values):
    return float(np.mean(np.square(values.numpy().astype(np.float64))))


@right("week0.practice")
def mean_square_by_dot_product(values):
    flat = values.flatten()
    return torch.dot(flat, flat) / len(flat)


@right("week0.practice")
def mean_square_by_loop(values):
    total = 0.0
    for value in values.reshape(-1).tolist():
        total += value * value
    return total / values.numel()


@right("week0.practice")
def mean_square_by_the_library(values):
    zeros = torch.zeros_like(values)
    return nn.functional.mse_loss(values, zeros, reduction="mean")


@right("week0.practice")
def mean_square_from_the_variance(values):
    spread, centre = torch.var_mean(values.double(), correction=0)
    return spread + centre.square()


@right("week0.practice")
def mean_square_by_halves(values):
    """Divide and conquer: the sum of each half, by itself."""

    def total(numbers):
        if len(numbers) == 1:
            return numbers[0] ** 2
        middle = len(numbers) // 2
        return total(numbers[:middle]) + total(numbers[middle:])

    numbers = values.ravel().tolist()
    return total(numbers) / len(numbers)


@wrong("week0.practice", "square of the mean")
def product_of_means(values):
    return (values.sum() / values.numel()).pow(2)


@wrong("week0.practice", "root of the mean square")
def norm_over_root_of_count(values):
    return values.norm() / values.numel() ** 0.5


@wrong("week0.practice")
def variance(values):
    return values.var(correction=0)


@wrong("week0.practice")
def mean_over_the_last_axis(values):
    return (values**2).mean(-1)


# --- center_rows ------------------------------------------------------------------------------------------------------


@right("week0.center_rows")
def centred_by_einsum(x):
    means = torch.einsum("rc->r", x.double()) / x.shape[1]
    return x.double() - means[:, None]


@right("week0.center_rows")
def centred_by_numpy(x):
    array = x.numpy()
    return torch.from_numpy(array - array.mean(axis=1, keepdims=True))


@right("week0.center_rows")
def centred_in_place_on_a_copy(x):
    out = x.clone().requires_grad_() * 1
    for i in range(len(out)):
        out[i] -= out[i].mean()
    return out


@right("week0.center_rows")
def centred_by_a_matrix(x):
    n = x.shape[1]
    return x @ (torch.eye(n) - torch.full((n, n), 1 / n))


@right("week0.center_rows")
def centred_in_pure_python(x):
    def centred(row: list[float]) -> list[float]:
        mean = sum(row) / len(row)
        return [value - mean for value in row]

    return torch.tensor([centred(row) for row in x.tolist()])


@right("week0.center_rows")
def centred_by_vmap(x):
    return torch.vmap(lambda row: row - row.mean())(x)


class _Center(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        return x.sub(x.sum(self.dim, keepdim=True).div(x.size(self.dim)))


@right("week0.center_rows")
def centred_by_a_module(x):
    return _Center(dim=-1)(x)


@wrong("week0.center_rows", "columns instead of rows")
def centred_lying_down(x):
    return torch.stack([column - column.mean() for column in x.T], dim=1)


@wrong("week0.center_rows", "one mean for the whole table")
def centred_by_the_grand_mean(x):
    return x - x.sum() / x.numel()


@wrong("week0.center_rows")
def median_taken_off(x):
    return x - x.median(dim=1, keepdim=True).values


@wrong("week0.center_rows")
def centred_in_place(x):
    x -= x.mean(dim=1, keepdim=True)
    return x


@wrong("week0.center_rows")
def centred_both_ways(x):
    x = x - x.mean(dim=1, keepdim=True)
    return x - x.mean(dim=0, keepdim=True)


# --- pairwise_differences ---------------------------------------------------------------------------------------------


@right("week0.pairwise_differences")
def table_by_numpy(a, b):
    return np.subtract.outer(a.numpy(), b.numpy())


@right("week0.pairwise_differences")
def table_by_loops(a, b):
    table = torch.zeros(len(a), len(b), dtype=torch.float64)
    for i in range(len(a)):
        for j in range(len(b)):
            table[i, j] = a[i] - b[j]
    return table


@right("week0.pairwise_differences")
def table_by_expand(a, b):
    grid_a, grid_b = torch.meshgrid(a, b, indexing="ij")
    return grid_a - grid_b


@right("week0.pairwise_differences")
def table_by_a_comprehension(a, b):
    return torch.tensor([[p - q for q in b.tolist()] for p in a.tolist()])


@right("week0.pairwise_differences")
def table_by_outer_products(a, b):
    return torch.outer(a, torch.ones(b.numel())) - torch.outer(torch.ones(a.numel()), b)


@right("week0.pairwise_differences")
def table_of_pairs(a, b):
    first, second = torch.cartesian_prod(a, b).unbind(dim=1)
    return (first - second).view(a.shape[0], b.shape[0])


@right("week0.pairwise_differences")
def table_row_by_row_with_partial(a, b):
    row = functools.partial(torch.rsub, b)
    return torch.stack(list(map(row, a)))


@wrong("week0.pairwise_differences", "the table lies on its side")
def table_by_meshgrid_xy(a, b):
    grid_a, grid_b = torch.meshgrid(a, b, indexing="xy")
    return grid_a - grid_b


@wrong("week0.pairwise_differences", "the other way round")
def minus_the_table(a, b):
    return (a.unsqueeze(1) - b).neg()


@wrong("week0.pairwise_differences", "distances instead of differences")
def table_by_cdist(a, b):
    return torch.cdist(a[:, None], b[:, None])


@wrong("week0.pairwise_differences")
def table_of_sums(a, b):
    return a[:, None] + b[None, :]


# --- gradient_of ------------------------------------------------------------------------------------------------------


@right("week0.gradient_of")
def gradient_by_func(f, x):
    return torch.func.grad(f)(x)


@right("week0.gradient_of")
def gradient_by_backward_on_a_copy(f, x):
    copy = x.double().clone().requires_grad_(True)
    f(copy).backward()
    return copy.grad


@right("week0.gradient_of")
def gradient_with_the_old_one_cleared(f, x):
    x.requires_grad_()
    x.grad = None
    f(x).backward()
    gradient = x.grad
    x.grad = None
    x.requires_grad_(False)
    return gradient


@right("week0.gradient_of")
def gradient_row_of_a_jacobian(f, x):
    return torch.autograd.functional.jacobian(f, x, create_graph=True)


@right("week0.gradient_of")
def gradient_as_a_pullback(f, x):
    value, pullback = torch.func.vjp(f, x)
    (gradient,) = pullback(torch.ones_like(value))
    return gradient


@right("week0.gradient_of")
def gradient_one_direction_at_a_time(f, x):
    slopes = []
    for direction in torch.eye(x.numel()):
        _, slope = torch.func.jvp(f, (x,), (direction.view_as(x),))
        slopes.append(slope)
    return torch.stack(slopes).view_as(x)


@right("week0.gradient_of")
def gradient_of_a_parameter(f, x):
    class Point(nn.Module):
        def __init__(self, start):
            super().__init__()
            self.place = nn.Parameter(start.clone())

        def forward(self):
            return f(self.place)

    point = Point(x)
    point.zero_grad()
    with torch.enable_grad():
        loss = point()
    loss.backward()
    return point.place.grad.detach()


@wrong("week0.gradient_of", "gradients add up")
def gradient_left_behind(f, x):
    x.requires_grad_(True)
    torch.autograd.backward([f(x)])
    return x.grad


@wrong("week0.gradient_of")
def gradient_of_the_square(f, x):
    return torch.func.grad(lambda x: f(x) ** 2)(x)


@wrong("week0.gradient_of")
def gradient_added_up(f, x):
    return torch.func.grad(f)(x).sum()


# --- missing_grads ----------------------------------------------------------------------------------------------------


@right("week0.missing_grads")
def missing_by_loop(model):
    names = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.grad is None:
            names.append(name)
    return names


@right("week0.missing_grads")
def missing_by_dicts(model):
    wanted = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return tuple(filter(lambda name: wanted[name].grad is None, wanted))


@right("week0.missing_grads")
def missing_by_matching(model):
    found = []
    for name, parameter in model.named_parameters():
        match parameter.requires_grad, parameter.grad:
            case True, None:
                found.append(name)
            case _:
                pass
    return found


@right("week0.missing_grads")
def missing_layer_by_layer(model):
    def walk(module, prefix):
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and parameter.grad is None:
                yield prefix + name
        for name, child in module.named_children():
            yield from walk(child, f"{prefix}{name}.")

    return list(walk(model, ""))


@dataclass(frozen=True)
class _Named:
    name: str
    parameter: nn.Parameter

    @property
    def is_missing(self) -> bool:
        return self.parameter.requires_grad and self.parameter.grad is None


@right("week0.missing_grads")
def missing_by_a_dataclass(model):
    return [named.name for named in itertools.starmap(_Named, model.named_parameters()) if named.is_missing]


@right("week0.missing_grads")
def missing_by_sets(model):
    names = [name for name, _ in model.named_parameters()]
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    return sorted(set(names) - frozen - reached, key=names.index)


@wrong("week0.missing_grads", "frozen parameters counted")
def missing_by_or(model):
    return [name for name, p in model.named_parameters() if p.grad is None or not p.requires_grad]


@wrong("week0.missing_grads", "a gradient of zeros counted")
def missing_by_size(model):
    def size(p):
        return 0.0 if p.grad is None else float(p.grad.abs().max())

    return [name for name, p in model.named_parameters() if p.requires_grad and size(p) == 0.0]


@wrong("week0.missing_grads")
def there_instead_of_missing(model):
    return [name for name, p in model.named_parameters() if p.grad is not None]


@wrong("week0.missing_grads")
def weights_alone(model):
    return [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None and n.endswith("weight")]


@wrong("week0.missing_grads")
def whole_layers_by_their_weight(model):
    layers = [(name, layer) for name, layer in model.named_modules() if hasattr(layer, "weight")]
    missing = [name for name, layer in layers if layer.weight.requires_grad and layer.weight.grad is None]
    return [f"{name}.{part}" for name in missing for part in ("weight", "bias")]


@wrong("week0.missing_grads")
def children_of_the_model_alone(model):
    children = [(name, child) for name, child in model.named_children() if hasattr(child, "weight")]
    parts = [(f"{name}.{part}", p) for name, child in children for part, p in child.named_parameters()]
    return [name for name, p in parts if p.requires_grad and p.grad is None]


@wrong("week0.missing_grads")
def parameters_of_layers_alone(model):
    parts = [(f"{name}.{part}", p) for name, child in model.named_children() for part, p in child.named_parameters()]
    return [name for name, p in parts if p.requires_grad and p.grad is None]
