"""Week 6: the runs behind the audits of schedules and peaks, a log to explain, and a range test."""

import copy
import functools
import itertools
import math
from collections.abc import Callable

import torch

from course.lab import banking, plots, text, training

STEPS, ROWS, EVERY = 300, 4, 10  # of a run: updates, rows of a batch, updates between two measurements

# What a training log showed of its run: the update and the learning rate, rounded. The run was said to rise over 10
# updates to PEAK, to stay there, and to come down to LOW from 80 % of its length on, along half a cosine.
LOG = {1: 0.000100, 11: 0.001000, 21: 0.001000, 231: 0.000919, 241: 0.000911, 251: 0.000904}
PEAK, LOW, WARMUP = 1e-3, 1e-4, 10


@functools.cache
def held_out() -> dict:
    """The batch on which all runs here are measured: 32 rows of 64 bytes that nobody trains on."""
    return next(training.tiny_batches(32, seed=9, split="val"))


def run(schedule: Callable[[int], float], steps: int = STEPS, rows: int = ROWS) -> list[float]:
    """Held-out losses, in nats per byte, after every tenth update of the tiny model under AdamW.

    `schedule(step)` with step = 0, 1, 2 … is the learning rate. The same weights and rows every time.
    """
    model, losses = training.tiny_model(), []
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-3)
    with training.one_thread():
        batches = itertools.islice(training.tiny_batches(rows), steps)
        for record in training.train(model, batches, optimizer, schedule=schedule):
            if record.step % EVERY == 0:
                losses.append(training.evaluate(model, [held_out()]))
    return losses


def draw(schedules: dict[str, Callable], losses: dict[str, list[float]], steps: int = STEPS) -> str:
    """Learning rates on the left, held-out losses on the right, a colour for each name; returns a table in words."""
    fig, (left, right) = plots.figure(2)
    plots.style(left, "Step (updates)", "Learning rate", "What was set", yscale="log", ylim=(1e-5, 0.3))
    plots.style(right, "Step (updates)", "Held-out loss (nats per byte)", "What came of it", ylim=(2.2, 4))
    said, table = [], []
    for (name, schedule), colour in zip(schedules.items(), plots.PALETTE, strict=False):
        how = {"color": colour} | ({"lw": 6, "alpha": 0.4} if name.startswith("constant") else {"lw": 2})
        left.plot(range(steps), [max(schedule(step), 1e-9) for step in range(steps)], **how)
        right.plot(range(EVERY, steps + 1, EVERY), losses[name], **how)
        said.append(plots.curve_words(f"{name}: the loss", losses[name], "nats"))
        at = steps * 4 // 5
        table.append(
            f"{name:18} loss after {at}: {losses[name][at // EVERY - 1]:.3f}, at the end: {losses[name][-1]:.3f}"
        )
        right.lines[-1].set_label(name)
    plots.legend(right, loc="upper right")
    plots.show(fig, "; ".join(said) + ".")
    return "\n".join(table)


def length_by_the_story(step: int, lr: float) -> float:
    """How long the logged run must be if its rate is `lr` at `step` and began to fall at 80 % of that length."""
    share = math.acos(2 * (lr - LOW) / (PEAK - LOW) - 1) / math.pi  # of the decay, done at `step`
    return step / (0.8 + 0.2 * share)


def draw_log(explained: Callable[[int], float] | None = None) -> None:
    """The log's six points and the story told by its last line; `explained(step)` is another schedule for them."""
    fig, (ax,) = plots.figure(1, (9.6, 3.5))
    plots.style(ax, "Step (updates)", "Learning rate", "Six lines of a log", xlim=(0, 400), ylim=(0, 1.1e-3))
    steps, length, said = range(401), length_by_the_story(251, LOG[251]), ""

    def story(step):
        share = min(1.0, max(0.0, step / length - 0.8) / 0.2)
        return min(1, step / WARMUP) * (LOW + (PEAK - LOW) * (1 + math.cos(math.pi * share)) / 2)

    ax.plot(steps, [story(step) for step in steps], color=plots.ORANGE, lw=2, label="the story, from the last line")
    if explained:
        ax.plot(steps, [explained(step) for step in steps], color=plots.BLUE, lw=2, label="yours")
        off = max(abs(explained(step) - lr) for step, lr in LOG.items())
        said = f" Yours lies at most {off:.1e} away from any of the six."
    ax.plot(list(LOG), list(LOG.values()), "o", color=plots.BLACK, ms=8, label="the log")
    plots.legend(ax, loc="lower left")
    missed = max(abs(story(step) - lr) for step, lr in LOG.items())
    plots.show(fig, f"Six points. The story, its length taken from the last, falls short of one by {missed:.1e}.{said}")


@functools.cache
def epochs_until(target: float, lr: float, most: int = 10, rows: int = 8, texts: int = 128) -> tuple[int | None, float]:
    """(passes until the held-out loss is below `target`, None if never in `most`; the lowest loss), AdamW at `lr`."""
    ids = next(training.tiny_batches(texts, seed=3))["input_ids"]
    model, losses, reached = training.tiny_model(), [], None
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), lr)
    with training.one_thread():
        for epoch in range(1, most + 1):
            order = torch.randperm(texts, generator=training.generator(epoch, 5))
            for _ in training.train(model, (text.batch(ids[some]) for some in order.split(rows)), optimizer):
                pass
            losses.append(training.evaluate(model, [held_out()]))
            if losses[-1] < target and reached is None:
                reached = epoch
    return reached, min(losses)


def in_text(schedule: Callable[[int], float], total: int, columns: int = 64, rows: int = 8) -> str:
    """A schedule as people draw it in a log: stars over a line of steps, from 0 to `total`."""
    steps = [total * column // (columns - 1) for column in range(columns)]
    rates = [schedule(step) for step in steps]
    top = max(rates)
    lines = []
    for row in range(rows, -1, -1):
        stars = "".join("*" if round(rate / top * rows) == row else " " for rate in rates)
        lines.append(f"{top * row / rows:9.2e} |{stars}".rstrip())
    return "\n".join([*lines, f"{'':10}+{'-' * columns}", f"{'':11}0{total:>{columns - 1}}"])


# ---- a range test, and what it is worth


def range_test(steps: int = 120, rows: int = 8, optimizer: str = "adamw", low: float = 1e-5, high: float = 3.0):
    """Yields (learning rate, training loss before its update) of a run whose rate rises by a constant factor.

    Ends early where the loss is no number or above 20 nats.
    """
    model = training.tiny_model()
    rates = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
    batches = itertools.islice(training.tiny_batches(rows), steps)
    records = training.train(
        model, batches, training.OPTIMIZERS[optimizer](model.parameters(), low), schedule=rates.__getitem__
    )
    for record in records:
        yield record.lr, record.loss
        if not record.loss < 20:
            return


TRIED = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)  # peaks of whole runs


def trained_at(lr: float, steps: int = 120, rows: int = 8, optimizer: str = "adamw") -> float:
    """Held-out loss after `steps` updates of a fresh tiny model: a tenth of them up to `lr`, the rest down to 0."""
    return _trained_at(lr, steps, rows, optimizer)


@functools.cache
def _trained_at(lr, steps, rows, optimizer):
    model, rise = training.tiny_model(), max(1, steps // 10)
    batches = itertools.islice(training.tiny_batches(rows), steps)
    for record in training.train(
        model,
        batches,
        training.OPTIMIZERS[optimizer](model.parameters(), lr),
        schedule=lambda step: lr * min((step + 1) / rise, 1.0, (steps - step) / (steps - rise)),
    ):
        if record.diverged:
            return math.inf
    return training.evaluate(model, [held_out()])


# ---- a rule for the rate of fine-tuning, put to the test

BASE_LR, BASE_ROWS, BASE_STEPS = 1e-2, 64, 80  # of the pretraining


@functools.cache
def _base():
    """The tiny model, trained on source code with BASE_LR and large batches."""
    model = training.tiny_model()
    with training.one_thread():
        for _ in training.tiny_run(BASE_LR, BASE_ROWS, BASE_STEPS, model=model, warmup=10):
            pass
    return model


@functools.cache
def _bank(split):
    talks = banking.conversations() if split == "train" else banking.held_out()
    talks = ("\n".join(message["content"] for message in one["messages"]) for one in talks)
    return torch.tensor(text.encode("\n\n".join(talks)))


@functools.cache
def fine_tuned(lr: float, updates: int, rows: int = 4) -> float:
    """Held-out loss on the bank's conversations after `updates` updates on others, from the model trained on code.

    A short rise to `lr`, then a straight line to 0. A row holds 63 labels. Inf where the run diverges.
    """
    model = copy.deepcopy(_base())
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), lr)
    batches = itertools.islice(text.batches(_bank("train"), rows, 64, training.generator(0, 4)), updates)
    with training.one_thread():
        falling = training.train(
            model, batches, optimizer, schedule=lambda step: lr * min(1, (step + 1) / 5) * (1 - step / updates)
        )
        if any(record.diverged for record in falling):
            return math.inf
        return training.evaluate(model, [next(text.batches(_bank("held_out"), 64, 64, training.generator(0, 3)))])


def sweep(guess: float, updates=(40, 150), rates=(1e-3, 3e-3, 1e-2, 3e-2, 1e-1)) -> dict[int, float]:
    """Draws and prints the fine-tuning losses for all rates and both lengths; returns the best rate for each length."""
    fig, (ax,) = plots.figure(1, (9.6, 3.5))
    plots.style(ax, "Peak learning rate", "Held-out loss (nats per byte)", "Fine-tuning, 4 rows a batch", xscale="log")
    best, said = {}, []
    for many, colour in zip(updates, plots.PALETTE, strict=False):
        losses = [fine_tuned(lr, many) for lr in rates]
        best[many] = rates[losses.index(min(losses))]
        ax.plot(*plots.finite(rates, losses), "o-", color=colour, lw=2, label=f"{many} updates")
        said.append(f"{many} updates: best at {best[many]:g} with {min(losses):.3f}, {fine_tuned(guess, many):.3f} at "
                    f"the guess of {guess:.2g}")  # fmt: skip
    ax.axvline(guess, color=plots.GREY, ls="--", lw=1.2)
    ax.annotate(" the formula's", (guess, ax.get_ylim()[1]), va="top", color=plots.GREY, fontsize=plots.FONT - 1)
    plots.legend(ax)
    plots.show(fig, "; ".join(said) + ".")
    print("\n".join(said))
    return best


@functools.cache
def decayed(lr: float, weight_decay: float, steps: int = 150, rows: int = ROWS) -> tuple[float, float]:
    """(share left of the embedding of a token that never occurs, held-out loss) after AdamW at a constant `lr`."""
    model = training.tiny_model()
    unseen = model.embedding.weight[text.PAD].detach().clone()  # its gradient is 0 in every batch
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay)
    with training.one_thread():
        for _ in training.train(model, itertools.islice(training.tiny_batches(rows), steps), optimizer):
            pass
        left = float(model.embedding.weight[text.PAD].detach().norm() / unseen.norm())
        return left, training.evaluate(model, [held_out()])
