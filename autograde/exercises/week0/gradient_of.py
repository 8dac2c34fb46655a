"""week0.gradient_of: autograd, and gradients that add up."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import normal


def _gradient_probe(target, inputs):
    import torch

    functions = {
        "sum of cubes": lambda x: (x**3).sum(),
        "mean of squares": lambda x: (x**2).mean(),
        "x sin x, summed": lambda x: (x * x.sin()).sum(),
        "square of the first value": lambda x: x.reshape(-1)[0] ** 2,
    }
    first = target(functions[inputs["f"]], inputs["x"])
    if isinstance(first, torch.Tensor):
        first = first.detach().clone()  # the second call may write into it
    return {"first call": first, "second call": target(functions[inputs["f"]], inputs["x"])}


_GRADIENTS = {
    "sum of cubes": lambda x: 3 * x**2,
    "mean of squares": lambda x: 2 * x / x.numel(),
    "x sin x, summed": lambda x: x.sin() + x * x.cos(),
    "square of the first value": lambda x: torch.cat([2 * x[:1], torch.zeros_like(x[1:])]),
}


def _gradient_cases(rng):
    yield Case("the sum of cubes", {"f": "sum of cubes", "x": normal(rng, 4) + 1})
    yield Case("the mean of squares of a table", {"f": "mean of squares", "x": normal(rng, 2, 3, scale=2)})
    yield Case("x sin x", {"f": "x sin x, summed", "x": normal(rng, 5)})
    yield Case("a function of the first value alone", {"f": "square of the first value", "x": normal(rng, 3) + 2})


def _gradients_add_up(f, x):
    x.requires_grad_()
    f(x).backward()
    return x.grad


def _forward_difference(f, x, h=1e-2):
    gradient = torch.zeros_like(x)
    for i in range(x.numel()):
        moved = x.clone()
        moved.view(-1)[i] += h
        gradient.view(-1)[i] = (f(moved) - f(x)) / h
    return gradient


GRADIENT_OF = Exercise(
    id="week0.gradient_of",
    title="A gradient at a point",
    points=0,
    minutes=8,
    why="A training loop that forgets what this exercise shows adds every old gradient to the new one.",
    oracle="the derivative on paper",
    cases=_gradient_cases,
    probe=_gradient_probe,
    expected=lambda i: dict.fromkeys(("first call", "second call"), _GRADIENTS[i["f"]](i["x"])),
    misconceptions=(
        Misconception(
            "gradients add up",
            _gradients_add_up,
            "The first call is right, the second gives twice the gradient: `backward()` adds to what `x.grad` already "
            "holds, and x belongs to the caller.",
        ),
        Misconception(
            "a finite difference",
            _forward_difference,
            "Close, but a difference over a finite step is not the derivative. Autograd gives it exactly.",
        ),
        Misconception(
            "the value instead of the gradient",
            lambda f, x: f(x),
            "You return f(x), one number. A gradient has one number for every number in x.",
        ),
        Misconception(
            "the direction of descent",
            lambda f, x: -torch.func.grad(f)(x),
            "You return the direction in which f falls. The gradient points the other way.",
        ),
    ),
)
