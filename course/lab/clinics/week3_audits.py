"""The runs and measurements behind week 3's audits: NaN in float16, the loss scale, and what autocast really casts."""

import copy
import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from course.lab import gradients, plots, precision, text, training
from course.lab.demos.week1 import trained


def half_run(lr: float = 1e-2, max_norm: float | None = None, eps: float = 1e-8, steps: int = 20) -> str:
    """Trains the tiny model with every number in float16 and torch's AdamW; says how it went."""
    model = training.tiny_model().half()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, eps=eps)
    with training.one_thread():
        for step, batch in enumerate(itertools.islice(training.tiny_batches(16), steps), 1):
            optimizer.zero_grad()
            loss = training.loss(model, batch)
            if not loss.isfinite():
                return f"dead at step {step}"
            loss.backward()
            if max_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
    return f"alive after {steps} steps"


def post_mortem(eps: float = 1e-8) -> None:
    """Takes the first step of `half_run` apart, in the order in which it is computed: where is the first NaN or inf?"""
    model = training.tiny_model().half()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, eps=eps)
    with training.one_thread():
        loss = training.loss(model, next(training.tiny_batches(16)))
        loss.backward()
        found = {"gradients g": torch.cat([p.grad.flatten() for p in model.parameters()])}
        optimizer.step()
    state = [optimizer.state[p] for p in model.parameters()]
    found["their mean m, at first .1 g"] = torch.cat([one["exp_avg"].flatten() for one in state])
    found["mean square v, at first .001 g²"] = torch.cat([one["exp_avg_sq"].flatten() for one in state])
    found["weights after the step"] = torch.cat([p.detach().flatten() for p in model.parameters()])
    print(f"loss {loss.item():.3f}; eps = {eps:g} is {torch.tensor(eps).half().item():.2g} in float16")
    head = f"of {len(found['gradients g']):,} numbers"
    print(f"{head:34}{'largest':>9}{'zeros':>9}{'NaN or inf':>12}")
    for name, values in found.items():
        good = values[values.isfinite()]
        bad = len(values) - len(good)
        print(f"{name:34}{good.abs().max().item():9.2g}{int((values == 0).sum()):9,}{bad:12,}")


def one_update(lr: float, rows: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """(weights, updates), each (N,) in float32: the trained tiny model, and what one AdamW step at `lr` adds to it."""
    model = copy.deepcopy(trained())
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    before = torch.cat([p.detach().flatten() for p in model.parameters()])
    with training.one_thread():
        training.loss(model, next(training.tiny_batches(rows, 1))).backward()
        optimizer.step()
    return before, torch.cat([p.detach().flatten() for p in model.parameters()]) - before


def late_gradients(rows: int = 16) -> dict[str, tuple[float, float]]:
    """{run: (cosine with float32's gradient, error as a share of it)} of the weights' gradient after 300 steps, when
    most gradients at the logits lie below float16's range.
    """
    model, batch = copy.deepcopy(trained()), next(text.batches("train", rows, 64, training.generator(0, 7)))

    def gradient(dtype, scale):
        model.zero_grad()
        with training.one_thread():
            with precision.autocast(dtype):
                loss = training.loss(model, batch)
            (loss * scale).backward()
        return gradients.gradient(model) / scale

    true = gradient(torch.float32, 1.0)
    runs = {"float16, no scale": (torch.float16, 1.0), "float16, scale 2^16": (torch.float16, 2.0**16)}
    found = {name: gradient(*run) for name, run in (runs | {"bfloat16, no scale": (torch.bfloat16, 1.0)}).items()}
    return {name: (gradients.cosine(one, true), gradients.error(one, true)) for name, one in found.items()}


def trained_at(step: Callable, scale: float, dtype: torch.dtype = torch.float16, steps: int = 30) -> float:
    """Trains the tiny model under autocast to `dtype` by `step(model, loss, optimizer, scale)`.

    Returns the mean of its last 10 losses, in nats per byte, or NaN where the weights ceased to be numbers.
    """
    model, losses = training.tiny_model(), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with training.one_thread():
        for batch in itertools.islice(training.tiny_batches(16), steps):
            with precision.autocast(dtype):
                loss = training.loss(model, batch)
            losses.append(float(step(model, loss, optimizer, scale)))
            if not all(p.isfinite().all() for p in model.parameters()):
                return math.nan
    return sum(losses[-10:]) / 10


def sweep(step: Callable, exponents=range(-20, 21, 4)) -> tuple[dict[int, float], float]:
    """({k: where a float16 run ends with the loss scale 2**k, NaN where it died}, where float32 ends without one).

    Draws them, and bfloat16 beside them; losses in nats per byte.
    """
    found = {k: trained_at(step, 2.0**k) for k in exponents}
    others = {k: trained_at(step, 2.0**k, torch.bfloat16) for k in (min(exponents), 0, max(exponents))}
    plain = trained_at(step, 1.0, torch.float32)
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Loss scale, as a power of two", "Loss at the end (nats per byte)", "One fixed scale for each run")
    ax.plot(*plots.finite(others, others.values()), "s", color=plots.ORANGE, ms=11, label="autocast to bfloat16")
    ax.plot(*plots.finite(found, found.values()), "o-", color=plots.BLUE, lw=2.5, ms=7, label="autocast to float16")
    dead = [k for k, loss in found.items() if not math.isfinite(loss)]
    top = [math.log(text.VOCAB_SIZE)] * len(dead)
    ax.plot(dead, top, "X", color=plots.VERMILION, ms=12, ls="none", label="dead: weights are NaN")
    plots.reference(ax, plain, "float32, no scale", 0.3)
    plots.legend(ax)
    said = ", ".join(f"2^{k} {'dead' if k in dead else f'{loss:.2f}'}" for k, loss in found.items())
    wide = ", ".join(f"2^{k} {loss:.2f}" for k, loss in others.items())
    plots.show(fig, f"Loss at the end by loss scale. float16: {said}. bfloat16: {wide}. float32: {plain:.2f}.")
    return found, plain


def dynamic(scaler, steps: int = 120) -> float:
    """Trains the tiny model in float16 with `scaler`, draws its scale and its loss, and returns the power of two at
    which the scale is at the end.
    """
    model, losses, scales, skipped = training.tiny_model(), [], [], 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with training.one_thread():
        for batch in itertools.islice(training.tiny_batches(16), steps):
            optimizer.zero_grad()
            with precision.autocast(torch.float16):
                loss = training.loss(model, batch)
            scaler.scale(loss).backward()
            scales.append(math.log2(scaler.get_scale()))
            before = model.head.weight.detach().clone()
            scaler.step(optimizer)
            skipped += torch.equal(before, model.head.weight)
            scaler.update()
            losses.append(loss.item())
    fig, (left, right) = plots.figure(2)
    plots.style(left, "Step", "Loss scale, as a power of two", "The scale finds its place")
    left.step(range(1, steps + 1), scales, color=plots.VERMILION, lw=2, where="mid")
    plots.style(right, "Step", "Loss (nats per byte)", f"{skipped} of {steps} steps were left out")
    right.plot(*plots.finite(range(1, steps + 1), losses), color=plots.BLUE, lw=2)
    plots.show(
        fig,
        f"The scale goes from 2^{scales[0]:.0f} to 2^{scales[-1]:.0f}; its lowest value is 2^{min(scales):.0f}. "
        f"{plots.curve_words('The loss', losses, 'nats per byte')}; {skipped} of {steps} steps were left out.",
    )
    return math.log2(scaler.get_scale())


OPERATORS = {
    "matrix product": ("matmul", lambda x, w: x @ w),
    "x + x": ("", lambda x, w: x + x),
    "silu": ("", lambda x, w: F.silu(x)),
    "exp": ("exp", lambda x, w: x.exp()),
    "sum": ("sum", lambda x, w: x.sum()),
    "softmax": ("softmax", lambda x, w: x.softmax(-1)),
    "layer norm": ("layer_norm", lambda x, w: F.layer_norm(x, x.shape[-1:])),
    "RMS norm": ("rms_norm", lambda x, w: F.rms_norm(x, x.shape[-1:])),
    "cross-entropy": ("nll_loss", lambda x, w: F.cross_entropy(x, torch.zeros(len(x), dtype=torch.long))),
}


def softmax_dtype(dtype: torch.dtype = torch.float16) -> str:
    """The dtype of a softmax of `dtype` scores under autocast on the CPU."""
    with torch.autocast("cpu", dtype):
        return str(torch.zeros(2, 2, dtype=dtype).softmax(-1).dtype)


def operators(dtype: torch.dtype = torch.float16) -> None:
    """Prints in which dtype operators answer under autocast on the CPU, and in which they compute on CUDA by its list.

    The input is what a linear layer gives under autocast: a tensor of `dtype`.
    """
    lists = _cuda_lists()
    head = f"operator, on a {str(dtype).removeprefix('torch.')} input"
    print(f"{head:34}{'on this CPU':14}on CUDA, by its list")
    with torch.autocast("cpu", dtype):
        for name, (listed, call) in OPERATORS.items():
            here = str(call(torch.randn(8, 8).to(dtype), torch.randn(8, 8)).dtype).removeprefix("torch.")
            there = next((kind for kind, names in lists.items() if listed in names), "not listed: as its input is")
            print(f"{name:34}{here:14}{there if lists else 'list not found'}")


def _cuda_lists() -> dict[str, set[str]]:
    """{"float32" or "16 bits": operators}, from the installed header that CUDA's autocast is built from; {} without."""
    header = Path(torch.__file__).parent / "include/ATen/autocast_mode.h"
    if not header.is_file():
        return {}
    source, lists = header.read_text(encoding="utf-8"), {"float32": set(), "16 bits": set()}
    for name, body in re.findall(r"#define AT_FORALL_(\w+)\(_\)((?:.*\\\n)*.*\n)", source):
        kind = "16 bits" if name == "LOWER_PRECISION_FP" else "float32" if name.startswith("FP32") else None
        if kind:
            lists[kind] |= set(re.findall(r"_\((\w+)", body))
    return lists
