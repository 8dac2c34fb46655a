"""Sick runs to diagnose and mend: what is wrong lies in how the optimizer is set up and kept.

A *loop* here is a generator `loop(model, batches, schedule)`: it makes one update for every batch and yields the loss
before it, in nats per counted token. `schedule(update)`, update = 0, 1, 2 ..., is the learning rate of that update for
all but the embedding, which learns at a tenth of it.
"""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from course.lab import gradients, plots, text, training

UPDATES, RESTART = 60, 30  # of a run; the update before which the machine of patient D goes down
DECAY = 0.5
DISEASES = {
    "A": "frozen. The schedule writes where no step reads: the learning rate stays as it was at construction.",
    "B": "first. One learning rate overwrites that of every group: the embedding learns ten times too fast.",
    "C": "decay. The weight decay pulls on all parameters, the gains of the norms too.",
    "D": "restart. The weights come back and the optimizer's state does not: Adam begins again at step 1.",
}


def schedule(update: int) -> float:
    """The learning rate of an update, counted from 0: it falls on a straight line, nearly to nothing at the end."""
    return 0.01 * (1 - update / UPDATES)


def groups(model) -> list[dict]:
    """The recipe's three groups: the embedding at a tenth of the learning rate, other matrices, and the norms, which
    do not decay. `share` says which part of the schedule's learning rate a group gets."""
    embedding, norms = [model.embedding.weight], [p for p in model.parameters() if p.ndim < 2]
    rest = [p for p in model.parameters() if p.ndim >= 2 and p is not embedding[0]]
    return [
        {"params": rest, "share": 1.0, "weight_decay": DECAY},
        {"params": embedding, "share": 0.1, "weight_decay": DECAY},
        {"params": norms, "share": 1.0, "weight_decay": 0.0},
    ]


def update(model, batch, optimizer) -> float:
    """One update on one batch; returns the loss before it."""
    optimizer.zero_grad()
    loss = training.loss(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def healthy(model, batches, schedule):
    """The recipe as it was meant."""
    optimizer = torch.optim.AdamW(groups(model))
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield update(model, batch, optimizer)


def _a(model, batches, schedule):
    optimizer = torch.optim.AdamW([dict(group, lr=schedule(0) * group["share"]) for group in groups(model)])
    for number, batch in enumerate(batches):
        optimizer.defaults["lr"] = schedule(number)
        yield update(model, batch, optimizer)


def _b(model, batches, schedule):
    optimizer = torch.optim.AdamW(groups(model))
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number)
        yield update(model, batch, optimizer)


def _c(model, batches, schedule):
    matrices, embedding, norms = groups(model)
    matrices["params"] += norms["params"]
    optimizer = torch.optim.AdamW([matrices, embedding])
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield update(model, batch, optimizer)


def _d(model, batches, schedule):
    optimizer = torch.optim.AdamW(groups(model))
    for number, batch in enumerate(batches):
        if number == RESTART:  # the machine went down; the run goes on from its checkpoint
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            optimizer = torch.optim.AdamW(groups(model))
            model.load_state_dict(saved["model"])
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield update(model, batch, optimizer)


PATIENTS = {"A": _a, "B": _b, "C": _c, "D": _d}


class _Silent(torch.nn.Module):
    """A model whose gradient is zero everywhere: what moves its weights is the decay alone."""

    def __init__(self, model):
        super().__init__()
        self.model, self.embedding = model, model.embedding

    def forward(self, **inputs):
        found = self.model(**inputs)
        found.logits = found.logits * 0.0
        return found


@dataclass
class Run:
    """A run, and what was measured on its weights from outside."""

    name: str
    losses: list = field(default_factory=list)
    steps: list = field(default_factory=list)  # length of every update, embedding left out
    embedding: float = math.nan  # median move of the embedding's rows in use at the first update, over the others'
    norms: float = math.nan  # what is left of the norms' gains after a run without any gradient, in percent
    held_out: float = math.nan  # nats per token on other text, afterwards

    @property
    def last(self) -> float:
        """The last update's length over that of a quarter of the way."""
        return self.steps[-1] / self.steps[UPDATES // 4 - 1]

    @property
    def restart(self) -> float:
        """The length of the update after the restart over that of the one before."""
        return self.steps[RESTART] / self.steps[RESTART - 1]

    def numbers(self) -> tuple[float, ...]:
        """The four measurements: last, embedding, norms, restart."""
        return self.last, self.embedding, self.norms, self.restart

    def row(self) -> str:
        """The measurements as one line of a table."""
        return f"{self.last:9.3f}{self.embedding:12.3f}{self.norms:9.1f}{self.restart:10.3f}{self.held_out:11.3f}"


HEAD = f"{'last':>9}{'embedding':>12}{'norms':>9}{'restart':>10}{'held-out':>11}"


def _weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def _moves(old, new):
    return {name: (new[name] - old[name]).flatten() for name in old}


def _share(moves, batch):
    """Median move of the embedding's rows that `batch` uses, over that of all other weights."""
    rows = moves["embedding.weight"].view(text.VOCAB_SIZE, -1)[batch["input_ids"].unique()]
    rest = torch.cat([move for name, move in moves.items() if name != "embedding.weight"])
    return float(rows.abs().median() / rest.abs().median())


def run(loop: Callable, name: str, updates: int = UPDATES) -> Run:
    """Runs `loop` from the same weights on the same batches, twice: with the gradient, and with none for the decay."""
    found, model = Run(name), gradients.trained(60)
    batches = list(itertools.islice(training.tiny_batches(8, seed=4), updates))
    with training.one_thread():
        old = _weights(model)
        for loss in loop(model, batches, schedule):
            new = _weights(model)
            moves = _moves(old, new)
            if not found.losses:
                found.embedding = _share(moves, batches[0])
            found.losses.append(loss)
            found.steps.append(float(torch.cat([m for n, m in moves.items() if "embedding" not in n]).norm()))
            old = new
        found.held_out = training.evaluate(model, [next(training.tiny_batches(64, seed=7, split="val"))])
        silent = gradients.trained(60)
        before = _gains(silent)
        for _ in loop(_Silent(silent), batches, schedule):
            pass
        found.norms = float(100 * (_gains(silent) / before).mean())
    return found


def _gains(model):
    return torch.cat([p.detach().clone() for p in model.parameters() if p.ndim < 2])


@functools.cache
def patients() -> tuple[Run, ...]:
    """The four sick runs."""
    return tuple(run(loop, name) for name, loop in PATIENTS.items())


@functools.cache
def sound() -> Run:
    """The healthy run."""
    return run(healthy, "healthy")


def well(found: Run) -> bool:
    """Whether the four measurements are the healthy run's."""
    return all(abs(one / other - 1) < 0.02 for one, other in zip(found.numbers(), sound().numbers(), strict=True))


def consult() -> None:
    """Four losses and four step lengths over the healthy run's, and a table of what was measured."""
    fig, axes = plots.figure(4, (9.6, 3.3))
    for ax, one in zip(axes, patients(), strict=True):
        plots.style(ax, "Update", "Loss (nats per byte)", f"Patient {one.name}", ylim=(2, 3.4), xlim=(0, UPDATES))
        ax.plot(range(1, UPDATES + 1), sound().losses, color=plots.GREY, lw=4, alpha=0.5, label="healthy")
        ax.plot(range(1, UPDATES + 1), one.losses, color=plots.BLUE, lw=1.8, label="patient")
    plots.legend(axes[0])
    said = "; ".join(plots.curve_words(f"patient {one.name}", one.losses) for one in patients())
    plots.show(fig, f"Losses over a healthy run's in grey: {said}; {plots.curve_words('healthy', sound().losses)}.")
    print(f"{'patient':10}{HEAD}")
    for one in (*patients(), sound()):
        print(f"{one.name:10}{one.row()}")
    print(f"\nlast: length of the last update over that of update {UPDATES // 4}, embedding left out")
    print("embedding: median move of its rows in use at the first update, over that of all other weights")
    print("norms: what is left of the norms' gains after the same run without any gradient, in percent")
    print(f"restart: length of update {RESTART + 1} over that of update {RESTART}")
    print("held-out: nats per byte on other text, afterwards")


def discharge(**loops: Callable) -> None:
    """Runs each patient again with the loop given for it, and says by measurement whether it is well."""
    print(f"{'patient':10}{HEAD}")
    for name, loop in loops.items():
        again = run(loop, name)
        print(f"{name:10}{again.row()}   {'well' if well(again) else 'still sick'}")
    print(f"{'healthy':10}{sound().row()}")
