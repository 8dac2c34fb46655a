"""Week 6, landscape: slices of a tiny model's loss, and how sharp the ground becomes under gradient descent."""

import functools
import itertools
import math

import ipywidgets as widgets
import torch

from course.lab import ensembles, landscapes, plots, training
from course.lab.live import LivePanel, control

SHORT = ensembles.CONFIG | {"seq_len": 16}
LEVELS = [0, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.3, 3.6, 4, 4.5, 5, 5.5, 6, 7, 9, 1e9]  # nats


@functools.cache
def _trained(updates):
    model = training.tiny_model(**ensembles.CONFIG)
    batches = itertools.islice(training.tiny_batches(8, seq_len=ensembles.CONFIG["seq_len"]), updates)
    with training.one_thread():
        list(training.train(model, batches, training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)))
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def trained(updates: int):
    """A tiny model of its own after so many updates with AdamW."""
    model = training.tiny_model(**ensembles.CONFIG)
    model.load_state_dict(_trained(updates))
    return model


@torch.no_grad()
def rescaled(model, factor: float):
    """The same function with other numbers, in place: each norm's gain times `factor`, the matrix behind it divided."""
    block = model.blocks[0]
    for norm, matrix in (
        (block.norm1, block.attention.qkv),
        (block.norm2, block.mlp.gate_up),
        (model.norm, model.head),
    ):
        norm.weight.mul_(factor)
        matrix.weight.div_(factor)
    return model


ALPHAS, GRID = torch.linspace(-1, 1, 25).tolist(), torch.linspace(-1, 1, 15).tolist()


@functools.cache
def _slices(updates, factor, seed):
    """Losses of 8 rows: along a direction of numbers of one size, along one filter by filter, over two such."""
    model, rng = rescaled(trained(updates), factor), training.generator(seed, 11)
    batch = next(training.tiny_batches(8, 3, seq_len=ensembles.CONFIG["seq_len"]))
    raw = [torch.randn(p.shape, generator=rng) * 0.3 * (p.ndim > 1) for p in model.parameters()]
    first, second = (landscapes.filter_normalised(model, training.generator(seed, k)) for k in (12, 13))

    def loss(model):
        return training.loss(model, batch)

    with training.one_thread():
        return (
            landscapes.slice_1d(model, loss, raw, ALPHAS),
            landscapes.slice_1d(model, loss, first, ALPHAS),
            landscapes.slice_2d(model, loss, first, second, GRID, GRID),
        )


def loss_slices(steps: int = 300) -> LivePanel:
    """The loss along one random direction and over two of them, around a model after up to `steps` updates."""
    fig, (left, right) = plots.figure(2, (9.6, 4.4), widths=(1, 1.05))

    def draw(state):
        before, factor, seed, (raw, normalised, surface) = state
        left.clear()
        right.clear()
        plots.style(
            left,
            "α: share of the direction",
            "Loss (nats per byte)",
            "One direction",
            ylim=(1.5, 12),
            xlim=(-1, 1),
        )
        left.plot(ALPHAS, raw, color=plots.ORANGE, ls=(0, (4, 2)), lw=2.5, label="numbers of one size")
        left.plot(ALPHAS, normalised, color=plots.BLUE, lw=2.5, label="filter by filter")
        left.plot([0], [normalised[12]], "o", color=plots.BLACK, ms=8)
        plots.legend(left, loc="upper center")
        plots.style(
            right,
            "α: first direction",
            "β: second direction",
            "Two directions, filter by filter",
            xlim=(-1, 1),
            ylim=(-1, 1),
        )
        right.contourf(GRID, GRID, surface.clamp(max=50), levels=LEVELS, cmap="viridis_r", vmin=0, vmax=9)
        lines = right.contour(
            GRID, GRID, surface.clamp(max=50), levels=LEVELS[1:-1], colors=plots.BLACK, linewidths=0.7
        )
        right.clabel(lines, fmt="%g", fontsize=plots.FONT - 3)
        right.plot([0], [0], "o", color=plots.BLACK, ms=8)
        low = float(surface.min())
        return plots.png(fig), (
            f"After {before} updates, matrices divided by {factor:g} and gains multiplied: the loss is "
            f"{normalised[12]:.2f} nats. At both ends of the direction filter by filter it is {normalised[0]:.2f} and "
            f"{normalised[-1]:.2f}, with numbers of one size {raw[0]:.2f} and {raw[-1]:.2f}. On the map it goes from "
            f"{low:.2f} to {float(surface.max()):.2f}."
        )

    def job(before, factor, seed):
        yield before, factor, seed, _slices(before, factor, seed)

    return LivePanel(
        {
            "before": control(
                widgets.SelectionSlider,
                "Updates before",
                options=sorted({max(1, steps // 15), max(1, steps // 5), max(1, steps // 2), steps}),
                value=steps,
            ),
            "factor": control(
                widgets.SelectionSlider, "Matrices divided by", options=[0.2, 0.5, 1.0, 2.0, 5.0], value=1.0
            ),
            "seed": control(widgets.IntSlider, "Other directions", min=0, max=5, value=0),
        },
        job,
        draw,
        note="The loss of 8 rows; a gain before a matrix undoes its division, so the function is the same.",
    )


def descent(lr: float, steps: int = 300, every: int = 12):
    """Gradient descent on the same 16 rows; yields (step, loss, sharpness) every few steps, NaN once it diverged.

    The direction that the power iteration found last is where it starts next; four products each.
    """
    model, batch = training.tiny_model(**SHORT), next(training.tiny_batches(16, seq_len=SHORT["seq_len"]))
    params = list(model.parameters())
    vector = torch.randn(sum(p.numel() for p in params), generator=training.generator(0, 14))
    with training.one_thread():
        for step in range(steps + 1):
            loss = training.loss(model, batch)
            if not math.isfinite(loss.item()) or loss.item() > 12:
                yield step, math.nan, math.nan
                return
            gradient = torch.autograd.grad(loss, params)
            if step % every == 0:
                for _ in range(12 if step == 0 else 4):
                    unit = vector / vector.norm().clamp(min=1e-30)
                    vector = landscapes.hessian_times(lambda: training.loss(model, batch), params, unit)
                yield step, loss.item(), float(unit @ vector)
            with torch.no_grad():
                for p, g in zip(params, gradient, strict=True):
                    p.sub_(lr * g)


DESCENTS: dict = {}


def edge_of_stability(steps: int = 300) -> LivePanel:
    """The loss and the sharpness along full-batch gradient descent, beside 2 divided by the learning rate."""
    fig, (left, right) = plots.figure(2)
    plots.style(
        left, "Step (updates)", "Loss (nats per byte)", "16 rows, all in every step", xlim=(0, steps), ylim=(0, 6)
    )
    plots.style(
        right, "Step (updates)", "Sharpness", "The sharpest curvature", xlim=(0, steps), ylim=(0.3, 150), yscale="log"
    )
    (before,) = left.plot([], [], color=plots.GREY, lw=1.5)
    (losses,) = left.plot([], [], color=plots.BLUE, lw=2.2)
    (old,) = right.plot([], [], color=plots.GREY, lw=1.5, label="the run before")
    (sharp,) = right.plot([], [], "o-", color=plots.BLUE, lw=2.2, ms=5, label="sharpness")
    (limit,) = right.plot([], [], "--", color=plots.VERMILION, lw=2, label="2 ÷ learning rate")
    plots.legend(right, loc="lower right")
    blit = plots.Blit(fig, [before, old, losses, sharp, limit])
    shown = {"now": None, "last": None}

    def draw(state):
        lr, run = state
        if shown["now"] and shown["now"][0] != lr:
            shown["last"] = shown["now"]
        shown["now"] = lr, run
        last = shown["last"][1] if shown["last"] else []
        for points, (height, curvature) in ((run, (losses, sharp)), (last, (before, old))):
            at = [step for step, _, _ in points]
            height.set_data(*plots.finite(at, [loss for _, loss, _ in points]))
            curvature.set_data(*plots.finite(at, [one if one > 0 else math.nan for _, _, one in points]))
        limit.set_data([0, steps], [2 / lr] * 2)
        if not run:
            return blit.png(), f"Learning rate {lr:g}: 2 ÷ learning rate is {2 / lr:.3g}. The descent begins."
        alive = [one for one in run if math.isfinite(one[1])]
        half = [one[2] for one in alive[len(alive) // 2 :]]
        words = f"Learning rate {lr:g}, 2 ÷ learning rate {2 / lr:.3g}. "
        words += plots.curve_words("The loss", [one[1] for one in alive], "nats") + "; "
        words += f"the sharpness starts at {alive[0][2]:.2g}, its highest value is {max(one[2] for one in alive):.3g}, "
        words += f"the median of the second half is {sorted(half)[len(half) // 2]:.3g}."
        return blit.png(), words + f" The run diverged at step {run[-1][0]}." * (not math.isfinite(run[-1][1]))

    def job(lr):
        if (lr, steps) not in DESCENTS:
            yield lr, []
            run = []
            for one in descent(lr, steps, max(1, steps // 25)):
                run.append(one)
                yield lr, run
            DESCENTS[lr, steps] = run
        yield lr, DESCENTS[lr, steps]

    return LivePanel(
        {
            "lr": control(
                widgets.SelectionSlider,
                "Learning rate",
                options=[0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0],
                value=0.2,
            )
        },
        job,
        draw,
        stop=True,
        note="A model of 10 thousand weights; the sharpness is measured every few steps by power iteration.",
    )
