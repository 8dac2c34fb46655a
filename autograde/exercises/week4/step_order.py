"""week4.step_order: a puzzle that runs."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers
from course.lab.gpt import GPT, GPTConfig

STEPS = ("forward", "scale", "backward", "unscale", "clip", "step", "update", "zero")
MOST = 40  # names in an answer that is still run
FINE = "nothing"


def _order_probe(target, inputs):
    order = target()
    return list(order) if isinstance(order, (list, tuple)) else order


def _order_cases(rng):
    def case(name, scale, max_norm, rounds=3, growth_interval=2000, momentum=0.0):
        inputs = {"seed": integer(rng, 0, 10_000), "batches": [integers(rng, 0, 12, 2, 7) for _ in range(rounds)]}
        inputs |= {"scale": 2.0**scale, "growth_interval": growth_interval, "max_norm": max_norm}
        return Case(name, {**inputs, "lr": 0.5, "momentum": momentum})

    yield case("every step is clipped", 16, 0.1)
    yield case("no step needs clipping", 16, 1000.0, momentum=0.9)
    yield case("the first scale overflows in float16", integer(rng, 25, 26), 0.3, rounds=5)
    yield case("the scale grows", 10, 0.2, rounds=4, growth_interval=1)


def _play(inputs, order):
    """Runs an order again and again → what torch says, and after each round the weights and the loss scale."""
    if type(order) is not list or not all(type(name) is str for name in order) or len(order) > MOST:
        return {"torch complains": "that this is no list of step names", "weights": None, "loss scales": []}
    model = GPT(GPTConfig(vocab_size=13, width=8, heads=2, mlp_width=12))
    draws = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5, generator=draws)
    optimizer = torch.optim.SGD(model.parameters(), lr=inputs["lr"], momentum=inputs["momentum"])
    scaler = torch.amp.GradScaler("cpu", init_scale=inputs["scale"], growth_interval=inputs["growth_interval"])
    batches, loss = iter(inputs["batches"]), None

    def forward():
        nonlocal loss
        ids = next(batches)
        with torch.autocast("cpu", dtype=torch.float16):
            logits = model(input_ids=ids).logits[:, :-1]
            loss = F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    def scale():
        nonlocal loss
        loss = scaler.scale(loss)

    steps = {
        "forward": forward,
        "scale": scale,
        "backward": lambda: loss.backward(),
        "unscale": lambda: scaler.unscale_(optimizer),
        "clip": lambda: torch.nn.utils.clip_grad_norm_(model.parameters(), inputs["max_norm"]),
        "step": lambda: scaler.step(optimizer),
        "update": scaler.update,
        "zero": optimizer.zero_grad,
    }
    weights, scales = [], []

    def seen(complaint):
        return {
            "torch complains": complaint,
            "weights": torch.stack(weights) if weights else None,
            "loss scales": list(scales),
        }

    for number in range(1, len(inputs["batches"]) + 1):
        for name in order:
            if name not in steps:
                return seen(f"there is no step {name!r}")
            try:
                steps[name]()
            except Exception as error:
                line = "there is no loss yet" if loss is None else str(error).strip().splitlines()[0]
                nothing = all(p.grad is None for p in model.parameters())
                return seen(f"in round {number}, at {name!r}: {line}" + " (no gradient is there)" * nothing)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
        scales.append(scaler.get_scale())
    return seen(FINE)


def _order(*names):
    return lambda: list(names)


STEP_ORDER = Exercise(
    id="week4.step_order",
    title="Put the steps in order",
    points=2,
    minutes=10,
    why="An order can be wrong without any error, and what comes out is another training.",
    oracle="a run with torch.amp.GradScaler, torch's clip_grad_norm_ and torch.optim.SGD",
    cases=_order_cases,
    probe=_order_probe,
    observe=_play,
    expected=lambda inputs: _play(inputs, list(STEPS)),
    tolerance=Tolerance(rtol=1e-5, atol=1e-7),
    misconceptions=(
        Misconception(
            "clip before unscale",
            _order("forward", "scale", "backward", "clip", "unscale", "step", "update", "zero"),
            "You clip while the gradients are still multiplied by the loss scale, so nearly every step is cut to "
            "nearly nothing. In which unit is max_norm meant?",
        ),
        Misconception(
            "the step is taken unclipped",
            _order("forward", "scale", "backward", "unscale", "step", "clip", "update", "zero"),
            "Where you clip, no step feels it: gradients have to be there, and the step has to come after.",
        ),
        Misconception(
            "backward before scale",
            _order("forward", "backward", "scale", "unscale", "clip", "step", "update", "zero"),
            "You compute the gradients of the plain loss, and then divide them by the scale all the same. The weights "
            "hardly move.",
        ),
        Misconception(
            "update before step",
            _order("forward", "scale", "backward", "unscale", "clip", "update", "step", "zero"),
            "After `update` the scaler has forgotten that this round's gradients are unscaled already. When the step "
            "comes it divides them once more.",
        ),
        Misconception(
            "gradients cleared before the step",
            _order("forward", "scale", "backward", "unscale", "clip", "zero", "step", "update"),
            "The weights never move: when the step comes, the gradients are gone.",
        ),
        Misconception(
            "gradients cleared before they are unscaled",
            _order("forward", "scale", "backward", "zero", "unscale", "clip", "step", "update"),
            "You clear the gradients right after they were computed. Who still needs them?",
        ),
        Misconception(
            "gradients never cleared",
            _order("forward", "scale", "backward", "unscale", "clip", "step", "update"),
            "The first round is right. In every later one the gradients of the rounds before are still there.",
        ),
        Misconception(
            "the scaler is never updated",
            _order("forward", "scale", "backward", "unscale", "clip", "step", "zero"),
            "In the second round the scaler thinks that the first is still going on. Which step tells it that a round "
            "is over?",
        ),
        Misconception(
            "unscale after the step",
            _order("forward", "scale", "backward", "step", "unscale", "clip", "update", "zero"),
            "The step has been taken when you unscale. What is to be clipped before the step has to be unscaled before "
            "that.",
        ),
        Misconception(
            "unscale before backward",
            _order("forward", "scale", "unscale", "backward", "clip", "step", "update", "zero"),
            "You unscale gradients that do not exist yet: the loss has been scaled, but nothing has been derived from "
            "it.",
        ),
    ),
)
