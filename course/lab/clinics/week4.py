"""Sick updates to diagnose and mend: what is wrong lies between the loss and the step.

An *update* here is a function `update(model, micro_batches, optimizer) -> float`: it leaves new weights behind and
returns the loss that it reports, in nats per counted token. `micro_batches` is a list of batches of the course's kind.
"""

import functools
import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from course.lab import plots, text, training
from course.lab.activations import with_checkpoints
from course.lab.clinics.week1 import short_texts
from course.lab.gradients import cosine, counted, gradient, gradient_of, trained, whole

UPDATES = 40  # of a patient's run
EMPTY_AT = 25  # the update in which one micro-batch holds no label that counts
MEASURED_AT = 5  # the update whose gradient is compared with the whole batch's: a fresh model has zeros in its blocks


def token_losses(model, batch) -> tuple[torch.Tensor, torch.Tensor]:
    """(-ln p of each next token, in nats; 1.0 where its label counts, else 0.0), each (B, T - 1)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    nats = F.cross_entropy(logits.transpose(1, 2), batch["input_ids"][:, 1:], reduction="none")
    return nats, (batch["labels"][:, 1:] != -100).float()


def healthy(model, micro_batches, optimizer) -> float:
    """Every token weighs the same, whatever micro-batch it lies in."""
    optimizer.zero_grad()
    total, reported = sum(map(counted, micro_batches)), 0.0
    for batch in micro_batches:
        nats, counts = token_losses(model, batch)
        loss = (nats * counts).sum() / total
        loss.backward()
        reported += loss.item()
    optimizer.step()
    return reported


def _a(model, micro_batches, optimizer):
    optimizer.zero_grad()
    total, reported = sum(map(counted, micro_batches)), 0.0
    for batch in micro_batches:
        nats, counts = token_losses(model, batch)
        loss = (nats * counts).sum() * len(micro_batches) / total
        loss.backward()
        reported += loss.item() / len(micro_batches)
    optimizer.step()
    return reported


def _b(model, micro_batches, optimizer):
    total, reported = sum(map(counted, micro_batches)), 0.0
    for batch in micro_batches:
        optimizer.zero_grad()
        nats, counts = token_losses(model, batch)
        loss = (nats * counts).sum() / total
        loss.backward()
        reported += loss.item()
    optimizer.step()
    return reported


def _c(model, micro_batches, optimizer, max_norm=1.0):
    optimizer.zero_grad()
    total, reported = sum(map(counted, micro_batches)), 0.0
    for batch in micro_batches:
        nats, counts = token_losses(model, batch)
        loss = (nats * counts).sum() / counts.sum() * counted(batch) / total
        loss.backward()
        reported += loss.item()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
    if norm > max_norm:
        for p in model.parameters():
            p.grad *= max_norm / norm
    optimizer.step()
    return reported


def _d(model, micro_batches, optimizer):
    return healthy(with_checkpoints(model, use_reentrant=True), micro_batches, optimizer)


@dataclass(frozen=True)
class Setting:
    """What a patient's author chose, and what the disease is."""

    update: Callable
    optimizer: str
    lr: float
    frozen: bool  # whether the embedding is
    disease: str


PATIENTS = {
    "A": Setting(_a, "sgd", 1.0, False, "scale. Only the report is divided by the number of micro-batches: "
                 "the gradient is that many times too long, in the right direction."),
    "B": Setting(_b, "adamw", 1e-2, False, "zero. The gradients are emptied before every micro-batch: "
                 "only the last one reaches the optimizer."),
    "C": Setting(_c, "adamw", 1e-2, False, "guard. A micro-batch without a label that counts gives 0/0, and "
                 "`norm > max_norm` is False for NaN: the step is taken."),
    "D": Setting(_d, "adamw", 1e-2, True, "checkpoint. The reentrant kind needs an input that requires a gradient; "
                 "behind a frozen embedding there is none, and the blocks get no gradient."),
}  # fmt: skip


def streams(seed: int = 0, micro_batches: int = 4, rows: int = 4):
    """Endless lists of micro-batches of short padded lines. In the EMPTY_AT-th list one holds no label that counts."""
    lines, rng = short_texts("train"), training.generator(seed, 2)
    for number in itertools.count(1):
        drawn = torch.randint(len(lines), (micro_batches, rows), generator=rng).tolist()
        made = [text.batch([lines[i] for i in row]) for row in drawn]
        if number == EMPTY_AT:
            made[1]["labels"] = torch.full_like(made[1]["labels"], -100)
        yield made


class _Watch:
    """Stands in for an optimizer: keeps the gradient that its next step uses."""

    def __init__(self, model, optimizer):
        self.model, self.optimizer, self.gradient, self.without = model, optimizer, None, 0
        self.param_groups = optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True):
        self.optimizer.zero_grad(set_to_none)

    def step(self):
        self.gradient = gradient(self.model)
        self.without = sum(p.grad is None for p in self.model.parameters() if p.requires_grad)
        self.optimizer.step()


@dataclass
class Run:
    """A patient's run: what it reported, and what was measured on its fifth update and afterwards."""

    name: str
    reported: list = field(default_factory=list)
    length: float = math.nan  # of the gradient that was used, over that of the whole batch's
    cosine: float = math.nan  # between the two
    without: int = 0  # parameters that train and got no gradient
    spoilt_at: int | None = None  # first update after which a weight is not finite
    held_out: float = math.nan  # nats per token on other lines, afterwards

    @property
    def well(self) -> bool:
        """The gradient is the whole batch's, and the weights are numbers to the end."""
        return abs(self.length - 1) < 1e-3 and self.cosine > 0.9999 and not self.without and self.spoilt_at is None

    def row(self) -> str:
        """The measurements as one line of a table."""
        ends = "never" if self.spoilt_at is None else f"update {self.spoilt_at}"
        held_out = f"{self.held_out:9.3f}" if math.isfinite(self.held_out) else f"{'none':>9}"
        return f"{self.length:9.3f}{self.cosine:9.3f}{self.without:13}   {ends:11}{held_out}"


HEAD = f"{'length':>9}{'cosine':>9}{'no gradient':>13}   {'NaN after':11}{'held-out':>9}"


def run(update: Callable, name: str, like: str = "", updates: int = UPDATES) -> Run:
    """`updates` updates from the same weights on the same lines, in the setting of the patient `like` (or `name`)."""
    setting, found = PATIENTS[like or name], Run(name)
    model = trained(0)
    model.embedding.requires_grad_(not setting.frozen)
    optimizer = _Watch(model, training.OPTIMIZERS[setting.optimizer](model.parameters(), setting.lr))
    with training.one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch does warn about D; in a long log nobody reads it
        for number, micro_batches in enumerate(itertools.islice(streams(), updates), 1):
            true = gradient_of(model, whole(micro_batches)) if number == MEASURED_AT else None
            found.reported.append(float(update(model, micro_batches, optimizer)))
            if true is not None and optimizer.gradient is not None:
                found.length = float(optimizer.gradient.norm() / true.norm())
                found.cosine, found.without = cosine(optimizer.gradient, true), optimizer.without
            if not all(p.isfinite().all() for p in model.parameters()):
                found.spoilt_at = number
                break
        else:
            found.held_out = training.evaluate(model, [text.batch(short_texts("val", 256))])
    return found


@functools.cache
def patients() -> tuple[Run, ...]:
    """The four runs. In each, one thing is wrong between the loss and the step."""
    return tuple(run(setting.update, name) for name, setting in PATIENTS.items())


@functools.cache
def sound(like: str) -> Run:
    """A healthy run in the setting of patient `like`."""
    return run(healthy, "healthy", like)


def _curve(ax, run, colour, label, **how):
    ax.plot(*plots.finite(range(1, len(run.reported) + 1), run.reported), color=colour, label=label, **how)


def _words(run):
    said = plots.curve_words(f"patient {run.name}", run.reported)
    return said + (f" and ends at update {run.spoilt_at}: its weights are no numbers any more" * bool(run.spoilt_at))


def consult() -> None:
    """Four reported curves, each over a healthy run's, and a table of what was measured."""
    fig, axes = plots.figure(4, (9.6, 3.3))
    for ax, one in zip(axes, patients(), strict=True):
        optimizer = {"sgd": "SGD", "adamw": "AdamW"}[PATIENTS[one.name].optimizer]
        plots.style(ax, "Update", "Reported loss (nats)", f"{one.name}, {optimizer}", ylim=(2, 7), xlim=(0, UPDATES))
        _curve(ax, sound(one.name), plots.GREY, "healthy", lw=4, alpha=0.5)
        _curve(ax, one, plots.BLUE, "patient", lw=1.8)
    plots.legend(axes[0])
    plots.show(fig, "Reported losses over a healthy run's in grey. " + "; ".join(map(_words, patients())) + ".")
    print(f"{'patient':10}{HEAD}")
    for one in patients():
        print(f"{one.name:10}{one.row()}")
    print(f"{'healthy':10}{sound('B').row()}")
    print(f"\nlength, cosine: the gradient that update {MEASURED_AT} used, against that of all its rows in one batch")
    print("no gradient: parameters that should train and got none; held-out: nats per token afterwards, on other lines")


def discharge(**updates: Callable) -> None:
    """Trains each patient again with the update given for it, and says by measurement whether it is well."""
    print(f"{'patient':10}{HEAD}")
    for name, update in updates.items():
        again = run(update, name)
        print(f"{name:10}{again.row()}   {'well' if again.well else 'still sick'}")
        print(f"{'  healthy':10}{sound(name).row()}")


def who_notices(update: Callable = _a) -> None:
    """Patient A's update under SGD and under AdamW, each beside a healthy run, with the same figures measured."""
    fig, axes = plots.figure(2, (9.6, 3.4))
    said = []
    print(f"{'':16}{HEAD}")
    for ax, like, name in zip(axes, "AB", ("SGD, learning rate 1", "AdamW, learning rate .01"), strict=True):
        sick = run(update, "A", like)
        plots.style(ax, "Update", "Reported loss (nats)", name, ylim=(2, 7), xlim=(0, UPDATES))
        _curve(ax, sound(like), plots.GREY, "healthy", lw=5, alpha=0.5)
        _curve(ax, sick, plots.VERMILION, "the gradient four times too long", lw=1.8)
        said.append(f"{name}: {_words(sick)}, {plots.curve_words('a healthy run', sound(like).reported)}")
        print(f"{name.split(',')[0]:16}{sick.row()}")
        print(f"{'  healthy':16}{sound(like).row()}")
    plots.legend(axes[1])
    plots.show(fig, "; ".join(said) + ".")
