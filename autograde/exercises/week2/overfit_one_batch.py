"""week2.overfit_one_batch: can the model learn a single batch by heart?"""

import copy
import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform
from autograde.exercises.week2.batches import batch


def _overfit_probe(target, inputs):
    import torch

    sizes = dict(vocab_size=12)
    if inputs["model"] == "Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes |= dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2)
        model = LlamaForCausalLM(LlamaConfig(**sizes, attention_dropout=inputs["dropout"]))
        head = model.lm_head
    else:
        from course.lab.gpt import GPT, GPTConfig

        sizes |= dict(width=16, heads=2, seq_len=16, mlp_width=24, dropout=inputs["dropout"])
        model = GPT(GPTConfig(**sizes))
        head = model.head
    generator = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3 + (weight.ndim == 1))
            if inputs["old gradients"]:
                weight.grad = torch.randn(weight.shape, generator=generator)
        head.weight.mul_(0.0)  # as the lab's own models begin
    head.weight.requires_grad_(inputs["bug"] != "frozen head")
    for k, module in enumerate(model.modules()):
        module.training = {"train": True, "eval": False, "mixed": k % 3 != 1}[inputs["modes"]]
    modes = [module.training for module in model.modules()]
    lr, shift = inputs["lr"], {"unshifted": 0, "shifted twice": 2}.get(inputs["bug"], 1)
    if inputs["optimizer"] == "AdamW":
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, eps=1e-4)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9 * (inputs["optimizer"] == "momentum"))

    def loss_fn(model, batch):
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        labels = batch["labels"][:, shift:]
        logits = logits[:, : labels.shape[1]]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)

    one = {key: inputs[key] for key in ("input_ids", "attention_mask", "labels")}
    result = target(model, one, optimizer, loss_fn, inputs["steps"], inputs["target"])
    if not isinstance(result, dict):
        raise TypeError(f"expected a dict, got a {type(result).__name__}")
    missing = [key for key in ("losses", "passed") if key not in result]
    if missing:
        raise KeyError(f"{missing[0]} is missing from the dict")
    losses = result["losses"]
    return {
        "losses": losses,
        "graphs": [bool(getattr(loss, "requires_grad", False)) for loss in [losses, *losses]],
        "passed": result["passed"],
        "modes": [modes, [module.training for module in model.modules()]],
        "weights": torch.cat([weight.detach().flatten() for weight in model.parameters()]),
    }


def _observed(inputs, seen):
    before, after = seen["modes"]
    result = {key: seen[key] for key in ("losses", "passed", "weights")}
    result["the graphs are let go"] = not any(seen["graphs"])
    return result | {"every module is in its old mode": before == after}


def _inputs(rng, model="GPT", bug=None, optimizer="AdamW", lr=0.08, steps=6, target=0.9, counted=True, **changes):
    """One batch whose rows begin differently, so that every label can be learnt by heart."""
    one = batch(rng, 3, integer(rng, 6, 8), counted=counted)
    while len(set(one["input_ids"][:, 0].tolist())) < 3:
        one = batch(rng, 3, integer(rng, 6, 8), counted=counted)
    if bug == "shuffled labels":
        labels = one["labels"]
        counts = labels != -100
        labels[counts] = labels[counts][torch.randperm(int(counts.sum()), generator=rng)]
    options = {"seed": integer(rng, 0, 10_000), "dropout": 0.0, "modes": "train", "old gradients": False}
    setting = {"model": model, "bug": bug, "optimizer": optimizer, "lr": lr, "steps": steps, "target": target}
    return {**one, **setting, **options, **changes}


def _losses(inputs):
    return _overfit_probe(_reference, inputs)["losses"]


def _tested(rng, passes, **changes):
    """Inputs of a run that passes clearly, or clearly does not."""
    while True:
        inputs = _inputs(rng, **changes)
        last = _losses(inputs)[-1]
        if (last < inputs["target"]) == passes and abs(last - inputs["target"]) > 0.05:
            return inputs


def _late(rng):
    """Inputs of a run that only its last update takes below the target."""
    while True:
        inputs = _inputs(rng, lr=0.03, steps=4)
        *_, before, last = _losses(inputs)
        if before - last > 0.02:
            return inputs | {"target": round((before + last) / 2, 4)}


def _bouncing(rng):
    """Inputs of a run that was below the target and ends above it, lower than it began."""
    while True:
        inputs = _inputs(rng, optimizer="momentum", lr=uniform(rng, 0.4, 2), steps=6)
        first, *_, last = losses = _losses(inputs)
        if first - 0.05 > last > min(losses) + 0.2:
            return inputs | {"target": round((last + min(losses)) / 2, 4)}


def _overfit_cases(rng):
    def case(name, **changes):
        return Case(name, _inputs(rng, **changes))

    yield Case("nothing is wrong", _tested(rng, True, steps=9, target=0.5))
    yield Case("nothing is wrong, a Llama", _tested(rng, True, model="Llama"))
    yield Case("planted: a head of zeros that is frozen", _tested(rng, False, bug="frozen head"), edge=True)
    yield Case("planted: a learning rate of 0", _tested(rng, False, lr=0.0), edge=True)
    for bug in ("unshifted", "shifted twice", "shuffled labels"):
        yield Case(f"planted: {bug}", _tested(rng, True, bug=bug))
    yield case("a model with dropout", dropout=0.5, steps=3, target=1.0)
    yield case("a Llama with dropout, some modules in eval mode", model="Llama", dropout=0.5, steps=2, modes="mixed")
    yield case("a model in eval mode", modes="eval", steps=2)
    yield case("gradients from before", optimizer="momentum", lr=0.1, steps=3, **{"old gradients": True})
    yield case("a single step", optimizer="SGD", lr=uniform(rng, 0.1, 0.2), steps=1, target=9.0)
    yield Case("the last update takes it below the target", _late(rng))
    yield Case("below the target and up again", _bouncing(rng))
    still = _inputs(rng, lr=0.0, steps=2)
    yield Case("exactly at the target", still | {"target": _losses(still)[-1]}, edge=True)
    yield case("the loss leaves the scale", optimizer="SGD", lr=uniform(rng, 1, 2) * 1e25, steps=6, target=1e30)
    yield case("no label counts", steps=3, counted=False)


def _trace(inputs):
    return _observed(inputs, _overfit_probe(_reference, inputs))


class _Test:
    """The right test in parts, for wrong ones to change."""

    def __init__(self, **parts):
        self.__dict__.update(parts)

    def before(self, model):
        model.eval()

    def after(self, model, modes):
        for module, mode in modes:
            module.training = mode

    def update(self, loss, optimizer):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def ends(self, losses, steps, target):
        return len(losses) > steps or not math.isfinite(losses[-1])

    def report(self, losses, target):
        return {"losses": losses, "passed": losses[-1] < target}

    def __call__(self, model, batch, optimizer, loss_fn, steps, target):
        modes = [(module, module.training) for module in model.modules()]
        self.before(model)
        losses, done = [], False
        while not done:
            loss = loss_fn(model, batch)
            losses.append(loss.item())
            done = self.ends(losses, steps, target)
            if not done:
                self.update(loss, optimizer)
        self.after(model, modes)
        return self.report(losses, target)


def _with(**parts):
    test = _Test(**parts)

    def overfit_one_batch(model, batch, optimizer, loss_fn, steps, target):
        return test(model, batch, optimizer, loss_fn, steps, target)

    return overfit_one_batch


_reference = _with()


def _no_zero_grad(loss, optimizer):
    loss.backward()
    optimizer.step()


def _zero_grad_after(loss, optimizer):
    _no_zero_grad(loss, optimizer)
    optimizer.zero_grad()


def _on_and_on(losses, steps, target):
    return len(losses) > steps


def _updates_on_nan(model, batch, optimizer, loss_fn, steps, target):
    done = []

    def ends(losses, *_):
        done.append(len(losses) > 1 and not math.isfinite(losses[-2]))
        return len(losses) > steps or done[-1]

    report = _with(ends=ends)(model, batch, optimizer, loss_fn, steps, target)
    losses = report["losses"][:-1] if done[-1] else report["losses"]
    return {"losses": losses, "passed": losses[-1] < target}


def _own_optimizer(model, batch, optimizer, loss_fn, steps, target):
    own = torch.optim.AdamW(model.parameters(), lr=0.01)
    return _reference(model, batch, own, loss_fn, steps, target)


def _own_loss(model, batch, optimizer, loss_fn, steps, target):
    def loss(model, batch):
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1), batch["labels"][:, 1:].flatten(), ignore_index=-100)

    return _reference(model, batch, optimizer, loss, steps, target)


def _thaws(model, batch, optimizer, loss_fn, steps, target):
    model.requires_grad_(True)
    return _reference(model, batch, optimizer, loss_fn, steps, target)


def _a_copy(model, batch, optimizer, loss_fn, steps, target):
    return _reference(copy.deepcopy(model), batch, optimizer, loss_fn, steps, target)


def _keeps_the_graphs(model, batch, optimizer, loss_fn, steps, target):
    kept = []

    def loss(model, batch):
        kept.append(loss_fn(model, batch))
        return kept[-1]

    report = _reference(model, batch, optimizer, loss, steps, target)
    return report | {"losses": kept}


def _mistake(name, hint, *answers):
    return tuple(Misconception(name, answer, hint) for answer in answers)


OVERFIT_ONE_BATCH = Exercise(
    id="week2.overfit_one_batch",
    title="Learn one batch by heart",
    points=3,
    minutes=20,
    why="The cheapest test of a training loop takes seconds; the lesson measures which bugs it catches and which not.",
    oracle="the same test, run beside yours on the same weights",
    cases=_overfit_cases,
    probe=_overfit_probe,
    observe=_observed,
    expected=_trace,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    misconceptions=(
        *_mistake(
            "dropout left on",
            "Dropout is on while you test: the model is given another puzzle at every step, and may fail a test that "
            "it would pass. Which mode switches it off?",
            _with(before=lambda model: None),
            _with(before=lambda model: model.train()),
        ),
        *_mistake(
            "left in eval mode",
            "After your test the model is still in eval mode: the training that follows would go without dropout.",
            _with(after=lambda model, modes: None),
        ),
        *_mistake(
            "all in train mode afterwards",
            "After your test every module is in train mode, those too that were not before. Note each one's mode "
            "first, as in `evaluate`.",
            _with(after=lambda model, modes: model.train()),
        ),
        *_mistake(
            "the whole model in one mode",
            "You remember the mode of the model and forget those of its parts: one of them was in another mode.",
            _with(after=lambda model, modes: model.train(modes[0][1])),
        ),
        *_mistake(
            "gradients add up",
            "The gradients of all steps so far add up in `.grad`. What has to come before each backward?",
            _with(update=_no_zero_grad),
        ),
        *_mistake(
            "gradients from before",
            "You clear the gradients behind each update. Those that were there before your first one are part of it.",
            _with(update=_zero_grad_after),
        ),
        *_mistake(
            "the last update is not measured",
            "Your last loss is the one before the last update: nobody has looked at what that one did.",
            _with(
                ends=lambda losses, steps, target: len(losses) > steps or not math.isfinite(losses[-1]),
                report=lambda losses, target: {
                    "losses": losses[: max(1, len(losses) - 1)],
                    "passed": losses[max(0, len(losses) - 2)] < target,
                },
            ),
        ),
        *_mistake(
            "the first loss is missing",
            "Your losses begin after the first update. Where did the run start from?",
            _with(
                report=lambda losses, target: {
                    "losses": losses[min(1, len(losses) - 1) :],
                    "passed": losses[-1] < target,
                }
            ),
        ),
        *_mistake(
            "one update too many",
            "Your test takes one update more than `steps`.",
            _with(ends=lambda losses, steps, target: len(losses) > steps + 1 or not math.isfinite(losses[-1])),
        ),
        *_mistake(
            "stops at the target",
            "You stop as soon as the target is reached. The docstring asks for `steps` updates: a run that gets there "
            "and does not stay there has something wrong with it.",
            _with(
                ends=lambda losses, steps, target: (
                    len(losses) > steps or not math.isfinite(losses[-1]) or losses[-1] < target
                )
            ),
        ),
        *_mistake(
            "judged by the lowest loss",
            "You judge by the lowest loss on the way. This run had been below the target and has come up again: which "
            "loss does the docstring ask for?",
            _with(report=lambda losses, target: {"losses": losses, "passed": min(losses) < target}),
        ),
        *_mistake(
            "any fall is a pass",
            "You take a loss that has fallen for a pass. Nearly every broken run falls a little; the question is "
            "whether it gets below `target`.",
            _with(report=lambda losses, target: {"losses": losses, "passed": losses[-1] < losses[0]}),
        ),
        *_mistake(
            "any loss that is finite is a pass",
            "Your test passes whatever ends with a number.",
            _with(report=lambda losses, target: {"losses": losses, "passed": math.isfinite(losses[-1])}),
        ),
        *_mistake(
            "NaN passes",
            "A NaN passes your test: `NaN >= target` is False, as is every comparison with NaN. Ask the other way "
            "round.",
            _with(report=lambda losses, target: {"losses": losses, "passed": not losses[-1] >= target}),
        ),
        *_mistake(
            "goes on after NaN",
            "You go on after a loss that is not finite. Its gradient is NaN as well, and one update with it takes "
            "every weight along.",
            _with(ends=_on_and_on),
        ),
        *_mistake(
            "an update with NaN",
            "You notice the loss that is not finite only after the update that you made with it: all weights are NaN "
            "by then.",
            _updates_on_nan,
        ),
        *_mistake(
            "an optimizer of your own",
            "You make an optimizer of your own. Then the one that the run will use is not tested, and its learning "
            "rate of 0 stays unseen.",
            _own_optimizer,
        ),
        *_mistake(
            "a loss of your own",
            "You compute a loss of your own in place of `loss_fn`. Yours may be right: it is theirs that is tested.",
            _own_loss,
        ),
        *_mistake(
            "everything thawed",
            "You let every weight train. The test would have caught that the head is frozen.",
            _thaws,
        ),
        *_mistake(
            "the graphs are kept",
            "Your losses are tensors that still hold their graphs, with the activations of every step. What turns a "
            "tensor into a plain number?",
            _keeps_the_graphs,
        ),
        *_mistake(
            "a copy is tested",
            "You test a copy of the model, and the optimizer moves the weights of the original: the copy's loss stands "
            "still.",
            _a_copy,
        ),
    ),
)
