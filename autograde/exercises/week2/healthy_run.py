"""week2.healthy_run: the loop that the five patients of the clinic were meant to be."""

import copy
import itertools

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers, uniform

DRAWN, VOCABULARY = 4, 12  # rows of a batch; ids


def _run_probe(target, inputs):
    import sys

    import torch

    if inputs["model"] == "Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=12, **sizes))
    else:
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=12, width=8, heads=2, seq_len=48, mlp_width=12))
    generator = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4 + (weight.ndim == 1))
            if inputs["old gradients"]:
                weight.grad = torch.randn(weight.shape, generator=generator)
    for i, module in enumerate(model.modules()):
        module.training = not inputs["some in eval mode"] or i % 3 != 1

    def modes():
        return [module.training for module in model.modules()]

    def weights():
        return torch.cat([weight.detach().flatten() for weight in model.parameters()])

    class LibraryCall(RuntimeError):
        pass

    def note(module, args, kwargs):
        ids = kwargs.get("input_ids", args[0] if args else None)
        mask = kwargs.get("attention_mask", args[1] if len(args) > 1 else None)
        seen["positions"].append(ids.numel())
        seen["real"].append(ids.numel() if mask is None else int(mask.bool().sum()))
        frame = sys._getframe()
        while frame := frame.f_back:
            if frame.f_code.co_name == "train" and frame.f_globals.get("__name__") == "course.lab.training":
                raise LibraryCall("course.lab's own train does this exercise for you: write the loop yourself")

    rows = [(list(ids), list(labels)) for ids, labels in inputs["rows"]]
    seen = {"positions": [], "real": [], "modes": modes(), "weights before": weights()}
    model.register_forward_pre_hook(note, with_kwargs=True)
    draws = torch.Generator().manual_seed(inputs["draws"])
    result = target(model, rows, inputs["steps"], inputs["lr"], draws)
    return seen | {
        "losses": result,
        "floats": isinstance(result, list) and all(isinstance(loss, float) for loss in result),
        "weights after": weights(),
        "modes after": modes(),
        "rows": [[list(part) for part in row] for row in rows],
    }


def _batches(inputs):
    """The rows of each step, as the docstring has them drawn."""
    draws = torch.Generator().manual_seed(inputs["draws"])
    return [
        [inputs["rows"][i] for i in torch.randint(len(inputs["rows"]), (DRAWN,), generator=draws).tolist()]
        for _ in range(inputs["steps"])
    ]


def _places(picked):
    return len(picked) * max(len(ids) for ids, _ in picked)


def _counted(picked):
    return sum(label != -100 for _, labels in picked for label in labels[1:])


def _observed(inputs, seen):
    losses = seen["losses"] if isinstance(seen["losses"], list | tuple) else [seen["losses"]]
    return {f"loss {i}": loss for i, loss in enumerate(losses, 1)} | {
        "a list of floats": seen["floats"],
        "no more positions than the longest of four needs": sum(seen["positions"])
        <= sum(_places(picked) for picked in _batches(inputs)),
        "no padding taken for real": sum(seen["real"])
        <= sum(len(ids) for ids, _ in itertools.chain(*_batches(inputs))),
        "every module's mode is left alone": seen["modes"] == seen["modes after"],
        "the rows are left alone": seen["rows"] == [[list(part) for part in row] for row in inputs["rows"]],
        "way of the weights": seen["weights after"] - seen["weights before"],
    }


def _row(rng, length, prompt):
    ids = integers(rng, 0, VOCABULARY - 1, length).tolist()
    return [ids, [-100] * prompt + ids[prompt:]]


def _run_cases(rng):
    def case(name, model, rows, steps=5, empty=0, old=False, some_in_eval=False):
        inputs = {
            "model": model,
            "seed": integer(rng, 0, 10_000),
            "rows": rows,
            "steps": steps,
            "lr": uniform(rng, 0.02, 0.05),
            "old gradients": old,
            "some in eval mode": some_in_eval,
        }
        for draws in range(integer(rng, 0, 10_000), 1_000_000):  # until as many batches as wanted hold no label
            inputs["draws"] = draws
            counted = [_counted(picked) > 0 for picked in _batches(inputs)]
            wide = [_places(picked) for picked in _batches(inputs)]
            asked = [any(labels[0] != -100 for _, labels in p) for p in _batches(inputs) if not _counted(p)]
            fits = counted.count(False) == empty and counted[0] and counted[-1] and asked.count(True) == min(empty, 1)
            if fits and min(wide) < max(wide) * 0.9:
                return Case(name, inputs)

    def lines(n=12):
        return [_row(rng, integer(rng, 3, 12), integer(rng, 0, 1)) for _ in range(n)]

    def prompts(n=12):
        """Two in three hold no label that counts: the prompt is all that was left of them, or a first label, which no
        place predicts.
        """
        rows = [_row(rng, length, length if i % 3 else 2) for i, length in enumerate(integers(rng, 4, 10, n).tolist())]
        for ids, labels in rows[1::3]:
            labels[0] = ids[0]
        return rows

    yield case("the lab's GPT", "GPT", lines())
    yield case("a Llama", "Llama", lines())
    yield case("one batch without a label, the lab's GPT", "GPT", prompts(), steps=6, empty=1)
    yield case("two batches without a label, a Llama", "Llama", prompts(), steps=7, empty=2)
    yield case("one row is very long", "GPT", [*lines(9), _row(rng, 40, 0)])
    yield case("gradients left from before", "GPT", lines(), old=True)
    yield case("some modules in eval mode", "Llama", lines(), some_in_eval=True, old=True)


def _padded(picked, width=None):
    width = width or max(len(ids) for ids, _ in picked)

    def fill(parts, filler):
        return torch.tensor([list(part) + [filler] * (width - len(part)) for part in parts])

    return {
        "input_ids": fill([ids for ids, _ in picked], 0),
        "attention_mask": fill([[1] * len(ids) for ids, _ in picked], 0),
        "labels": fill([labels for _, labels in picked], -100),
    }


def _reference_run(model, rows, steps, lr, generator):
    """With transformers' own loss for causal language models, as its Trainer calls it."""
    from transformers.loss.loss_utils import ForCausalLMLoss

    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=lr), []
    for _ in range(steps):
        picked = [rows[i] for i in torch.randint(len(rows), (DRAWN,), generator=generator).tolist()]
        if not _counted(picked):
            continue
        batch = _padded(picked)
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        loss = ForCausalLMLoss(logits, batch["labels"], vocab_size=logits.shape[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _trace(inputs):
    return _observed(inputs, _run_probe(_reference_run, inputs))


def _loss(model, batch, shift=1):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    labels = batch["labels"][:, shift:]
    return F.cross_entropy(logits[:, : labels.shape[1]].transpose(1, 2), labels, reduction="none"), labels != -100


def _mean(model, batch):
    nats, counts = _loss(model, batch)
    return nats.sum() / counts.sum()


def _masked_by_hand(model, batch):
    """0/0 with a gradient of NaN where nothing counts."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    labels = batch["labels"][:, 1:]
    nats = F.cross_entropy(logits.transpose(1, 2), labels.clamp(min=0), reduction="none")
    return (nats * (labels != -100)).sum() / (labels != -100).sum()


def _mean_of_rows(model, batch):
    nats, counts = _loss(model, batch)
    rows = counts.any(1)
    return (nats.sum(1)[rows] / counts.sum(1)[rows]).mean()


def _all_places(model, batch):
    return _loss(model, batch)[0].mean()


def _not_shifted(model, batch):
    nats, counts = _loss(model, batch, shift=0)
    return nats.sum() / counts.sum()


def _looping(
    loss_of=_mean,
    empty="skip",
    zero="before",
    width=None,
    again=False,
    copied=False,
    adam=torch.optim.AdamW,
    keep=float,
):
    """The loop with its choices open.

    empty: what a batch without labels does, "skip", "update" or "zero"; "asked unshifted" skips it by the unshifted
    labels. zero: "before" backward, "after" the step or "never". width(rows): to which all batches are padded. again:
    the generator starts anew in each step. copied: the optimizer holds another model's weights. keep: what is kept of
    a loss.
    """

    def healthy_run(model, rows, steps, lr, generator):
        optimizer, losses, start = adam(model.parameters(), lr=lr), [], generator.get_state()
        if copied:
            model = copy.deepcopy(model)
        for _ in range(steps):
            if again:
                generator.set_state(start)
            picked = [rows[i] for i in torch.randint(len(rows), (DRAWN,), generator=generator).tolist()]
            batch = _padded(picked, width and width(rows))
            if empty == "skip" and not _counted(picked):
                continue
            if empty == "asked unshifted" and (batch["labels"] == -100).all():
                continue
            if empty == "zero" and not _counted(picked):
                losses.append(0.0)
                continue
            loss = loss_of(model, batch)
            if zero == "before":
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if zero == "after":
                optimizer.zero_grad()
            losses.append(loss.item() if keep is float else keep(loss))
        return losses

    return healthy_run


def _longest_of_all(rows):
    return max(len(ids) for ids, _ in rows)


HEALTHY_RUN = Exercise(
    id="week2.healthy_run",
    title="A loop without the five diseases",
    points=4,
    minutes=25,
    why="Each part may be right and the loop around them wrong: this one is measured from outside, as patients are.",
    oracle="the trace of a loop with transformers' own loss and torch.optim, and what the model was asked to compute",
    cases=_run_cases,
    probe=_run_probe,
    observe=_observed,
    expected=_trace,
    tolerance=Tolerance(rtol=1e-3, atol=2e-4),
    seconds=30.0,
    misconceptions=(
        Misconception(
            "an empty batch makes every weight NaN",
            _looping(_masked_by_hand, empty="update"),
            "From one batch on nothing is a number any more, weights included. How many labels count in that batch, "
            "and what is a mean over them?",
        ),
        Misconception(
            "an update on an empty batch",
            _looping(empty="update"),
            "One of your losses is NaN, and the weights survive it. But they have moved in that step too, though the "
            "batch asked for nothing: AdamW remembers the batches before.",
        ),
        Misconception(
            "the first label counted",
            _looping(empty="asked unshifted"),
            "You ask whether any label counts before you shift them. The first label of a row is predicted by no "
            "place: in one of your batches it is the only one.",
        ),
        Misconception(
            "an empty batch reported as zero",
            _looping(empty="zero"),
            "A batch in which nothing counts stands in your list as a loss of 0, the best loss of all. It has none.",
        ),
        Misconception(
            "the weights never move",
            _looping(copied=True),
            "The weights of the model that you were given are where they were. Whose weights does your optimizer hold, "
            "and what lies in their `.grad` when it steps?",
        ),
        Misconception(
            "the same rows again and again",
            _looping(again=True),
            "How many different rows has your run seen at its end? It seems to draw the same four in each step.",
        ),
        Misconception(
            "old gradients are never cleared",
            _looping(zero="never"),
            "Compare what lies in `.grad` with the gradient of this batch alone: yours grows from step to step.",
        ),
        Misconception(
            "gradients are cleared too late",
            _looping(zero="after"),
            "Your first update follows gradients that were there before your run began.",
        ),
        Misconception(
            "padded to the longest of all rows",
            _looping(width=_longest_of_all),
            "The losses are right, but the model is asked to compute far more positions than these four rows need.",
        ),
        Misconception(
            "the mask is not passed on",
            _looping(lambda model, batch: _mean(model, batch | {"attention_mask": None})),
            "With padding on the right a causal model gives the same losses without a mask, or with one of ones alone. "
            "But a model cannot know on which side you pad: tell it which places are real.",
        ),
        Misconception(
            "mean of the rows' means",
            _looping(_mean_of_rows),
            "You average each row, then the rows: a label in a short row then weighs more than one in a long row.",
        ),
        Misconception(
            "ignored places in the mean",
            _looping(_all_places),
            "You add up the right losses and divide by all places, padding and prompts too.",
        ),
        Misconception(
            "labels not shifted",
            _looping(_not_shifted),
            "You compare the logits at t with the label at t, which the model has just read.",
        ),
        Misconception(
            "another optimizer",
            _looping(adam=torch.optim.Adam),
            "Nearly right in everything: your weights are a little larger than they should be. Which optimizer, with "
            "which defaults, does the docstring name?",
        ),
        Misconception(
            "losses that keep their graph",
            _looping(keep=lambda loss: loss),
            "Your list holds tensors with the graph of every step: whoever trains for long runs out of memory.",
        ),
    ),
)
