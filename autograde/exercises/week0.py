"""Week 0: Jupyter and PyTorch as this course uses them. No points, the same checks."""

import torch
from torch import nn

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers, normal

# --- practice ---------------------------------------------------------------------------------------------------------


def _practice_cases(rng):
    yield Case("a list of values", {"values": normal(rng, 5) + 1})
    yield Case("negative values", {"values": -normal(rng, 4).abs() - 0.5})
    yield Case("a table of values", {"values": normal(rng, 3, 4, scale=3)})
    yield Case("all zeros", {"values": torch.zeros(3)}, edge=True)


PRACTICE = Exercise(
    id="week0.practice",
    title="Read a failed check",
    points=0,
    minutes=5,
    why="Every check in this course reads like this one, and so does every bug report you will write.",
    oracle="torch.nn.functional.mse_loss against zeros",
    cases=_practice_cases,
    expected=lambda i: nn.functional.mse_loss(i["values"], torch.zeros_like(i["values"])),
    misconceptions=(
        Misconception(
            "square of the mean",
            lambda values: values.mean() ** 2,
            "You square the mean, where positive and negative values have already cancelled: {got} instead of "
            "{expected}. Which of the two comes first?",
        ),
        Misconception(
            "sum of squares",
            lambda values: (values**2).sum(),
            "Your result grows with the number of values: {got} instead of {expected}.",
        ),
        Misconception(
            "root of the mean square",
            lambda values: (values**2).mean().sqrt(),
            "You go one step too far: {got} is in the unit of the values, not of their squares.",
        ),
        Misconception(
            "mean of absolute values",
            lambda values: values.abs().mean(),
            "Your values lose their sign, but are they squared? {got} instead of {expected}.",
        ),
    ),
)

# --- broadcasting -----------------------------------------------------------------------------------------------------


def _center_cases(rng):
    yield Case("a wide table", {"x": normal(rng, 3, 5, scale=2) + 1})
    yield Case("a square table", {"x": normal(rng, 4, 4) + integers(rng, 1, 9, 4, 1)})
    yield Case("a tall table", {"x": normal(rng, 6, 2) - 3})
    yield Case("one column", {"x": normal(rng, 3, 1)}, edge=True)


CENTER_ROWS = Exercise(
    id="week0.center_rows",
    title="Centre the rows",
    points=0,
    minutes=5,
    why="LayerNorm begins with this line, and a square batch hides the mistake in it.",
    oracle="torch.Tensor.mean, row by row",
    cases=_center_cases,
    expected=lambda i: torch.stack([row - row.mean() for row in i["x"]]),
    misconceptions=(
        Misconception(
            "the reduced dimension is dropped",
            lambda x: x - x.mean(dim=1),
            "On a square table your line runs, yet the mean of row i is taken off column i. Print the shape of the "
            "means, write it under the shape of x from the right, and look for an argument of `mean` that keeps a "
            "dimension.",
        ),
        Misconception(
            "columns instead of rows",
            lambda x: x - x.mean(dim=0, keepdim=True),
            "Now every column sums to zero. Which dimension should disappear in the mean of a row?",
        ),
        Misconception(
            "one mean for the whole table",
            lambda x: x - x.mean(),
            "You take the same number off every row, but each row has a mean of its own.",
        ),
        Misconception(
            "divided by the standard deviation too",
            lambda x: (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True),
            "The rows are centred, and also rescaled: only the mean was asked for.",
        ),
    ),
)


def _difference_cases(rng):
    yield Case("three against five", {"a": normal(rng, 3), "b": normal(rng, 5)})
    yield Case("four against four", {"a": normal(rng, 4), "b": normal(rng, 4) + 1})
    yield Case("five against two", {"a": normal(rng, 5), "b": normal(rng, 2)})
    yield Case("one against one", {"a": normal(rng, 1), "b": normal(rng, 1)}, edge=True)


PAIRWISE_DIFFERENCES = Exercise(
    id="week0.pairwise_differences",
    title="A table of differences",
    points=0,
    minutes=5,
    why="Masks, distances and attention scores are all made this way: two lists, one table, no loop.",
    oracle="numpy.subtract.outer",
    cases=_difference_cases,
    expected=lambda i: torch.stack([x - i["b"] for x in i["a"]]),
    misconceptions=(
        Misconception(
            "the table lies on its side",
            lambda a, b: a[None, :] - b[:, None],
            "Your rows belong to b and your columns to a: the new dimensions are in each other's place.",
        ),
        Misconception(
            "the other way round",
            lambda a, b: b[None, :] - a[:, None],
            "The table has the right form but the wrong sign.",
        ),
        Misconception(
            "element by element",
            lambda a, b: a - b,
            "Your line subtracts two lists element by element. Each list needs one more dimension before you subtract.",
        ),
        Misconception(
            "distances instead of differences",
            lambda a, b: (a[:, None] - b[None, :]).abs(),
            "A difference has a sign, and yours lost it.",
        ),
    ),
)

# --- autograd ---------------------------------------------------------------------------------------------------------


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


def _missing_probe(target, inputs):
    import torch

    def mark(parameter, state):
        if state in ("trained", "gradient of zeros"):
            parameter.grad = torch.full_like(parameter, float(state == "trained"))
        parameter.requires_grad_(state != "frozen")

    model = torch.nn.Module()
    for name, state in inputs.get("parameters", {}).items():
        model.register_parameter(name, torch.nn.Parameter(torch.ones(2)))
        mark(model.get_parameter(name), state)
    for name, state in inputs["layers"].items():
        parent = model
        *outer, last = name.split(".")
        for part in outer:
            if not hasattr(parent, part):
                parent.add_module(part, torch.nn.Module())
            parent = getattr(parent, part)
        layer = torch.nn.Linear(2, 2)
        parent.add_module(last, layer)
        mark(layer.weight, "trained" if state == "bias unused" else state)
        mark(layer.bias, "unused" if state == "bias unused" else state)
    return target(model)


def _missing_cases(rng):
    def layers(*states):
        names = ("embed", "norm", "block", "adapter", "head")
        order = torch.randperm(len(states), generator=rng).tolist()
        return {"layers": {name: states[k] for name, k in zip(names, order, strict=False)}}

    yield Case("one layer not wired up", layers("trained", "unused", "trained"))
    yield Case("zeros are a gradient", layers("trained", "gradient of zeros", "unused", "trained"))
    yield Case("a frozen layer", layers("frozen", "trained", "unused", "unused", "gradient of zeros"))
    yield Case("only a bias", layers("trained", "bias unused", "trained"))
    nested = {"body.first": "trained", "body.second": "unused", "head": "trained"}
    yield Case("a layer inside a layer", {"layers": nested})
    yield Case("a parameter of the model itself", {**layers("trained", "unused"), "parameters": {"scale": "unused"}})
    yield Case("nothing missing", layers("trained", "frozen", "gradient of zeros"), edge=True)
    yield Case("backward was never called", layers(*["unused"] * integer(rng, 2, 3)))


def _missing(inputs):
    """The names in the order of named_parameters: those of the model itself come first."""
    names = [name for name, state in inputs.get("parameters", {}).items() if state == "unused"]
    for name, state in inputs["layers"].items():
        names += [f"{name}.weight"] * (state == "unused") + [f"{name}.bias"] * (state in ("unused", "bias unused"))
    return names


def _layers_instead(model):
    return [
        name
        for name, layer in model.named_children()
        if any(p.requires_grad and p.grad is None for p in layer.parameters())
    ]


MISSING_GRADS = Exercise(
    id="week0.missing_grads",
    title="Parameters that got no gradient",
    points=0,
    minutes=6,
    why="A head that is not wired up trains to a plausible loss; only its missing gradient gives it away.",
    oracle="torch.nn.Module.named_parameters",
    cases=_missing_cases,
    probe=_missing_probe,
    expected=_missing,
    misconceptions=(
        Misconception(
            "frozen parameters counted",
            lambda model: [name for name, p in model.named_parameters() if p.grad is None],
            "You also list parameters that were frozen on purpose. What tells them apart from forgotten ones?",
        ),
        Misconception(
            "a gradient of zeros counted",
            lambda model: [
                name for name, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
            ],
            "A gradient of zeros is there: the loss depends on that parameter, if only weakly. None is something else.",
        ),
        Misconception(
            "a calculation with None",
            lambda model: [name for name, p in model.named_parameters() if p.requires_grad and p.grad.norm() == 0],
            "Your line computes with `.grad` where it is None. Ask first whether there is one.",
        ),
        Misconception(
            "layers instead of parameters",
            _layers_instead,
            "You list layers. A layer has several parameters, and each has a name of its own.",
        ),
    ),
)

EXERCISES = (PRACTICE, CENTER_ROWS, PAIRWISE_DIFFERENCES, GRADIENT_OF, MISSING_GRADS)
