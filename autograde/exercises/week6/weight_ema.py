"""week6.weight_ema: a running mean of the weights, beside the training."""

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform

GPT, LLAMA, NORM = "course.lab.gpt", "a transformers Llama, its head tied to the embedding", "layers with a batch norm"


def _ema_probe(target, inputs):
    import copy

    import torch

    draws = torch.Generator().manual_seed(inputs["seed"])
    if inputs["model"].startswith("a transformers Llama"):
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "max_position_embeddings": 32}
        heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=11, use_cache=False, **sizes, **heads))
    elif inputs["model"] == "course.lab.gpt":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=11, width=8, heads=2, mlp_width=12))
    else:
        model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 3))
    model = model.to(inputs["dtype"])
    parameters = list(model.parameters())
    with torch.no_grad():
        for parameter in parameters:
            parameter.normal_(0.0, 1.0, generator=draws)
    average = copy.deepcopy(model)

    def seen(module):
        flat = torch.cat([p.detach().flatten() for p in module.parameters()])
        return {"weights": flat, "buffers": [b.clone() for b in module.buffers()]}

    trace = []
    for step in range(inputs["steps"]):
        if step == inputs["first layer frozen from"]:
            parameters[0].requires_grad_(False)
        optimizer = torch.optim.SGD([p for p in parameters if p.requires_grad], lr=1.0)
        for parameter in parameters:
            noise = torch.randn(parameter.shape, generator=draws).to(parameter.dtype)
            parameter.grad = noise if parameter.requires_grad else None
        optimizer.step()
        if inputs["model"].endswith("batch norm"):
            model(torch.randn(5, 4, generator=draws).to(inputs["dtype"]))  # moves the running statistics
        target(average, model, inputs["decay"])
        trace.append(seen(average) | {"weights of the model": seen(model)["weights"]})
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.fill_(77)
    after = seen(average) | {"dtypes": [p.dtype for p in average.parameters()]}
    return {"trace": trace, "after": after | {"leaves": sum(p.is_leaf for p in average.parameters())}}


def _observed(inputs, seen):
    found = {}
    for number, step in enumerate(seen["trace"], 1):
        found[f"after step {number}"] = {
            "the averaged weights": step["weights"],
            "buffers of the average": step["buffers"],
            "weights of the model": step["weights of the model"],
        }
    after = seen["after"]
    found["the average, once the model has moved on"] = [after["weights"], after["buffers"]]
    return found | {"dtypes": after["dtypes"], "leaf tensors": after["leaves"]}


def _ema_cases(rng):
    def case(name, model, decay, steps, dtype=torch.float32, frozen_from=-1, edge=False):
        inputs = {"model": model, "seed": integer(rng, 0, 10_000), "decay": decay, "steps": steps, "dtype": dtype}
        return Case(name, {**inputs, "first layer frozen from": frozen_from}, edge=edge)

    yield case("one step", GPT, uniform(rng, 0.6, 0.8), 1)
    yield case("five steps", GPT, uniform(rng, 0.8, 0.9), 5)
    yield case("a long memory", GPT, uniform(rng, 0.95, 0.99), integer(rng, 3, 6))
    yield case("running statistics and a counter", NORM, uniform(rng, 0.6, 0.9), 3)
    yield case("a weight that two modules share", LLAMA, uniform(rng, 0.6, 0.9), 3)
    yield case("a layer that is frozen later on", GPT, uniform(rng, 0.7, 0.9), 5, frozen_from=2)
    yield case("float64", NORM, uniform(rng, 0.3, 0.5), 3, dtype=torch.float64)
    yield case("no memory at all", NORM, 0.0, 2)


def _library(average, model, decay):
    """torch's own, told that its copy of the first weights has been made."""
    holder = AveragedModel(average, multi_avg_fn=get_ema_multi_avg_fn(decay))
    holder.n_averaged.fill_(1)
    holder.update_parameters(model)
    with torch.no_grad():
        for mine, theirs in zip(average.parameters(), holder.module.parameters(), strict=True):
            mine.copy_(theirs)
        for mine, theirs in zip(average.buffers(), holder.module.buffers(), strict=True):
            mine.copy_(theirs)


def _expected(inputs):
    return _observed(inputs, _ema_probe(_library, inputs))


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _move(mean, weight, decay):
    mean.mul_(decay).add_(weight, alpha=1 - decay)


def _copy_buffers(average, model):
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


def _with(move=_move, buffers=_copy_buffers, chosen=lambda weight: True):
    """The right answer with one of its parts replaced."""

    @torch.no_grad()
    def ema_update(average, model, decay):
        for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
            if chosen(weight):
                move(mean, weight, decay)
        buffers(average, model)

    return ema_update


def _graph_recorded(average, model, decay):
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        mean.mul_(decay).add_(weight, alpha=1 - decay)
    _copy_buffers(average, model)


@torch.no_grad()
def _by_name(average, model, decay):
    theirs = model.state_dict()
    for name, mean in average.state_dict().items():
        if mean.is_floating_point() and "running" not in name:
            _move(mean, theirs[name], decay)
    _copy_buffers(average, model)


@torch.no_grad()
def _buffers_averaged(average, model, decay):
    pairs = [*zip(average.parameters(), model.parameters(), strict=True)]
    for mean, weight in pairs + [*zip(average.buffers(), model.buffers(), strict=True)]:
        if mean.is_floating_point():
            _move(mean, weight, decay)
        else:
            mean.copy_(weight)


@torch.no_grad()
def _all_averaged(average, model, decay):
    pairs = [*zip(average.parameters(), model.parameters(), strict=True)]
    for mean, weight in pairs + [*zip(average.buffers(), model.buffers(), strict=True)]:
        _move(mean, weight, decay)


@torch.no_grad()
def _model_moved(average, model, decay):
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        _move(mean, weight, decay)
        weight.copy_(mean)
    _copy_buffers(average, model)


def _lost(mean, weight, decay):
    mean = decay * mean + (1 - decay) * weight


def _buffers_shared(average, model):
    for name, module in model.named_modules():
        average.get_submodule(name)._buffers.update(module._buffers)


WEIGHT_EMA = Exercise(
    id="week6.weight_ema",
    title="A running mean of the weights",
    points=2,
    minutes=12,
    why="Nothing in the training notices it, and it can stand in for a decayed learning rate. When, you measure next.",
    oracle="torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn",
    defines="ema_update",
    cases=_ema_cases,
    probe=_ema_probe,
    observe=_observed,
    expected=_expected,
    tolerance=Tolerance(rtol=1e-4, atol=2e-6),
    misconceptions=(
        Misconception(
            "decay on the wrong side",
            _with(lambda mean, weight, decay: _move(mean, weight, 1 - decay)),
            "Your average runs after the newest weights: the larger the decay, the less it remembers. Which of the two "
            "does `decay` multiply?",
        ),
        Misconception(
            "the newest weights are not damped",
            _with(lambda mean, weight, decay: mean.mul_(decay).add_(weight)),
            "Your shares do not add up to 1, so the average grows and grows. What is left for the newest weights?",
        ),
        Misconception(
            "a mean of two",
            _with(lambda mean, weight, decay: mean.add_(weight).div_(2)),
            "You take the middle between average and weights, whatever the decay is.",
        ),
        Misconception(
            "only a copy",
            _with(lambda mean, weight, decay: mean.copy_(weight)),
            "Your average is a copy of the newest weights. What was there before has to keep its share.",
        ),
        Misconception(
            "buffers forgotten",
            _with(buffers=lambda average, model: None),
            "The weights are right, but buffers are no parameters and stay as they were at the start: a batch norm "
            "would then evaluate with statistics of a model long gone.",
        ),
        Misconception(
            "buffers averaged too",
            _buffers_averaged,
            "You average the running statistics as well. They are running means already; the docstring says what "
            "becomes of buffers.",
        ),
        Misconception(
            "whole numbers averaged",
            _all_averaged,
            "Your answer stops at a batch norm: one of its buffers counts batches, a whole number, which cannot be "
            "averaged in place. Treat buffers apart.",
        ),
        Misconception(
            "buffers shared",
            _with(buffers=_buffers_shared),
            "The average holds the very buffers of the model, not copies. The next step of the training changes both.",
        ),
        Misconception(
            "frozen weights left out",
            _with(chosen=lambda weight: weight.requires_grad),
            "You pass over frozen weights. One that was frozen only a while ago has not been caught up with yet: the "
            "average has to go on moving towards it.",
        ),
        Misconception(
            "a shared weight averaged twice",
            _by_name,
            "A `state_dict` names a weight that two modules share once for each of them, and you move it each time. "
            "Which listing of a model's weights has every one only once?",
        ),
        Misconception(
            "biases and norms left out",
            _with(chosen=lambda weight: weight.ndim > 1),
            "You average the matrices only. Weights of norms and biases are trained too.",
        ),
        Misconception(
            "a graph is recorded",
            _graph_recorded,
            "torch refuses to change a parameter in place while it records a graph. No gradient is wanted here: how do "
            "you tell it?",
        ),
        Misconception(
            "the result is lost",
            _with(_lost),
            "The average stays as it was: your line makes a new tensor and gives it a name, and the module never hears "
            "of it. Change the tensor itself.",
        ),
        Misconception(
            "the model is changed too",
            _model_moved,
            "Your answer writes the average into the model, so it trains on from there. The training must not notice "
            "that somebody averages.",
        ),
    ),
)
