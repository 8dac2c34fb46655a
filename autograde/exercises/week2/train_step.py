"""week2.train_step: one update of the weights."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer
from autograde.exercises.week2.batches import batch


def _step_probe(target, inputs):
    import sys

    import torch

    if inputs["model"] == "Llama":
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=12, **sizes))
    else:
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=12, width=8, heads=2, seq_len=16, mlp_width=12))
    generator = torch.Generator().manual_seed(inputs["seed"])
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.4 + (weight.ndim == 1))
            if inputs["old gradients"]:
                weight.grad = torch.randn(weight.shape, generator=generator)
    if inputs["optimizer"] == "AdamW":
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.03, eps=1e-2)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    for i, module in enumerate(model.modules()):
        module.training = {"train": True, "eval": False, "some in eval": i % 3 != 1}[inputs["mode"]]

    def modes(of):
        return [module.training for module in of.modules()]

    def weights():
        return torch.cat([weight.detach().flatten() for weight in model.parameters()])

    class LibraryCall(RuntimeError):
        pass

    def note(module, _):
        seen["modes"].append(modes(module))
        frame = sys._getframe()
        while frame := frame.f_back:
            if frame.f_code.co_name == "train" and frame.f_globals.get("__name__") == "course.lab.training":
                raise LibraryCall("course.lab's own train does this exercise for you: write the step yourself")

    seen = {"results": [], "floats": [], "graphs": [], "modes": [modes(model)], "weights before": weights()}
    model.register_forward_pre_hook(note)
    for one in inputs["batches"]:
        result = target(model, one, optimizer)
        seen["results"].append(result)
        seen["floats"].append(isinstance(result, float))
        seen["graphs"].append(bool(getattr(result, "requires_grad", False)))
        seen["modes"].append(modes(model))
    return seen | {"weights after": weights()}


def _observed(inputs, seen):
    before, *later = seen["modes"]
    return {f"loss of step {i}": loss for i, loss in enumerate(seen["results"], 1)} | {
        "the graph is let go": not any(seen["graphs"]),
        "the loss is a float": all(seen["floats"]),
        "every module's mode is left alone": all(modes == before for modes in later),
        "way of the weights": seen["weights after"] - seen["weights before"],
    }


def _step_cases(rng):
    def case(name, model, optimizer, mode="train", old=False, left=False, steps=5):
        inputs = {
            "model": model,
            "seed": integer(rng, 0, 10_000),
            "optimizer": optimizer,
            "mode": mode,
            "old gradients": old,
            "batches": [batch(rng, integer(rng, 2, 4), integer(rng, 5, 8), left) for _ in range(steps)],
        }
        return Case(name, inputs)

    yield case("five steps of SGD, the lab's GPT", "GPT", "SGD")
    yield case("five steps of SGD, a Llama", "Llama", "SGD")
    yield case("five steps of AdamW, gradients left from before", "GPT", "AdamW", old=True)
    yield case("five steps of AdamW, padding on the left", "Llama", "AdamW", left=True, old=True)
    yield case("padding on the left, the lab's GPT", "GPT", "SGD", left=True)
    yield case("a model that its caller keeps in eval mode", "GPT", "SGD", mode="eval")
    yield case("some modules in eval mode", "Llama", "SGD", mode="some in eval", old=True)


def _reference_step(model, batch, optimizer):
    """With transformers' own loss for causal language models, as its Trainer calls it."""
    from transformers.loss.loss_utils import ForCausalLMLoss

    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    loss = ForCausalLMLoss(logits, batch["labels"], vocab_size=logits.shape[-1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _trace(inputs):
    return _observed(inputs, _step_probe(_reference_step, inputs))


def _loss(model, batch, shift=1, mask=True):
    """→ the loss of each label that counts, and which do: (B, T - shift) both."""
    given = {"attention_mask": batch["attention_mask"]} if mask else {}
    logits, labels = model(input_ids=batch["input_ids"], **given).logits, batch["labels"]
    if shift:
        logits, labels = logits[:, :-shift], labels[:, shift:]
    return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none"), labels != -100


def _mean(model, batch, **choices):
    losses, counts = _loss(model, batch, **choices)
    return losses.sum() / counts.sum()


def _stepped(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _no_zero_grad(model, batch, optimizer):
    loss = _mean(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def _zero_grad_at_the_end(model, batch, optimizer):
    loss = _no_zero_grad(model, batch, optimizer)
    optimizer.zero_grad()
    return loss


def _zero_grad_before_step(model, batch, optimizer):
    loss = _mean(model, batch)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def _never_steps(model, batch, optimizer):
    optimizer.zero_grad()
    loss = _mean(model, batch)
    loss.backward()
    return loss.item()


def _steps_first(model, batch, optimizer):
    loss = _mean(model, batch)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


def _steps_before_the_loss(model, batch, optimizer):
    optimizer.step()
    optimizer.zero_grad()
    loss = _mean(model, batch)
    loss.backward()
    return loss.item()


def _zeroes_and_steps_first(model, batch, optimizer):
    optimizer.zero_grad()
    optimizer.step()
    loss = _mean(model, batch)
    loss.backward()
    return loss.item()


def _no_backward(model, batch, optimizer):
    loss = _mean(model, batch)
    optimizer.step()
    return loss.item()


def _keeps_the_graph(model, batch, optimizer):
    loss = _mean(model, batch)
    _stepped(loss, optimizer)
    return loss


def _a_tensor(model, batch, optimizer):
    return _keeps_the_graph(model, batch, optimizer).detach()


def _loss_after_the_update(model, batch, optimizer):
    _stepped(_mean(model, batch), optimizer)
    with torch.no_grad():
        return _mean(model, batch).item()


def _no_shift(model, batch, optimizer):
    return _stepped(_mean(model, batch, shift=0), optimizer)


def _two_shifts(model, batch, optimizer):
    return _stepped(_mean(model, batch, shift=2), optimizer)


def _sets_train_mode(model, batch, optimizer):
    model.train()
    return _stepped(_mean(model, batch), optimizer)


def _mask_not_passed(model, batch, optimizer):
    return _stepped(_mean(model, batch, mask=False), optimizer)


def _mean_over_all_places(model, batch, optimizer):
    return _stepped(_loss(model, batch)[0].mean(), optimizer)


def _mean_over_real_tokens(model, batch, optimizer):
    return _stepped(_loss(model, batch)[0].sum() / batch["attention_mask"][:, 1:].sum(), optimizer)


def _mean_of_rows(model, batch, optimizer):
    losses, counts = _loss(model, batch)
    return _stepped((losses.sum(1) / counts.sum(1)).mean(), optimizer)


def _summed(model, batch, optimizer):
    return _stepped(_loss(model, batch)[0].sum(), optimizer)


def _trains_on_everything(model, batch, optimizer):
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    return _stepped(_mean(model, batch | {"labels": labels}), optimizer)


TRAIN_STEP = Exercise(
    id="week2.train_step",
    title="One update of the weights",
    points=3,
    minutes=18,
    why="All of training is this function, called again and again; each of its lines can be wrong without an error.",
    oracle="the trace of five steps with transformers' own loss and torch.optim",
    cases=_step_cases,
    probe=_step_probe,
    observe=_observed,
    expected=_trace,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    seconds=30.0,
    misconceptions=(
        Misconception(
            "gradients are never zeroed",
            _no_zero_grad,
            "`backward` adds to what is in `.grad`: each of your updates still carries the gradients of all batches "
            "before it. Who empties them?",
        ),
        Misconception(
            "gradients are zeroed too late",
            _zero_grad_at_the_end,
            "You empty the gradients after the update. That serves your own steps, and not the first one: what if "
            "somebody else has left gradients there?",
        ),
        *(
            Misconception(
                "the weights never move",
                answer,
                "The weights are the same after five steps as before. At the moment in which the optimizer steps, "
                "which gradients are there? Does it step at all?",
            )
            for answer in (_zero_grad_before_step, _never_steps, _zeroes_and_steps_first)
        ),
        *(
            Misconception(
                "step before backward",
                answer,
                "Your optimizer steps before `backward` has run: each update uses the gradients of the batch before. "
                "Put the lines into the order in which one needs the other.",
            )
            for answer in (_steps_first, _steps_before_the_loss)
        ),
        Misconception(
            "no backward",
            _no_backward,
            "Nothing in your function computes a gradient: the optimizer steps along whatever was there.",
        ),
        Misconception(
            "the loss keeps its graph",
            _keeps_the_graph,
            "You return a tensor that still holds the graph of its step: whoever collects such losses keeps every "
            "activation alive, until the memory is full. The docstring asks for a float.",
        ),
        Misconception(
            "the loss is a tensor",
            _a_tensor,
            "The update is right, and the graph is let go. But you return a tensor, where the docstring asks for a "
            "float.",
        ),
        Misconception(
            "the loss after the update",
            _loss_after_the_update,
            "The weights are right. You return the loss that the batch has after the update, which costs a second "
            "forward pass and looks better than the model was.",
        ),
        Misconception(
            "labels not shifted",
            _no_shift,
            "You compare the logits at t with the label at t, which the model has just read. These labels are not "
            "shifted: who does it?",
        ),
        Misconception(
            "shifted twice",
            _two_shifts,
            "You compare the logits at t with the label at t + 2. Count how often you shift.",
        ),
        Misconception(
            "sets the mode itself",
            _sets_train_mode,
            "The update is right, but you switch the model to train mode. A caller may have put it, or a part of it, "
            "into eval mode on purpose: then dropout starts to act behind their back.",
        ),
        Misconception(
            "the mask is not passed on",
            _mask_not_passed,
            "With padding on the right nobody notices. With padding on the left your model attends to padding: what "
            "else does the batch hold?",
        ),
        Misconception(
            "ignored places in the mean",
            _mean_over_all_places,
            "You add up the right losses and divide by all places, ignored ones too. Which number belongs below?",
        ),
        Misconception(
            "the mean over real tokens",
            _mean_over_real_tokens,
            "You divide by the number of real tokens. A prompt is real, and its labels do not count all the same.",
        ),
        Misconception(
            "mean of the rows' means",
            _mean_of_rows,
            "You average each row, then the rows: a token in a short row then weighs more than one in a long row.",
        ),
        Misconception(
            "sum instead of mean",
            _summed,
            "Your loss grows with the number of tokens, and so does every update: it is a sum, and the loss is a mean.",
        ),
        Misconception(
            "prompts are trained on",
            _trains_on_everything,
            "Your loss counts every real token, prompts too. Which tokens count is said by the labels.",
        ),
    ),
)
