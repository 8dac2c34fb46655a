"""week6.decay_budget: what weight decay leaves of a weight."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform


def _budget_cases(rng):
    def case(name, lrs, weight_decay, **options):
        return Case(name, {"lrs": lrs, "weight_decay": weight_decay}, **options)

    def some(n, high):
        return [uniform(rng, 0.1 * high, high) for _ in range(n)]

    def cosine(n, peak):
        return [round(peak * (1 + math.cos(math.pi * i / n)) / 2, 6) for i in range(n)]

    yield case("one update", [uniform(rng, 0.2, 0.5)], uniform(rng, 0.3, 0.6))
    yield case("two updates, different rates", [uniform(rng, 0.1, 0.2), uniform(rng, 0.4, 0.6)], uniform(rng, 0.5, 0.9))
    yield case("rates that change", some(integer(rng, 5, 9), 0.6), uniform(rng, 0.2, 0.5))
    yield case("a cosine", cosine(integer(rng, 40, 60), 0.1), uniform(rng, 0.3, 0.6))
    yield case("100 updates at 0.01", [0.01] * 100, 0.1)
    yield case("small rates, a long run", cosine(integer(rng, 200, 250), 3e-3), uniform(rng, 0.5, 2.0))
    yield case("updates at a rate of 0 between", [0.0, uniform(rng, 0.3, 0.5), 0.0, uniform(rng, 0.1, 0.2)], 0.5)
    yield case("a strong decay", some(3, 0.4), uniform(rng, 1.2, 1.9))
    yield case("no decay", some(4, 0.5), 0.0, edge=True)
    yield case("no update", [], uniform(rng, 0.1, 0.5), edge=True)


def _by_torch(inputs):
    """A weight of 1 whose gradient is 0 at every update of AdamW; the prediction by its definition."""
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    weight.grad = torch.zeros_like(weight)
    optimizer = torch.optim.AdamW([weight], lr=0.0, weight_decay=inputs["weight_decay"], foreach=False)
    for lr in inputs["lrs"]:
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    budget = torch.tensor(inputs["lrs"], dtype=torch.float64).sum() * inputs["weight_decay"]
    return {"exact": weight.item(), "predicted": torch.exp(-budget).item()}


def _budget(
    exact=lambda lrs, decay: math.prod(1 - lr * decay for lr in lrs),
    predicted=lambda lrs, decay: math.exp(-sum(lrs) * decay),
):
    """Both results with their choices open; the defaults are right."""
    return lambda lrs, weight_decay: {"exact": exact(lrs, weight_decay), "predicted": predicted(lrs, weight_decay)}


def _swapped(lrs, weight_decay):
    right = _budget()(lrs, weight_decay)
    return {"exact": right["predicted"], "predicted": right["exact"]}


def _lost(lrs, weight_decay):
    return {name: 1 - share for name, share in _budget()(lrs, weight_decay).items()}


DECAY_BUDGET = Exercise(
    id="week6.decay_budget",
    title="What weight decay leaves",
    points=2,
    minutes=10,
    why="Decay is multiplied by the learning rate: who changes the rate or the length of a run changes the decay too.",
    oracle="torch.optim.AdamW on a weight without gradient",
    cases=_budget_cases,
    expected=_by_torch,
    tolerance=Tolerance(rtol=1e-4, atol=1e-8),
    misconceptions=(
        Misconception(
            "decay without the learning rate",
            _budget(
                exact=lambda lrs, decay: (1 - decay) ** len(lrs),
                predicted=lambda lrs, decay: math.exp(-decay * len(lrs)),
            ),
            "Your weight loses the full weight decay at each update, and is soon gone. In AdamW the decay is "
            "multiplied by something first.",
        ),
        Misconception(
            "the exact one without the learning rate",
            _budget(exact=lambda lrs, decay: (1 - decay) ** len(lrs)),
            "Your exact share loses the full weight decay at each update. In AdamW the decay is multiplied by "
            "something first.",
        ),
        Misconception(
            "losses added up",
            _budget(exact=lambda lrs, decay: 1 - sum(lrs) * decay),
            "Your exact share takes every loss from the weight as it was at the start. Each update shrinks what the "
            "one before has left.",
        ),
        Misconception(
            "the budget itself",
            _budget(predicted=lambda lrs, decay: sum(lrs) * decay),
            "Your prediction is the budget. What is the share that such a budget leaves?",
        ),
        Misconception(
            "one minus the budget",
            _budget(predicted=lambda lrs, decay: 1 - sum(lrs) * decay),
            "Your prediction is 1 minus the budget, which is below 0 for a long run. How can a share shrink for ever "
            "and stay above 0?",
        ),
        Misconception(
            "growth",
            _budget(predicted=lambda lrs, decay: math.exp(sum(lrs) * decay)),
            "Your prediction is above 1: the weight would grow.",
        ),
        Misconception(
            "the product twice",
            _budget(predicted=lambda lrs, decay: math.prod(1 - lr * decay for lr in lrs)),
            "Your prediction is the exact share once more. It is to be had from one sum, without going through the "
            "updates.",
        ),
        Misconception(
            "the rule of thumb twice",
            _budget(exact=lambda lrs, decay: math.exp(-sum(lrs) * decay)),
            "Your exact share is the rule of thumb once more. What does one update do to the weight?",
        ),
        Misconception(
            "the two exchanged",
            _swapped,
            "Your two results are exchanged: which one goes through the updates one by one?",
        ),
        Misconception(
            "the share that is lost",
            _lost,
            "You return the shares that are lost. Asked for is what is left.",
        ),
        Misconception(
            "the first rate for all",
            _budget(
                exact=lambda lrs, decay: (1 - lrs[0] * decay) ** len(lrs) if lrs else 1.0,
                predicted=lambda lrs, decay: math.exp(-lrs[0] * len(lrs) * decay) if lrs else 1.0,
            ),
            "You use the first learning rate throughout. A schedule changes it with every update.",
        ),
        Misconception(
            "one update alone",
            _budget(
                exact=lambda lrs, decay: 1 - lrs[-1] * decay if lrs else 1.0,
                predicted=lambda lrs, decay: math.exp(-lrs[-1] * decay) if lrs else 1.0,
            ),
            "Your shares are those of the last update alone. What is left after all of them?",
        ),
        Misconception(
            "the mean rate for the exact one",
            _budget(exact=lambda lrs, decay: (1 - sum(lrs) / len(lrs) * decay) ** len(lrs) if lrs else 1.0),
            "Your exact share uses the mean learning rate. A product of different factors is not a power of their "
            "mean.",
        ),
    ),
)
