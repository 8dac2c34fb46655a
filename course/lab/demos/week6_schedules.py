"""Week 6, schedules: compose one and see what the tiny model makes of it; a learning rate range test, live."""

import copy
import itertools
import math

import ipywidgets as widgets

from course.lab import plots, training
from course.lab.clinics import week6_rates as lab
from course.lab.live import LivePanel, control

SHAPES = {  # the share of the peak, from the share x of the run that is done since the rise, 0 to 1
    "constant": lambda x: 1.0,
    "linear": lambda x: 1 - x,
    "cosine": lambda x: (1 + math.cos(math.pi * x)) / 2,
    "stable, then decay": lambda x: 1.0 if x < 0.8 else (1 + math.cos(math.pi * (x - 0.8) / 0.2)) / 2,
    "step: a third, three times": lambda x: 3.0 ** -min(3, int(4 * x)),
    "polynomial, power 2": lambda x: (1 - x) ** 2,
    "exponential": lambda x: 100.0**-x,
    "cyclical: four triangles": lambda x: 0.05 + 0.95 * abs(1 - 2 * (4 * x % 1)),
    "cosine with two restarts": lambda x: (1 + math.cos(math.pi * (3 * x % 1))) / 2,
    "cosine, once per epoch of 6": lambda x: (1 + math.cos(math.pi * int(6 * x) / 6)) / 2,
    "one cycle: up 30 %, down 70 %": None,  # has a rise of its own
    "lr = lr · (1 + cos(epoch ÷ 6)) ÷ 2": lambda x: math.prod((1 + math.cos(e / 6)) / 2 for e in range(int(6 * x) + 1)),
}


def rates(shape: str, steps: int, rise: int) -> list[float]:
    """The share of the peak at each of `steps` updates; the first `rise` of them go up in a straight line."""
    if shape.startswith("one cycle"):
        x = [step / max(1, steps - 1) for step in range(steps)]
        up, down = (lambda x: 0.04 + 0.96 * (1 - math.cos(math.pi * x / 0.3)) / 2), (lambda x: (x - 0.3) / 0.7)
        return [up(one) if one < 0.3 else (1 + math.cos(math.pi * down(one))) / 2 for one in x]
    falling = SHAPES[shape]
    return [
        (step + 1) / (rise + 1) if step < rise else falling((step - rise) / max(1, steps - rise))
        for step in range(steps)
    ]


def _run(shares, peak, factor, every):
    """(update, held-out loss) every few updates; `factor` acts once on the block's rate, twice on the embedding's."""
    model = training.tiny_model()
    depth = {"head": 0, "norm": 0, "blocks": 1, "embedding": 2}
    groups = {name: [] for name in depth}
    for name, parameter in model.named_parameters():
        groups[name.split(".")[0]].append(parameter)
    optimizer = training.OPTIMIZERS["adamw"]([{"params": some} for some in groups.values()], peak)
    records = training.train(model, itertools.islice(training.tiny_batches(lab.ROWS), len(shares)), optimizer)
    for step, share in enumerate(shares, 1):
        for group, name in zip(optimizer.param_groups, groups, strict=True):
            group["lr"] = peak * share * factor ** depth[name]
        record = next(records)
        if record.diverged:
            yield step, math.nan
            return
        if step % every == 0:
            yield step, training.evaluate(model, [lab.held_out()])


def schedule_composer(steps: int = 300) -> LivePanel:
    """A schedule from shape, peak, warm-up and layer-wise rates, and the tiny model's loss under it, live."""
    every = max(1, steps // 40)
    fig, (left, right) = plots.figure(2, (9.6, 4.2))
    plots.style(left, "Step (updates)", "Learning rate", "What you set", xlim=(0, steps), ylim=(1e-5, 1), yscale="log")
    plots.style(
        right, "Step (updates)", "Held-out loss (nats per byte)", "What comes of it", xlim=(0, steps), ylim=(2.2, 3.8)
    )
    ghosts = [ax.plot([], [], color=plots.GREY, lw=2, ls=(0, (4, 2)))[0] for ax in (left, right)]
    lines = [ax.plot([], [], color=plots.BLUE, lw=2.5)[0] for ax in (left, right)]
    layers = [left.plot([], [], color=colour, lw=1.6)[0] for colour in (plots.ORANGE, plots.GREEN)]
    plots.legend(
        left,
        handles=[lines[0], *layers, ghosts[0]],
        labels=["head (all, at factor 1)", "block", "embedding", "run before"],
        loc="lower left",
    )
    blit = plots.Blit(fig, [*layers, *lines], resting=ghosts)
    last = {}

    def keep(name, xs, losses):
        """What is drawn now becomes the ghost."""
        ghosts[0].set_data(*xs)
        ghosts[1].set_data(*losses)
        last["ghost"] = name, losses[1][-1] if losses[1] else math.nan
        blit.settle()

    def draw(state):
        name, shares, peak, factor, losses, diverged = state
        xs = range(1, steps + 1)
        for line, power in zip((lines[0], *layers), (0, 1, 2), strict=True):
            shown = [peak * share * factor**power for share in shares] if power == 0 or factor < 1 else []
            line.set_data(xs if shown else [], [max(one, 1e-6) for one in shown])
        lines[1].set_data([x for x, _ in losses], [y for _, y in losses])
        last["now"] = name, (xs, [max(peak * share, 1e-6) for share in shares]), tuple(zip(*losses, strict=True))
        said = f"{name}: the rate starts at {peak * shares[0]:.2g} and ends at {peak * shares[-1]:.2g}. "
        if diverged:
            said += "The run diverged: its loss is no number any more. "
        elif losses:
            at = min(range(len(losses)), key=lambda i: abs(losses[i][0] - 0.8 * steps))
            said += (
                f"Held-out loss {losses[0][1]:.2f} after {losses[0][0]} updates, {losses[at][1]:.3f} after "
                f"{losses[at][0]}, {losses[-1][1]:.3f} after {losses[-1][0]} of {steps} updates. "
            )
        else:
            said += "Training begins. "
        before = last.get("ghost")
        return blit.png(), said + (f"Run before, {before[0]}: it ended at {before[1]:.3f}." if before else "")

    def job(shape, peak, warmup, factor):
        rise = round(steps * warmup / 100)
        name = f"{shape}, peak {peak:g}, warm-up {warmup} %" + f", factor {factor:g}" * (factor < 1)
        shares, losses, diverged = rates(shape, steps, rise), [], False
        now = last.get("now")
        if now and len(now[2]) == 2 and len(now[2][0]) > 5:
            keep(*now)
        yield name, shares, peak, factor, losses, diverged
        with training.one_thread():
            if "ghost" not in last:
                first = list(_run(rates("constant", steps, rise), peak, 1.0, every))
                constant = [peak * share for share in rates("constant", steps, rise)]
                keep(f"constant, peak {peak:g}", (range(1, steps + 1), constant), tuple(zip(*first, strict=True)))
            for step, loss in _run(shares, peak, factor, every):
                diverged = not math.isfinite(loss)
                if not diverged:
                    losses.append((step, loss))
                yield name, shares, peak, factor, copy.copy(losses), diverged

    return LivePanel(
        {
            "shape": control(widgets.Dropdown, "Shape", options=list(SHAPES), value="stable, then decay"),
            "peak": control(
                widgets.SelectionSlider,
                "Peak learning rate",
                options=[0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0],
                value=0.05,
            ),
            "warmup": control(widgets.IntSlider, "Warm-up (percent of the run)", min=0, max=30, value=5),
            "factor": control(
                widgets.SelectionSlider, "Factor from layer to layer", options=[1.0, 0.7, 0.5, 0.3, 0.1], value=1.0
            ),
        },
        job,
        draw,
        stop=True,
        note=f"The tiny model under AdamW, {lab.ROWS} rows of 64 bytes a batch; every run has the same weights and "
        "rows. The last shape in the list is copied from a report.",
    )


def smooth(values, reach: int = 4) -> list[float]:
    """The mean over each value and up to `reach` neighbours on both sides."""
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def lr_range_test(steps: int = 120) -> LivePanel:
    """A range test on the tiny model, and what whole runs at fixed peaks make of the same rates."""
    fig, (left, right) = plots.figure(2, (9.6, 4.2))
    for ax, label, title in (
        (left, "Learning rate of the step", "One run, its rate rising"),
        (right, "Peak learning rate", "Whole runs"),
    ):
        loss = "Training loss (nats per byte)" if ax is left else "Held-out loss at the end (nats per byte)"
        plots.style(ax, label, loss, title, xscale="log", xlim=(1e-5, 3), ylim=(2, 7))
    plots.style(right, "Peak learning rate", "Held-out loss at the end (nats per byte)", "Whole runs", ylim=(2.2, 4))
    (raw,) = left.plot([], [], color=plots.SKY, lw=1)
    (curve,) = left.plot([], [], color=plots.BLUE, lw=2.5)
    (steepest,) = left.plot([], [], "o", color=plots.GREEN, ms=11)
    (lowest,) = left.plot([], [], "s", color=plots.ORANGE, ms=10)
    (runs,) = right.plot([], [], "o-", color=plots.BLUE, lw=2, ms=7)
    (at_steepest,) = right.plot([], [], color=plots.GREEN, lw=2)
    (at_lowest,) = right.plot([], [], color=plots.ORANGE, lw=2, ls=(0, (4, 2)))
    plots.legend(
        left,
        handles=[raw, curve, steepest, lowest],
        labels=["step", "smoothed", "steepest", "lowest"],
        loc="lower left",
    )
    blit = plots.Blit(fig, [raw, curve, at_steepest, at_lowest, runs, steepest, lowest])

    def draw(state):
        rows, optimizer, tested, ends, ended = state
        lrs, losses = plots.finite([lr for lr, _ in tested], [loss for _, loss in tested])
        means = smooth(losses)
        raw.set_data(lrs, losses)
        curve.set_data(lrs, means)
        said = f"Range test with {rows} rows: {len(tested)} steps so far."
        marks = (steepest, at_steepest), (lowest, at_lowest)
        for line in itertools.chain(*marks):
            line.set_data([], [])
        if len(means) > 20:
            low = means.index(min(means))
            fall = [means[i + 1] - means[i - 1] for i in range(1, max(2, low))]
            steep = 1 + fall.index(min(fall))
            for (dot, line), i in zip(marks, (steep, low), strict=True):
                dot.set_data([lrs[i]], [means[i]])
                line.set_data([lrs[i]] * 2, [0, 9])
            said = (
                f"{rows} rows, {optimizer}: the smoothed loss falls most steeply at a rate of {lrs[steep]:.2g} and is "
                f"lowest at {lrs[low]:.2g}."
            )
            if len(tested) < steps:
                said += f" Step {len(tested)} of {steps}" + (": the loss left the scale." if ended else ".")
        runs.set_data(*plots.finite(ends, ends.values()))
        known = {lr: loss for lr, loss in ends.items() if math.isfinite(loss)}
        if known:
            best = min(known, key=known.get)
            said += f" Of the whole runs that with a peak of {best:g} ends lowest, at {known[best]:.3f}."
        if len(known) < len(ends):
            said += " Diverged: " + ", ".join(f"{lr:g}" for lr in ends if lr not in known) + "."
        return blit.png(), said

    def job(rows, optimizer):
        tested, ends = [], {}
        yield rows, optimizer, tested, ends, False
        with training.one_thread():
            for pair in lab.range_test(steps, rows, optimizer):
                tested.append(pair)
                yield rows, optimizer, tested, ends, False
            for lr in lab.TRIED:
                ends[lr] = lab.trained_at(lr, steps, rows, optimizer)
                yield rows, optimizer, tested, dict(ends), True

    return LivePanel(
        {
            "rows": control(widgets.SelectionSlider, "Rows of a batch", options=[2, 4, 8, 16], value=8),
            "optimizer": control(
                widgets.Dropdown,
                "Optimizer",
                options=[("AdamW", "adamw"), ("SGD with momentum 0.9", "momentum"), ("SGD", "sgd")],
                value="adamw",
            ),
        },
        job,
        draw,
        stop=True,
        note=f"The tiny model; {steps} steps for the test and {steps} for each of the {len(lab.TRIED)} whole runs.",
    )
