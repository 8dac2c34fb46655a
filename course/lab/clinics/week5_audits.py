"""A claim of week 5 put to the test: three optimizers, each at four learning rates, on the tiny model."""

import functools
import math

from course.lab import plots, training

RATES = {"sgd": (0.1, 0.3, 1, 3), "momentum": (0.03, 0.1, 0.3, 1), "adamw": (3e-3, 1e-2, 3e-2, 1e-1)}
LAST = 20  # losses that count


@functools.cache
def end(optimizer: str, lr: float, updates: int = 150) -> float:
    """Mean loss of the last 20 of `updates` updates of the tiny model, in nats per byte; NaN if the run diverged."""
    with training.one_thread():
        losses = [one.loss for one in training.tiny_run(lr, 16, updates, optimizer=optimizer)]
    return sum(losses[-LAST:]) / LAST if math.isfinite(losses[-1]) else math.nan


def best(optimizer: str, updates: int = 150) -> float:
    """The lowest end among the optimizer's RATES."""
    return min(loss for lr in RATES[optimizer] if math.isfinite(loss := end(optimizer, lr, updates)))


def draw(updates: int = 150) -> None:
    """All ends against the learning rate, as a figure and as lines of text."""
    fig, (ax,) = plots.figure(1, (9.6, 3.6))
    plots.style(ax, "Learning rate", f"Loss of the last {LAST} updates (nats)", f"{updates} updates of the tiny model",
                xscale="log", ylim=(2.3, 3.2), xlim=(2e-3, 5))  # fmt: skip
    lines = []
    for (name, rates), colour in zip(RATES.items(), plots.PALETTE, strict=False):
        losses = [end(name, lr, updates) for lr in rates]
        ax.plot(*plots.finite(rates, losses), "o-", color=colour, lw=2, label=name)
        told = [
            f"{loss:.3f} at {lr:g}" if math.isfinite(loss) else f"diverged at {lr:g}"
            for lr, loss in zip(rates, losses, strict=True)
        ]
        lines.append(f"{name:9} " + ", ".join(told))
    plots.legend(ax, loc="upper left")
    plots.show(fig, "Loss against learning rate. " + "; ".join(" ".join(line.split()) for line in lines) + ".")
    print("\n".join(lines))
