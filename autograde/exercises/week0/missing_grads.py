"""week0.missing_grads: parameters that no gradient has reached."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer


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
