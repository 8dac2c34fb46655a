"""Sick runs in sixteen bits, to diagnose by measurement and to mend.

A patient is a step(model, batch, optimizer, scaler) -> (loss, norm): it takes one step of a fine-tuning run and returns
the loss and the norm that its clipping saw. Gradients are cleared before each call.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from course.lab import banking, plots, text, training
from course.lab.demos.week1 import trained

STEPS, LR, GROWTH = 120, 3e-3, 10
DISEASES = {
    "A": "order. The clipping saw gradients that still carried the scale, so it cut every step down to nothing.",
    "B": "scale. Nothing lowers the scale after an overflow: from then on only a lucky batch gets through.",
    "C": "rounding. The weights have bfloat16's wide spacing, and most updates are too small to move them.",
}


@functools.cache
def conversations() -> torch.Tensor:
    """Ids (N,) of the banking conversations as plain text: what the patients are fine-tuned on."""
    rows = banking.load("train")
    said = ("\n".join(f"{turn['role']}: {turn['content']}" for turn in row["messages"]) for row in rows)
    return torch.tensor(text.encode("\n\n".join(said)))


@dataclass
class Run:
    """What a patient reported, what was measured from outside, and the model that came out."""

    name: str
    losses: list = field(default_factory=list)
    norms: list = field(default_factory=list)  # as the run's own clipping saw them
    moved: list = field(default_factory=list)  # share of the weights that the step changed
    scale: float = 1.0
    model: torch.nn.Module | None = None

    @property
    def last(self) -> float:
        """Mean loss of the last 20 steps, in nats per byte."""
        return sum(self.losses[-20:]) / 20


def fine_tune(step: Callable, name: str = "run", steps: int = STEPS, adamw: bool = False) -> Run:
    """The trained tiny model, tuned on the conversations by `step`: SGD with momentum, a scaler that grows quickly.

    `adamw` takes AdamW, at a learning rate that suits it, in place of SGD, and a scale that stays at 65536.
    """
    run = Run(name, model=training.tiny_model())
    run.model.load_state_dict(trained().state_dict())
    if adamw:
        optimizer, growth = torch.optim.AdamW(run.model.parameters(), lr=LR / 10), 2000
    else:
        optimizer, growth = torch.optim.SGD(run.model.parameters(), lr=LR, momentum=0.9), GROWTH
    scaler = torch.amp.GradScaler("cpu", growth_interval=growth)
    batches = text.batches(conversations(), 8, 64, training.generator(0, 8))
    with training.one_thread():
        for batch in itertools.islice(batches, steps):
            before = [p.detach().clone() for p in run.model.parameters()]
            optimizer.zero_grad()
            loss, norm = step(run.model, batch, optimizer, scaler)
            run.losses.append(float(loss))
            run.norms.append(float(norm))
            changed = sum(int((p != q).sum()) for p, q in zip(run.model.parameters(), before, strict=True))
            run.moved.append(changed / sum(p.numel() for p in before))
    run.scale = scaler.get_scale()
    return run


def healthy(model, batch, optimizer, scaler):
    """Forward under autocast; scale, backward, unscale, clip, step, update."""
    with torch.autocast("cpu", torch.float16):
        loss = training.loss(model, batch)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    return loss.detach(), norm


def _a(model, batch, optimizer, scaler):
    with torch.autocast("cpu", torch.float16):
        loss = training.loss(model, batch)
    scaler.scale(loss).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    return loss.detach(), norm


def _b(model, batch, optimizer, scaler):
    with torch.autocast("cpu", torch.float16):
        loss = training.loss(model, batch)
    scaler.scale(loss).backward()
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm() / scaler.get_scale()
    if norm.isfinite():
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    return loss.detach(), norm


def _c(model, batch, optimizer, scaler):
    model.to(torch.bfloat16)
    loss = training.loss(model, batch)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach(), norm


@functools.cache
def week3_patients() -> tuple[Run, Run, Run]:
    """Three runs on the same conversations from the same weights, each with one defect."""
    return tuple(fine_tune(step, name) for name, step in (("A", _a), ("B", _b), ("C", _c)))


@functools.cache
def sound() -> Run:
    """The same run without a defect."""
    return fine_tune(healthy, "healthy")


def _smooth(losses, beta=0.9):
    """The bias-corrected running mean, as in week 1."""
    mean, found = 0.0, []
    for step, loss in enumerate(losses, 1):
        mean = beta * mean + (1 - beta) * loss
        found.append(mean / (1 - beta**step))
    return found


def _panel(runs, title, background=None):
    fig, axes = plots.figure(len(runs))
    for ax, run in zip(axes, runs, strict=True):
        plots.style(ax, "Step (updates)", "Loss (nats per byte)", f"{title} {run.name}", ylim=(2.3, 3.0))
        if background:
            ax.plot(range(1, STEPS + 1), _smooth(background.losses), color=plots.GREY, lw=6, alpha=0.5)
        ax.plot(*plots.finite(range(1, STEPS + 1), run.losses), color=plots.SKY, lw=0.8)
        ax.plot(*plots.finite(range(1, STEPS + 1), _smooth(run.losses)), color=plots.BLUE, lw=2.5)
    words = "; ".join(plots.curve_words(f"patient {run.name}", [run.losses[0], run.last]) for run in runs)
    plots.show(fig, f"The loss of each run over {STEPS} steps, its end the mean of the last 20: {words}.")


def consult(runs=None) -> None:
    """Three curves, and a table of what was measured on them from outside."""
    runs = runs or week3_patients()
    _panel(runs, "Patient")
    for cells in (
        ("", "mean loss of", "norm that the", "loss scale", "steps that", "share of weights"),
        ("patient", "last 20 steps", "clipping saw", "at the end", "changed any", "that they changed"),
        *((run.name, *_row(run)) for run in [*runs, sound()]),
    ):
        print(f"{cells[0]:9}{cells[1]:>14}{cells[2]:>16}{cells[3]:>13}{cells[4]:>14}{cells[5]:>20}")


def _row(run):
    norm, moved = sorted(run.norms)[len(run.norms) // 2], [share for share in run.moved if share > 0]
    share = f"{sum(moved) / len(moved):.1%}" if moved else "none"
    return f"{run.last:.3f}", f"{norm:.3g}", f"{run.scale:,.0f}", f"{len(moved)} of {len(run.moved)}", share


def discharge(**steps: Callable) -> None:
    """Runs each patient again with the step given for it, and says by measurement whether it is well."""
    runs = [fine_tune(step, name) for name, step in steps.items()]
    _panel(runs, "After your treatment:", sound())
    print(f"{'':10}{'loss of the last 20 steps':>26}   (nats per byte; well is within .02 of the healthy run)")
    for run in [*runs, sound()]:
        well = "" if run.name == "healthy" else "well" if abs(run.last - sound().last) < 0.02 else "still sick"
        print(f"{run.name:10}{run.last:26.3f}   {well}")


@functools.cache
def order_under_adamw() -> float:
    """How far patient A ends above a healthy run, in nats per byte, if both use AdamW and the scale stays."""
    return fine_tune(_a, adamw=True).last - fine_tune(healthy, adamw=True).last
