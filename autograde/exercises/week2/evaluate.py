"""week2.evaluate: the loss on held-out data."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer
from autograde.exercises.week2.batches import batch


def _evaluate_probe(target, inputs):
    import sys

    import torch

    if inputs["model"] == "Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=12, attention_dropout=inputs["dropout"], **sizes))
    else:
        from course.lab.gpt import GPT, GPTConfig

        sizes = dict(width=8, heads=2, seq_len=16, mlp_width=12)
        model = GPT(GPTConfig(vocab_size=12, dropout=inputs["dropout"], **sizes))
    generator = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for i, weight in enumerate(model.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.6 + (weight.ndim == 1))
            weight.grad = torch.randn(weight.shape, generator=generator)
            weight.requires_grad_(i % 4 != 2)  # some are frozen
    for i, module in enumerate(model.modules()):
        module.training = {"train": True, "eval": False, "some in eval": i % 3 != 1}[inputs["mode"]]

    def state():
        flat = [torch.cat([x.detach().flatten() for x in some]) for some in zip(*pairs(), strict=True)]
        frozen = [not weight.requires_grad for weight in model.parameters()]
        return {"weights": flat[0], "grads": flat[1], "frozen": frozen, "modes": modes(model)}

    def pairs():
        return [(p, torch.full_like(p, torch.nan) if p.grad is None else p.grad) for p in model.parameters()]

    def modes(of):
        return [module.training for module in of.modules()]

    seen = {"before": state(), "training": [], "graphs": []}

    class LibraryCall(RuntimeError):
        pass

    def note(module, _, out):
        seen["training"].append(any(modes(module)))
        seen["graphs"].append(out.logits.requires_grad)
        frame = sys._getframe()
        while frame := frame.f_back:
            if frame.f_code.co_name == "evaluate" and frame.f_globals.get("__name__") == "course.lab.training":
                raise LibraryCall("course.lab's own evaluate does this exercise for you: write it yourself")

    model.register_forward_hook(note)
    result = target(model, iter(inputs["batches"]) if inputs["once"] else inputs["batches"])
    seen |= {"result": result, "float": isinstance(result, float), "graph": bool(getattr(result, "requires_grad", 0))}
    return seen | {"after": state()}


def _observed(inputs, seen):
    before, after = seen["before"], seen["after"]
    return {
        "loss": seen["result"],
        "no graph is built": not any(seen["graphs"]) and not seen["graph"],
        "it is a float": seen["float"],
        "eval mode while it runs": not any(seen["training"]),
        "every module's mode is restored": after["modes"] == before["modes"],
        "weights and gradients are left alone": all(
            torch.equal(after[what], before[what]) for what in ("weights", "grads")
        ),
        "what is frozen stays frozen, and nothing else": after["frozen"] == before["frozen"],
    }


def _evaluate_cases(rng):
    def case(name, model, mode="train", dropout=0.0, once=False, left=False, empty=None):
        # batches with few labels and with many: a mean of their means shows
        batches = [batch(rng, rows, integer(rng, 6, 8), left) for rows in (4, 1, 3)]
        batches[1]["labels"][:, : integer(rng, 4, 5)] = -100
        if empty is not None:
            batches.insert(empty, batch(rng, 2, 6, counted=False))
        inputs = {"model": model, "seed": integer(rng, 0, 10_000), "mode": mode, "dropout": dropout, "once": once}
        return Case(name, inputs | {"batches": batches})

    yield case("three batches, the lab's GPT", "GPT")
    yield case("three batches, a Llama", "Llama", once=True)
    yield case("dropout, the lab's GPT", "GPT", dropout=0.5)
    yield case("dropout, a Llama", "Llama", dropout=0.5)
    yield case("batches that can be read once", "GPT", once=True)
    yield case("a model in eval mode", "GPT", mode="eval", dropout=0.3)
    yield case("some modules in eval mode", "GPT", mode="some in eval", dropout=0.3, once=True)
    yield case("some modules in eval mode, a Llama", "Llama", mode="some in eval")
    yield case("a batch in which nothing counts", "GPT", empty=integer(rng, 0, 3))
    yield case("padding on the left", "GPT", left=True)
    yield case("padding on the left, a Llama", "Llama", left=True, once=True)


def _reference_evaluate(model, batches):
    """With transformers' own loss for causal language models: each batch's sum, over the number of all."""
    from transformers.loss.loss_utils import ForCausalLMLoss

    modes, batches = [(module, module.training) for module in model.modules()], list(batches)
    total = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
    model.eval()
    with torch.no_grad():
        loss = 0.0
        for batch in batches:
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            loss += float(ForCausalLMLoss(logits, batch["labels"], logits.shape[-1], num_items_in_batch=total))
    for module, mode in modes:
        module.training = mode
    return loss


def _evaluated(inputs):
    return _observed(inputs, _evaluate_probe(_reference_evaluate, inputs))


def _sums(model, batch, mask=True, shift=1):
    """→ (summed loss, number of labels that count) of one batch."""
    given = {"attention_mask": batch["attention_mask"]} if mask else {}
    logits, labels = model(input_ids=batch["input_ids"], **given).logits, batch["labels"]
    if shift:
        logits, labels = logits[:, :-shift], labels[:, shift:]
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum"), (labels != -100).sum()


def _over_all_labels(pairs, batches):
    pairs = list(pairs)
    return sum(float(nats) for nats, _ in pairs) / sum(int(count) for _, count in pairs)


def _evaluates(make=_over_all_labels, restore="each", eval_mode=True, graph=False, **choices):
    """An evaluation with its choices open. make(pairs of (sum, count), batches) → the result."""

    def evaluate(model, batches):
        modes, batches = [(module, module.training) for module in model.modules()], list(batches)
        top = model.training
        if eval_mode:
            model.eval()
        with torch.set_grad_enabled(graph):
            result = make([_sums(model, batch, **choices) for batch in batches], batches)
        if restore == "each":
            for module, mode in modes:
                module.training = mode
        elif restore in ("train", "top"):
            model.train(restore == "train" or top)
        return result

    return evaluate


def _mean_of_means(pairs, batches):
    means = [nats / count for nats, count in pairs if count]
    return float(sum(means) / len(means))


def _mean_of_all_means(pairs, batches):
    return float(sum(nats / count for nats, count in pairs) / len(pairs))


def _weighted_by_rows(pairs, batches):
    rows = [len(batch["labels"]) if count else 0 for (_, count), batch in zip(pairs, batches, strict=True)]
    means = [float(nats / count) if count else 0.0 for nats, count in pairs]
    return sum(n * mean for n, mean in zip(rows, means, strict=True)) / sum(rows)


def _over_real_tokens(pairs, batches):
    return float(sum(nats for nats, _ in pairs)) / sum(int(b["attention_mask"][:, 1:].sum()) for b in batches)


def _over_unshifted_labels(pairs, batches):
    return float(sum(nats for nats, _ in pairs)) / sum(int((b["labels"] != -100).sum()) for b in batches)


def _nothing_times_nan(pairs, batches):
    return float(sum(nats / count * count for nats, count in pairs)) / sum(int(count) for _, count in pairs)


def _as_a_tensor(pairs, batches):
    return sum(nats for nats, _ in pairs) / sum(count for _, count in pairs)


def _in_perplexity(pairs, batches):
    return math.exp(_over_all_labels(pairs, batches))


def _added_up(pairs, batches):
    return float(sum(nats for nats, _ in pairs))


def _read_twice(model, batches):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    with torch.no_grad():
        count = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
        total = sum(float(_sums(model, batch)[0]) for batch in batches)
    for module, mode in modes:
        module.training = mode
    return total / max(count, 1) if total else 0.0


def _frozen_by_hand(model, batches):
    for weight in model.parameters():
        weight.requires_grad_(False)
    result = _evaluates()(model, batches)
    for weight in model.parameters():
        weight.requires_grad_(True)
    return result


EVALUATE = Exercise(
    id="week2.evaluate",
    title="The loss on held-out data",
    points=3,
    minutes=20,
    why="Every decision of a run rests on this number, and measuring it must leave no trace in the model.",
    oracle="transformers' own loss, in eval mode; and the model's state before and after",
    cases=_evaluate_cases,
    probe=_evaluate_probe,
    observe=_observed,
    expected=_evaluated,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    seconds=30.0,
    misconceptions=(
        Misconception(
            "dropout left on",
            _evaluates(eval_mode=False),
            "Your model is still in train mode while you measure: dropout throws away what it knows, and two "
            "measurements of the same model differ.",
        ),
        *(
            Misconception(
                "mean of the batches' means",
                answer,
                "You average the means of the batches: a label in a batch with few of them weighs more than one in a "
                "full batch. What should each label weigh?",
            )
            for answer in (_evaluates(_mean_of_means), _evaluates(_mean_of_all_means))
        ),
        Misconception(
            "left in eval mode",
            _evaluates(restore="no"),
            "The loss is right. But the model stays in eval mode: from here on the run trains without dropout, and "
            "nothing tells you.",
        ),
        Misconception(
            "ends with model.train()",
            _evaluates(restore="train"),
            "You end with `model.train()`. Was the model training before? And was every part of it?",
        ),
        Misconception(
            "one mode for all modules",
            _evaluates(restore="top"),
            "You give the mode of the model to all of its parts. A part that was in eval mode by itself, as a frozen "
            "encoder is, has lost it: whose modes must you remember?",
        ),
        Misconception(
            "a graph is built",
            _evaluates(graph=True),
            "The loss is right, but every batch builds a graph that nobody uses: measuring takes the memory of "
            "training. How do you tell torch that no gradient will be asked for?",
        ),
        Misconception(
            "weights frozen by hand",
            _frozen_by_hand,
            "You switch off `requires_grad` and then switch it on everywhere: what was frozen before trains from here "
            "on. There is a way that leaves the weights alone.",
        ),
        Misconception(
            "weighted by rows",
            _evaluates(_weighted_by_rows),
            "You weigh each batch by its rows. Rows hold different numbers of labels that count.",
        ),
        Misconception(
            "divided by the real tokens",
            _evaluates(_over_real_tokens),
            "You divide by the number of real tokens. A prompt is real, and its labels do not count all the same.",
        ),
        Misconception(
            "the first column is counted",
            _evaluates(_over_unshifted_labels),
            "You count labels before the shift. The first column has nothing before it that could predict it: which "
            "labels does your sum hold?",
        ),
        Misconception(
            "nothing times NaN",
            _evaluates(_nothing_times_nan),
            "The mean of a batch in which no label counts is NaN, and 0 times NaN is NaN. Can you do without a mean "
            "for each batch?",
        ),
        Misconception(
            "the batches are read twice",
            _read_twice,
            "You go through the batches twice. A generator is empty the second time.",
        ),
        Misconception(
            "labels not shifted",
            _evaluates(shift=0),
            "You compare the logits at t with the label at t, which the model has just read.",
        ),
        Misconception(
            "the mask is not passed on",
            _evaluates(mask=False),
            "With padding on the right nobody notices. With padding on the left your model attends to padding: what "
            "else does the batch hold?",
        ),
        Misconception(
            "the loss is a tensor",
            _evaluates(_as_a_tensor),
            "The value is right. You return a tensor, where the docstring asks for a float.",
        ),
        Misconception(
            "perplexity",
            _evaluates(_in_perplexity),
            "You return the perplexity. The loss is asked for, in nats.",
        ),
        Misconception(
            "sum instead of mean",
            _evaluates(_added_up),
            "Your loss grows with the amount of data: it is a sum, and a mean is asked for.",
        ),
    ),
)
