"""week2.gradient_stats: what the gradients look like."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers, normal


def _stats_probe(target, inputs):
    import torch
    import torch.nn.functional as F

    if "gradients" in inputs:  # a model of single weights, with the gradients that were drawn
        model = torch.nn.Module()
        for name, grad in inputs["gradients"].items():
            weight = torch.nn.Parameter(torch.full_like(torch.zeros(2) if grad is None else grad, 3.0))
            weight.grad = grad
            model.register_parameter(name, weight)
    elif inputs["model"] == "Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=12, tie_word_embeddings=inputs["tied"], **sizes))
    else:
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=12, width=8, heads=2, seq_len=16, mlp_width=12))
        model.head.weight = model.embedding.weight if inputs["tied"] else model.head.weight
    for name, weight in model.named_parameters():
        weight.requires_grad_(not any(part in name for part in inputs["frozen"]))
    if "gradients" not in inputs:
        generator = torch.Generator().manual_seed(inputs["seed"])
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) + (weight.ndim == 1))
        ids = inputs["input_ids"]
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, :-1]
        (inputs["loss_scale"] * F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())).backward()
        for name, weight in model.named_parameters():
            if any(part in name for part in inputs["cut"]):
                weight.grad = None

    def state():
        return [[weight.requires_grad, weight.grad] for weight in model.parameters()]

    before = [[wanted, None if grad is None else grad.clone()] for wanted, grad in state()]
    return {"before": before, "stats": target(model), "after": state()}


def _observed(inputs, seen):
    def same(one, other):
        if one is None or other is None:
            return one is other
        return one.shape == other.shape and torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0))

    pairs = zip(seen["before"], seen["after"], strict=True)
    return {
        "stats": seen["stats"],
        "gradients are left alone": all(was[0] == now[0] and same(was[1], now[1]) for was, now in pairs),
    }


def _stats_cases(rng):
    def model(name, model, frozen=(), cut=(), tied=False, scale=1.0):
        ids = integers(rng, 0, 11, 2, 6)
        more = {"frozen": list(frozen), "cut": list(cut), "tied": tied, "loss_scale": scale, "input_ids": ids}
        return Case(name, {"model": model, "seed": integer(rng, 0, 10_000), **more})

    def by_hand(name, frozen=(), edge=False, **gradients):
        return Case(name, {"gradients": gradients, "frozen": list(frozen)}, edge=edge)

    yield model("the lab's GPT after backward", "GPT")
    yield model("a Llama after backward", "Llama", scale=5.0)
    yield model("a head that is not wired up", "GPT", cut=["head"])
    yield model("frozen embeddings and norms", "Llama", frozen=["embed", "norm"])
    yield model("frozen and forgotten weights", "GPT", frozen=["embedding"], cut=["mlp", "norm2"])
    yield model("one weight for embedding and head", "Llama", tied=True, cut=["norm"])
    yield model("one weight for embedding and head, lab's GPT", "GPT", tied=True)
    negative = -normal(rng, 3, 4).abs() - 0.1
    yield by_hand("all gradients are negative", first=negative, second=-normal(rng, 5).abs() - 0.1)
    largest = normal(rng, 2, 3)
    largest[1, 1] = -6 - integer(rng, 0, 3)
    yield by_hand("the largest is negative", first=normal(rng, 4), second=largest, third=None)
    yield by_hand("a gradient of zeros", first=normal(rng, 3), second=torch.zeros(2, 2), third=None, fourth=None)
    yield by_hand("tiny gradients", first=normal(rng, 3, 3) * 1e-3, second=normal(rng, 2) * 1e-3)
    yield by_hand("a single number", first=normal(rng, 1)[0], second=normal(rng, 1, 2))
    broken = normal(rng, 4)
    broken[integer(rng, 0, 3)] = math.nan
    parts = [normal(rng, 2, 2), broken, normal(rng, 3)]
    yield by_hand("a NaN in the middle", **{f"w{i}": part for i, part in enumerate(parts)})
    yield by_hand("a NaN at the start", first=broken.clone(), second=normal(rng, 3))
    infinite = normal(rng, 4)
    infinite[integer(rng, 0, 3)] = -math.inf
    yield by_hand("an infinite gradient", first=normal(rng, 2), second=infinite)
    yield by_hand("backward was never called", first=None, second=None)
    yield by_hand("everything is frozen", first=None, second=None, third=None, frozen=["first", "second", "third"])


def _library_stats(inputs):
    def stats(model):
        weights = list(model.parameters())
        grads = [weight.grad.double() for weight in weights if weight.grad is not None]
        return {
            "norm": torch.nn.utils.get_total_norm(grads),
            "max_abs": torch.nn.utils.get_total_norm(grads, norm_type=math.inf) if grads else 0.0,
            "n_missing": sum(weight.requires_grad and weight.grad is None for weight in weights),
        }

    return _observed(inputs, _stats_probe(stats, inputs))


def _grads(model):
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


def _missing(model):
    return sum(weight.requires_grad and weight.grad is None for weight in model.parameters())


def _stats(norm=None, largest=None, missing=None, grads=_grads):
    """Statistics with one of their parts replaced."""

    def gradient_stats(model):
        found = [grad.flatten() for grad in grads(model)] or [torch.zeros(1)]
        values = torch.cat(found)
        return {
            "norm": norm(found) if norm else values.norm(),
            "max_abs": largest(found) if largest else values.abs().max(),
            "n_missing": (missing or _missing)(model),
        }

    return gradient_stats


def _largest_from_zero(grads):
    largest = torch.tensor(0.0)
    for grad in grads:
        largest = torch.maximum(largest, grad.max())
    return largest


def _nan_unseen(grads):
    largest = 0.0
    for grad in grads:
        largest = max(largest, grad.abs().max().item())
    return largest


def _crash_on_none(model):
    values = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    return {"norm": values.norm(), "max_abs": values.abs().max(), "n_missing": 0}


def _crash_on_missing(model):
    grads = [weight.grad for weight in model.parameters() if weight.requires_grad]
    norms, largest = zip(*[(grad.norm(), grad.abs().max()) for grad in grads], strict=True)
    return {"norm": torch.stack(norms).norm(), "max_abs": torch.stack(largest).max(), "n_missing": 0}


def _every_none(model):
    return sum(weight.grad is None for weight in model.parameters())


def _none_or_zero(model):
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    return sum(weight.grad is None or not weight.grad.any() for weight in weights)


def _numbers_missing(model):
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad and weight.grad is None)


def _layers_missing(model):
    return sum(
        any(weight.requires_grad and weight.grad is None for weight in module.parameters(recurse=False))
        for module in model.modules()
    )


def _shared_twice(model):
    return [w.grad for _, w in model.named_parameters(remove_duplicate=False) if w.grad is not None]


def _weights_instead(model):
    return [weight.detach() for weight in model.parameters()]


def _trained_weights(model):
    return [weight.detach() for weight in model.parameters() if weight.grad is not None]


GRADIENT_STATS = Exercise(
    id="week2.gradient_stats",
    title="What the gradients look like",
    points=2,
    minutes=12,
    why="Three numbers a step tell a spike, a NaN and a layer that is not wired up before the loss does.",
    oracle="torch.nn.utils.get_total_norm of the gradients that autograd leaves",
    cases=_stats_cases,
    probe=_stats_probe,
    observe=_observed,
    expected=_library_stats,
    seconds=30.0,
    misconceptions=(
        Misconception(
            "the largest value, with its sign",
            _stats(largest=lambda grads: torch.cat(grads).max()),
            "Your max_abs is the largest value with its sign: a gradient of -9 is smaller than one of 1 for you.",
        ),
        Misconception(
            "a maximum that starts at 0",
            _stats(largest=_largest_from_zero),
            "Your maximum starts at 0 and looks at signed values: where all gradients are negative it reports 0.",
        ),
        Misconception(
            "sum of the norms",
            _stats(norm=lambda grads: sum(grad.norm() for grad in grads)),
            "You add up the norms of the parameters. The length of one long vector is less than the lengths of its "
            "parts together: what do you add up before the root?",
        ),
        Misconception(
            "mean of the norms",
            _stats(norm=lambda grads: sum(grad.norm() for grad in grads) / len(grads)),
            "You average the norms of the parameters. One long vector has one length.",
        ),
        Misconception(
            "largest of the norms",
            _stats(norm=lambda grads: torch.stack([grad.norm() for grad in grads]).max()),
            "Your norm is that of one parameter, the largest. All of them together are asked for.",
        ),
        Misconception(
            "the root is missing",
            _stats(norm=lambda grads: torch.cat(grads).square().sum()),
            "You add up squares and stop. A length is the root of that.",
        ),
        Misconception(
            "divided by the number of values",
            _stats(norm=lambda grads: torch.cat(grads).square().mean().sqrt()),
            "Your norm is the root of a mean, and the length of a vector is the root of a sum.",
        ),
        Misconception(
            "sum of absolute values",
            _stats(norm=lambda grads: torch.cat(grads).abs().sum()),
            "You add up absolute values. The length of a vector adds up something else, as Pythagoras did.",
        ),
        Misconception(
            "a NaN goes unseen",
            _stats(largest=_nan_unseen),
            "Python's `max` compares, and every comparison with NaN is False: a broken gradient passes it unseen. "
            "Torch's own maximum keeps a NaN.",
        ),
        *(
            Misconception(
                "a calculation with None",
                answer,
                "Your code computes with `.grad` where it is None. That is no accident to crash on: it is one of the "
                "three numbers.",
            )
            for answer in (_crash_on_none, _crash_on_missing)
        ),
        Misconception(
            "frozen weights are missing",
            _stats(missing=_every_none),
            "You count frozen weights as missing. They were not meant to get a gradient.",
        ),
        Misconception(
            "a gradient of zeros is missing",
            _stats(missing=_none_or_zero),
            "A gradient of zeros is there: the loss depends on that weight, if only weakly. None is something else.",
        ),
        Misconception(
            "numbers instead of tensors",
            _stats(missing=_numbers_missing),
            "You count the numbers in the parameters that are missing. The parameters themselves are asked for.",
        ),
        Misconception(
            "layers instead of parameters",
            _stats(missing=_layers_missing),
            "You count layers. A layer holds several parameters, and each may be missing by itself.",
        ),
        Misconception(
            "a shared weight twice",
            _stats(grads=_shared_twice),
            "A weight that two layers share comes twice in your list. It has one gradient.",
        ),
        *(
            Misconception(
                "weights instead of gradients",
                _stats(grads=grads),
                "These are the statistics of the weights. Where does `backward` leave the gradients?",
            )
            for grads in (_weights_instead, _trained_weights)
        ),
    ),
)
