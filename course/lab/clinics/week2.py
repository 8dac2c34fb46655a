"""Five sick training loops to diagnose by measurement and to mend; what a loop takes is told in `week2_chart`."""

import copy
import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from course.lab import plots, text, training
from course.lab.clinics.week2_chart import (  # noqa: F401  fresh and losses are for the lesson
    CUT,
    EQUALS,
    LONGEST,
    STEPS,
    Chart,
    fresh,
    lines,
    losses,
    right_sides,
    run,
)  # fmt: skip


def _train(chart, model, rows, rng, optimizer, steps=STEPS, *, zero=True, width=None):
    """The loop of B, C, D and E, with what may be wrong in it left open."""
    for _ in range(steps):
        batch = text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)])
        batch = _padded(batch, width)
        loss = training.loss(model, batch)
        if zero:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)


def a_batch(width: int | None = None) -> dict[str, torch.Tensor]:
    """Sixteen lines as the healthy loop sees them first, padded to the longest or to `width`."""
    rows, rng = lines("train"), training.generator(0, 4)
    return _padded(text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=rng)]), width)


def _padded(batch, width):
    if width is None:
        return batch
    missing = (0, width - batch["input_ids"].shape[1])
    fillers = {"input_ids": text.PAD, "attention_mask": 0, "labels": -100}
    return {name: F.pad(batch[name], missing, value=filler) for name, filler in fillers.items()}


def _adamw(chart, model):
    return torch.optim.AdamW(model.parameters(), lr=chart.lr)


def healthy(chart):
    """What B, C, D and E were meant to be."""
    model, rows, rng = chart.start()
    _train(chart, model, rows, rng, _adamw(chart, model))


def _a(chart, skip=False):
    model, rows, rng = chart.start()
    rows, optimizer = [row[:CUT] for row in rows if EQUALS in row], _adamw(chart, model)
    for _ in range(STEPS):
        batch = right_sides([rows[i] for i in torch.randint(len(rows), (4,), generator=rng)])
        labels = batch["labels"][:, 1:]
        counts = labels != -100
        if skip and not counts.any():
            continue
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        nats = F.cross_entropy(logits.transpose(1, 2), labels.clamp(min=0), reduction="none")
        loss = (nats * counts).sum() / counts.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        chart.note(model, batch, loss)


def _b(chart):
    model, rows, rng = chart.start()
    optimizer = _adamw(chart, model)
    _train(chart, copy.deepcopy(model), rows, rng, optimizer)


def _c(chart):
    model, rows, _ = chart.start()
    optimizer = _adamw(chart, model)
    for _ in range(STEPS):
        _train(chart, model, rows, training.generator(0, 4), optimizer, 1)


def _d(chart):
    model, rows, rng = chart.start()
    _train(chart, model, rows, rng, _adamw(chart, model), zero=False)


def _e(chart):
    model, rows, rng = chart.start()
    _train(chart, model, rows, rng, _adamw(chart, model), width=LONGEST)


LOOPS = {"A": _a, "B": _b, "C": _c, "D": _d, "E": _e}
ASSIGNMENTS = {"A": True}
COMPLAINTS = {
    "A": "The loss is NaN.",
    "B": "The loss does not fall.",
    "C": "It overfits.",
    "D": "The loss swings.",
    "E": "It is too slow.",
}
DISEASES = {
    "A": "labels. A batch without a label that counts: its mean is 0/0, and one such step makes every weight NaN.",
    "B": "weights. The optimizer holds the weights of another copy: gradients come, and these weights never move.",
    "C": "rows. The generator starts anew in each step, so the run sees the rows of one batch again and again.",
    "D": "gradients. Old ones are never cleared: each update follows the sum of all batches since the start.",
    "E": "padding. Every row is padded to the longest that the model can read: almost all positions are padding.",
}
CURES = {  # what is often advised for the complaint: (words, changes of the chart)
    "A": ("a tenth of the learning rate", {"lr": 1e-3}),
    "B": ("ten times the learning rate", {"lr": 1e-1}),
    "C": ("dropout 0.3", {"dropout": 0.3}),
    "D": ("half the learning rate", {"lr": 5e-3}),
    "E": ("half the width", {"width": 16}),
}


@functools.cache
def patients() -> dict[str, Chart]:
    """{"A" … "E": the chart of a sick run}."""
    return {name: run(loop, name, assignments=name in ASSIGNMENTS) for name, loop in LOOPS.items()}


@functools.cache
def sound(name: str) -> Chart:
    """The chart of what patient `name` was meant to be."""
    if name in ASSIGNMENTS:
        return run(functools.partial(_a, skip=True), "healthy", assignments=True)
    return _sound()


@functools.cache
def _sound():
    return run(healthy, "healthy")


def consult() -> None:
    """The complaints: reported and held-out loss of the five runs, and how long each step took."""
    charts = patients()
    fig, axes = plots.figure(len(charts), (12.8, 3.3))
    for ax, chart in zip(axes, charts.values(), strict=True):
        plots.style(
            ax,
            "Step",
            "Loss (nats per byte)",
            f"{chart.name}: {COMPLAINTS[chart.name]}",
            xlim=(0, STEPS + 2),
            ylim=(0, 8),
        )
        ax.plot(*plots.finite(chart.column("step"), chart.column("reported")), color=plots.BLUE, lw=2, label="reported")
        held = plots.finite(chart.column("step"), chart.column("held out"))
        ax.plot(*held, "o-", color=plots.ORANGE, ms=4, lw=1.5, label="held out")
        if chart.broke_at:
            ax.axvline(chart.broke_at, color=plots.VERMILION, lw=2)
            ax.annotate("no number", (chart.broke_at + 1.5, 0.4), color=plots.VERMILION, fontsize=plots.FONT - 2)
    plots.legend(axes[0], loc="upper right")
    words = "; ".join(
        f"{name}, {COMPLAINTS[name]} {plots.curve_words('reported', chart.column('reported'))}, "
        f"{plots.curve_words('held out', chart.column('held out'), 'nats per byte')}"
        for name, chart in charts.items()
    )
    plots.show(fig, f"Losses of five runs over {STEPS} steps. {words}.")
    took = ", ".join(f"{name} {1000 * chart.seconds / STEPS:.1f} ms" for name, chart in charts.items())
    print(f"a step takes, measured here: {took}")


def examine(*measurements: str) -> None:
    """Prints what was measured on the five runs and on healthy ones, at six steps, and the smallest and largest.

    A has a healthy twin of its own, because it learns other labels than the rest.
    """
    charts = {**patients(), "healthy A": sound("A"), "healthy": _sound()}
    at = (1, 10, 20, 30, 40, 60)
    for what in measurements:
        heads = "".join(f"{f'step {step}':>10}" for step in at)
        print(f"{what:14}{heads}{'smallest':>12}{'largest':>10}")
        for name, chart in charts.items():
            column = chart.column(what)
            known = [x for x in column if math.isfinite(x)]
            cells = [f"{column[step - 1]:10.4g}" if step <= len(column) else f"{'-':>10}" for step in at]
            print(f"{name:14}{''.join(cells)}{min(known):12.4g}{max(known):10.4g}")
        print()


@functools.cache
def advised(name: str) -> Chart:
    """The chart of patient `name` after the usual advice."""
    return run(LOOPS[name], name, assignments=name in ASSIGNMENTS, **CURES[name][1])


def usual_cures() -> None:
    """Each patient after what is often advised for its complaint: what was measured before and after."""
    print(f"{'patient':9}{'advice':31}{'before':>34}{'after':>34}")
    for name, (words, _) in CURES.items():
        print(f"{name:9}{words:31}{_state(patients()[name]):>34}{_state(advised(name)):>34}")


def _state(chart):
    if chart.error:
        return chart.error[:60]
    if chart.broke_at:
        return f"NaN at step {chart.broke_at}"
    padding = sum(chart.column("padding")) / len(chart.steps)
    late = chart.column("reported")[-20:]
    if padding > 0.8:
        return f"held out {chart.held_out:.2f}, {padding:.0%} padding"
    return f"reports {sum(late) / len(late):.2f}, held out {chart.held_out:.2f}"


def verdict(name: str, chart: Chart) -> str:
    """What measurement says about a treated patient: "well", or what still ails it."""
    model = sound(name)
    if chart.error:
        return f"does not run: {chart.error}"
    if len(chart.steps) < STEPS // 2:
        return f"noted {len(chart.steps)} steps only"
    if chart.broke_at:
        return f"still sick: no number from step {chart.broke_at} on"
    if sum(chart.column("positions")) > 1.3 * sum(model.column("positions")):
        return "still sick: computes far more positions than a healthy run"
    if not chart.held_out < model.held_out + 0.15:
        return "still sick: held out far above a healthy run"
    return "well"


def discharge(**loops: Callable) -> None:
    """Runs each loop that is given, A=patient_a and so on, and says by measurement whether it is well."""
    print(
        f"{'':11}{'last reports':>13}{'held out':>10}{'a healthy one':>15}{'positions':>12}   (losses in nats per byte)"
    )
    for name, loop in loops.items():
        chart = run(loop, name, assignments=name in ASSIGNMENTS)
        late = [x for x in chart.column("reported")[-20:] if math.isfinite(x)]
        late = f"{sum(late) / len(late):.3f}" if late and not chart.broke_at else "no number"
        held = f"{chart.held_out:.3f}" if math.isfinite(chart.held_out) else "no number"
        print(
            f"patient {name}  {late:>13}{held:>10}{sound(name).held_out:15.3f}"
            f"{sum(chart.column('positions')):12,}   {verdict(name, chart)}"
        )
