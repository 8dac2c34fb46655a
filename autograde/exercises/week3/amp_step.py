"""week3.amp_step: a training step in mixed precision, in the right order."""

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers, uniform

_VOCABULARY = 13


def _amp_probe(target, inputs):
    """Several steps with a scaler that keeps a record of its calls, on a model whose hooks see dtypes and autocast."""
    import math
    import traceback

    import torch

    calls, flags, dtypes = [], [], []

    class Recorder(torch.amp.GradScaler):
        def scale(self, outputs):
            calls.append("scale")
            return super().scale(outputs)

        def unscale_(self, optimizer):
            calls.append("unscale_")
            return super().unscale_(optimizer)

        def step(self, optimizer, *args, **kwargs):
            calls.append("step")
            return super().step(optimizer, *args, **kwargs)

        def update(self, new_scale=None):
            calls.append("update")
            return super().update(new_scale)

    rng = torch.Generator().manual_seed(inputs["seed"])
    if inputs["model"] == "gpt":
        from course.lab.gpt import GPT, GPTConfig

        model = GPT(GPTConfig(vocab_size=13, width=8, heads=2, mlp_width=12, seq_len=12), rng)
    else:
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=13, **sizes))
    with torch.no_grad():  # the same numbers for every model: norms at 1
        for parameter in model.parameters():
            drawn = 0.4 * torch.randn(parameter.shape, generator=rng)
            parameter.copy_(drawn if parameter.ndim > 1 else torch.ones_like(parameter))
    optimizer = torch.optim.SGD(model.parameters(), lr=inputs["lr"], momentum=inputs["momentum"])
    first, scale, interval = next(model.parameters()), inputs["init_scale"], inputs["growth_interval"]
    scaler, number = Recorder("cpu", init_scale=scale, growth_interval=interval), 0

    def look(gradient):
        flags.append(torch.is_autocast_enabled("cpu"))

    def overflow(gradient):
        return torch.full_like(gradient, math.inf) if number in inputs["overflows"] else gradient

    for parameter in model.parameters():
        parameter.register_hook(look)
    first.register_hook(overflow)
    model.register_forward_hook(lambda module, given, output: dtypes.append(output.logits.dtype))

    def snapshot():
        return torch.cat([p.detach().float().flatten() for p in model.parameters()])

    weights, steps = [snapshot()], []
    for number, batch in enumerate(inputs["batches"]):
        for record in (calls, flags, dtypes):
            record.clear()
        try:
            loss = target(model, batch, optimizer, scaler, inputs["max_norm"])
        except Exception as error:  # what the scaler itself complains of, told apart from all else that may go wrong
            if not traceback.extract_tb(error.__traceback__)[-1].filename.endswith("grad_scaler.py"):
                raise
            told = type(f"{type(error).__name__}OfTheScalerInStep{number + 1}", (Exception,), {})
            raise told(str(error)).with_traceback(error.__traceback__) from None
        left = [float(p.grad.abs().max()) for p in model.parameters() if p.grad is not None]
        steps.append(
            {
                "loss": loss,
                "the loss keeps its graph": bool(getattr(loss, "requires_grad", False)),
                "calls of the scaler": list(calls),
                "logits": list(dtypes),
                "autocast in backward": list(flags),
                "gradients left": left,
                "scale": scaler.get_scale(),
            }
        )
        weights.append(snapshot())
    names = sorted({str(p.dtype).removeprefix("torch.") for p in model.parameters()})
    return {"steps": steps, "weights": weights, "parameters": names}


def _observed(inputs, seen):
    """Updates in place of weights, in units of the gradient; yes and no in place of records."""
    unit = inputs["lr"] * min(inputs["max_norm"], 1.0)
    updates = [(new - old) / unit for old, new in zip(seen["weights"], seen["weights"][1:], strict=False)]
    steps = []
    for step, update in zip(seen["steps"], updates, strict=True):
        flags, left = step.pop("autocast in backward"), step.pop("gradients left")
        looked = {"autocast in backward": any(flags), "gradients are cleared": not any(left)}
        steps.append({**step, **looked, "update": update})
    return {"steps": steps, "parameters": seen["parameters"]}


def _batch(rng, rows=3, length=8, right=False, left=False, prompt=False):
    ids = integers(rng, 0, _VOCABULARY - 1, rows, length)
    mask = torch.ones_like(ids)
    for row in range(1, rows):
        pads = min(length - 3, row + integer(rng, 1, 2))
        if right:
            mask[row, length - pads :] = 0
        if left:
            mask[row, :pads] = 0
    labels = ids.masked_fill(mask == 0, -100)
    if prompt:
        labels[0, : integer(rng, 3, 5)] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _amp_cases(rng):
    def case(name, model, steps, max_norm, overflows=(), padding=None, momentum=0.0, scale=65536.0, interval=2):
        padding = {padding: True} if padding else {}
        inputs = {"model": model, "batches": [_batch(rng, **padding) for _ in range(steps)], "max_norm": max_norm}
        settings = {"init_scale": scale, "growth_interval": interval, "overflows": list(overflows)}
        inputs |= {"lr": 0.1, "momentum": momentum, "seed": integer(rng, 0, 10**6)}
        return Case(name, {**inputs, **settings})

    yield case("gradients below max_norm", "gpt", 2, uniform(rng, 40, 60))
    yield case("gradients above max_norm", "gpt", 3, uniform(rng, 0.2, 0.3))
    yield case("an overflow in the second step", "gpt", 4, 50.0, overflows=[1], momentum=0.9)
    yield case("an overflow, with clipping", "gpt", 3, uniform(rng, 0.2, 0.3), overflows=[0])
    yield case("a scale that grows", "gpt", 3, 50.0, scale=1000.0, interval=1)
    yield case("padding on the right", "gpt", 2, 50.0, padding="right")
    yield case("padding on the left", "gpt", 2, uniform(rng, 0.2, 0.3), padding="left")
    yield case("a prompt that does not count", "gpt", 2, 50.0, padding="prompt")
    yield case("a Llama of transformers", "llama", 3, uniform(rng, 0.2, 0.3), overflows=[1])
    yield case("a Llama, padding on the left", "llama", 2, 50.0, padding="left")


def _amp(
    *order,
    autocast=True,
    dtype=None,
    inside=False,
    shift=True,
    mask=True,
    rows=False,
    result=lambda loss, scaler: loss.item(),
    prepare=lambda model: None,
):
    """A step with its order and its choices open; `order` is in the words of `act`."""

    def amp_step(model, batch, optimizer, scaler, max_norm):
        def act(word):
            if word in ("scale", "plain"):
                (scaler.scale(loss) if word == "scale" else loss).backward()
            elif word == "unscale":
                scaler.unscale_(optimizer)
            elif word == "divide":
                for parameter in model.parameters():
                    parameter.grad /= scaler.get_scale()
            elif word == "clip":
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            elif word == "step":
                scaler.step(optimizer)
            elif word == "optimizer":
                optimizer.step()
            elif word == "update":
                scaler.update()
            else:
                optimizer.zero_grad()

        prepare(model)
        words = list(order)
        if words[0] == "clear":
            act(words.pop(0))
        with torch.autocast("cpu", dtype=dtype, enabled=autocast):
            given = {"attention_mask": batch["attention_mask"]} if mask else {}
            logits = model(input_ids=batch["input_ids"], **given).logits.float()
            logits, labels = (logits[:, :-1], batch["labels"][:, 1:]) if shift else (logits, batch["labels"])
            loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
            if rows:
                loss = torch.stack([F.cross_entropy(*row, ignore_index=-100) for row in zip(logits, labels)]).mean()  # noqa: B905
            if inside:
                act(words.pop(0))
        for word in words:
            act(word)
        return result(loss, scaler)

    return amp_step


_REST = ("unscale", "clip", "step", "update", "clear")
_reference = _amp("scale", *_REST)

AMP_STEP = Exercise(
    id="week3.amp_step",
    title="A training step in mixed precision",
    points=3,
    minutes=20,
    why="Seven calls in one order; most of the other orders train too, only worse.",
    oracle="the trace of a step under torch.autocast with torch.amp.GradScaler",
    cases=_amp_cases,
    probe=_amp_probe,
    observe=_observed,
    expected=lambda inputs: _observed(inputs, _amp_probe(_reference, inputs)),
    tolerance=Tolerance(rtol=5e-3, atol=4e-3),
    misconceptions=(
        *(
            Misconception(
                "clips before unscaling",
                _amp("scale", *order, "update", "clear"),
                "You clip gradients that are still multiplied by the scale: their norm is tens of thousands of times "
                "too large, so every step is clipped, and the true gradient ends up far below `max_norm`.",
            )
            for order in (("clip", "unscale", "step"), ("clip", "step"))
        ),
        Misconception(
            "backward under autocast",
            _amp("scale", *_REST, inside=True),
            "Your backward pass runs inside the autocast block. Its operations take the dtypes that forward chose for "
            "them; let the block end before it.",
        ),
        Misconception(
            "update forgotten",
            _amp("scale", "unscale", "clip", "step", "clear"),
            "The scaler complains in the second step: it was never told that the first one is over. Which call ends "
            "an iteration, and moves the scale?",
        ),
        *(
            Misconception(
                "a call at the wrong time",
                _amp("scale", *order, "clear"),
                "The scaler complains in the very first step, and its words name the call that came at the wrong time. "
                "Each of its calls has one place in an iteration.",
            )
            for order in (
                ("unscale", "clip", "unscale", "step", "update"),
                ("step", "unscale", "clip", "update"),
                ("unscale", "clip", "step", "step", "update"),
            )
        ),
        Misconception(
            "the scaler left out of backward",
            _amp("plain", *_REST),
            "backward() starts from the plain loss, and afterwards the gradients are divided by a scale that they were "
            "never multiplied by.",
        ),
        Misconception(
            "divided by hand and by the scaler",
            _amp("scale", "divide", "clip", "step", "update", "clear"),
            "You divide by the scale yourself. The scaler does not know that, and divides again in its step.",
        ),
        Misconception(
            "the optimizer steps by itself",
            _amp("scale", "unscale", "clip", "optimizer", "update", "clear"),
            "You step the optimizer directly. Then nobody looks whether the gradients are finite, and one overflow "
            "turns the weights into NaN.",
        ),
        Misconception(
            "not clipped",
            _amp("scale", "unscale", "step", "update", "clear"),
            "Your updates are larger than `max_norm` allows. The gradients are never clipped.",
        ),
        Misconception(
            "no autocast",
            _amp("scale", *_REST, autocast=False),
            "Your logits are float32: nothing ran in 16 bits.",
        ),
        Misconception(
            "float16 on a CPU",
            _amp("scale", *_REST, dtype=torch.float16),
            "You ask autocast for float16. See the docstring: the device has a default of its own.",
        ),
        *(
            Misconception(
                "the model converted",
                _amp("scale", *_REST, prepare=prepare),
                "You convert the model itself to 16 bits. Then its weights lose small updates, and a scaler refuses "
                "float16 gradients. Autocast leaves the parameters in float32 and chooses for each *operation*.",
            )
            for prepare in (lambda model: model.half(), lambda model: model.bfloat16())
        ),
        Misconception(
            "gradients not cleared",
            _amp("scale", "unscale", "clip", "step", "update"),
            "The gradients of one step are still there in the next, which adds to them.",
        ),
        Misconception(
            "cleared at the beginning",
            _amp("clear", "scale", "unscale", "clip", "step", "update"),
            "The updates are right, but your gradients stay until the next call. They take as much memory as the "
            "weights; the docstring asks that none be left.",
        ),
        Misconception(
            "cleared before the step",
            _amp("scale", "unscale", "clip", "clear", "step", "update"),
            "You clear the gradients before the step, which then has nothing to apply.",
        ),
        Misconception(
            "the scaled loss returned",
            _amp("scale", *_REST, result=lambda loss, scaler: loss.item() * scaler.get_scale()),
            "The step is right, but the loss that you return is multiplied by the scale.",
        ),
        Misconception(
            "the loss keeps its graph",
            _amp("scale", *_REST, result=lambda loss, scaler: loss),
            "You return a tensor that still holds the step's graph. A float was asked for.",
        ),
        Misconception(
            "labels not shifted",
            _amp("scale", *_REST, shift=False),
            "You compare position t with label t, which the model has just read. These labels are not shifted.",
        ),
        Misconception(
            "the mask left out",
            _amp("scale", *_REST, mask=False),
            "The model never sees `attention_mask`: where the padding is on the left, real tokens read it.",
        ),
        Misconception(
            "mean of the rows' means",
            _amp("scale", *_REST, rows=True),
            "You average each row, then the rows: a label in a short row weighs more than one in a long row.",
        ),
    ),
)
