"""Week 6, batch size: a map of learning rate and batch size that trains live; how many rows an update is worth."""

import math

import ipywidgets as widgets
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from course.lab import ensembles, gradients, plots, training
from course.lab.clinics import week6_batch as clinics
from course.lab.live import LivePanel, control

BOUNDS = [2.4, 2.5, 2.55, 2.6, 2.65, 2.7, 2.8, 2.9, 3.0, 3.2, 3.5, 4.0, 4.5, 5.0, 5.55]  # nats, finer where it is low
RULES = {
    "linear": lambda lr, base, size: lr * size / base,
    "square root": lambda lr, base, size: lr * (size / base) ** 0.5,
}
LOOKS = {"linear": (plots.VERMILION, "-"), "square root": (plots.BLUE, (0, (4, 2)))}


def _colours():
    from matplotlib import colormaps

    return ListedColormap(colormaps["viridis_r"](np.linspace(0, 1, len(BOUNDS) + 1)))


def heat_map(steps: int = ensembles.ROWS // 4) -> LivePanel:
    """Losses of 16 learning rates x 6 batch sizes while all of them train, with both scaling rules drawn over them.

    `steps`: updates of the runs with batches of 4; every run reads 4 times as many rows.
    """
    rows, sizes, count = 4 * steps, ensembles.SIZES, len(ensembles.LRS["sgd"])
    fig, (left, right) = plots.figure(2, (9.6, 4.6), widths=(1.7, 1))
    plots.style(left, "Learning rate", "Batch size (rows)", "Bright: a low loss. ×: diverged")
    left.grid(False)
    left.set_xlim(-0.5, count - 0.5)
    left.set_ylim(-0.5, len(sizes) - 0.5)
    left.set_yticks(range(len(sizes)), [str(size) for size in sizes])
    left.set_xticks([])
    left.xaxis.set_label_coords(0.5, -0.09)
    colours, norm = _colours(), BoundaryNorm(BOUNDS, len(BOUNDS) + 1, extend="both")
    mesh = left.pcolormesh(
        np.arange(count + 1) - 0.5,
        np.arange(len(sizes) + 1) - 0.5,
        np.resize(np.linspace(2.3, 5.7, 60), (len(sizes), count)),
        cmap=colours,
        norm=norm,
    )
    mesh.update_scalarmappable()  # so that all its colours are known before the first frame
    bar = fig.colorbar(mesh, ax=left, ticks=[2.4, 2.5, 2.6, 2.7, 2.9, 3.2, 4.0, 5.0], pad=0.02)
    bar.set_label("Loss (nats per byte)", fontsize=plots.FONT - 1)
    ticks = [left.text(k, -0.62, "", ha="center", va="top", fontsize=plots.FONT - 2) for k in range(0, count, 3)]
    (lost,) = left.plot([], [], "x", color=plots.VERMILION, ms=9, mew=2)
    (best,) = left.plot([], [], "o", color=plots.BLACK, ms=11, mfc="none", mew=2)
    lines = {name: left.plot([], [], color=c, ls=ls, lw=3)[0] for name, (c, ls) in LOOKS.items()}
    plots.style(
        right, "Batch size (rows)", "Loss (nats per byte)", "Along the lines", ylim=(2.35, 4.2), xlim=(-0.3, 5.3)
    )
    right.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    (floor,) = right.plot([], [], "o-", color=plots.BLACK, mfc="none", ms=9, lw=1.5, label="best rate of each row")
    curves = {
        name: right.plot([], [], marker="o", color=c, ls=ls, lw=2.5, label=name)[0] for name, (c, ls) in LOOKS.items()
    }
    plots.legend(right, loc="upper left")
    blit = plots.Blit(fig, [mesh, *ticks, lost, *lines.values(), best, floor, *curves.values()])

    def column(found, lr):
        return math.log(lr / found.lrs[0]) / math.log(found.lrs[1] / found.lrs[0])

    def draw(state):
        found, share = state
        grid = np.full((len(sizes), count), np.nan)
        for row, size in enumerate(sizes):
            if size in found.losses:
                grid[row] = found.losses[size]
        mesh.set_array(np.ma.masked_invalid(grid))
        for k, tick in zip(range(0, count, 3), ticks, strict=True):
            tick.set_text(f"{found.lrs[k]:.2g}")
        gone = [(k, row) for row, size in enumerate(sizes) if size in found.losses for k in range(count)]
        gone = [(k, row) for k, row in gone if not math.isfinite(grid[row, k])]
        lost.set_data([k for k, _ in gone], [row for _, row in gone])
        tops = {size: k for size in sizes if size in found.losses and (k := found.best(size)) is not None}
        best.set_data(list(tops.values()), [sizes.index(size) for size in tops])
        lowest = {size: found.losses[size][k] for size, k in tops.items()}
        floor.set_data([sizes.index(size) for size in lowest], list(lowest.values()))
        name = {"sgd": "SGD", "adamw": "AdamW"}[found.optimizer]
        if sizes[0] not in tops:
            for artist in (*lines.values(), *curves.values()):
                artist.set_data([], [])
            return blit.png(), f"{name}: {len(sizes) * count} models of 10 thousand weights begin to train."
        start, said = share * found.lrs[tops[sizes[0]]], []
        for rule, foretell in RULES.items():
            rates = {size: foretell(start, sizes[0], size) for size in lowest}
            lines[rule].set_data([column(found, lr) for lr in rates.values()], [sizes.index(size) for size in rates])
            losses = {size: clinics.at_rate(found, size, lr) for size, lr in rates.items()}
            curves[rule].set_data(*plots.finite([sizes.index(size) for size in losses], losses.values()))
            broken = [size for size, loss in losses.items() if not loss < lowest[size] + clinics.NEAR]
            words = f"from batch {broken[0]} on" if broken else "at no batch size"
            said.append(f"the {rule} rule is {clinics.NEAR:g} nats or more above the best of the row {words}")
        done = "held-out loss" if found.done == 1 else f"{found.done:.0%} of {found.rows} rows read, loss of the last"
        rates = "; ".join(f"batch {size}: {found.lrs[k]:.2g} ({lowest[size]:.2f} nats)" for size, k in tops.items())
        from_rate = f"From {share:g} × the best rate at batch {sizes[0]}"
        return blit.png(), (
            f"{name}, {done}. Best rates: {rates}. {len(gone)} runs diverged. {from_rate}: {'; '.join(said)}."
        )

    def job(optimizer, share):
        if (optimizer, rows) not in clinics.FINISHED:
            yield ensembles.Sweep(optimizer, ensembles.LRS[optimizer], rows), share
        for found in clinics.sweeping(optimizer, rows):
            yield found, share

    return LivePanel(
        {
            "optimizer": control(
                widgets.SelectionSlider, "Optimizer", options=[("SGD", "sgd"), ("AdamW", "adamw")], value="sgd"
            ),
            "share": control(
                widgets.SelectionSlider,
                "Lines start at this × the best rate of batch 2",
                options=[0.0625, 0.125, 0.25, 0.5, 1.0, 2.0],
                value=0.25,
            ),
        },
        job,
        draw,
        stop=True,
        note=f"Each of the 96 models reads the same {rows} rows of 32 bytes, in batches of its size.",
    )


def batch_worth(steps: int = 300) -> LivePanel:
    """|g|² against the batch size, the noise scale read off it, and what a batch of any size costs."""
    sizes = [1, 2, 4, 8, 16, 32, 64, 128]
    fig, (left, right) = plots.figure(2, (9.6, 4.1))
    ticks = {"xscale": "log", "xlim": (0.85, 150), "yscale": "log"}
    plots.style(left, "Rows of the batch", "|g|² of its gradient", "Longer than the signal, by the noise", **ticks)
    plots.style(
        right, "Rows of the batch", "Over the fewest possible", "The price of a batch size", ylim=(0.9, 900), **ticks
    )
    for ax in (left, right):
        ax.set_xticks(sizes, [str(size) for size in sizes])
        ax.minorticks_off()
    left.set_ylim(0.01, 3)
    (dots,) = left.plot([], [], ".", color=plots.SKY, ms=8, label="measured, each shuffle")
    (line,) = left.plot([], [], color=plots.BLUE, lw=2.5, label="|G|² + S / rows")
    (signal,) = left.plot([], [], "--", color=plots.BLACK, lw=1.5, label="|G|², the signal")
    (updates,) = right.plot([], [], color=plots.VERMILION, lw=2.5, label="updates needed")
    (read,) = right.plot([], [], color=plots.GREEN, lw=2.5, label="rows read in all")
    (critical,) = right.plot([], [], "--", color=plots.BLACK, lw=1.5, label="the noise scale")
    (chosen,) = right.plot([], [], "o", color=plots.BLACK, ms=9)
    plots.legend(left, loc="upper right")
    plots.legend(right, loc="upper center")
    blit = plots.Blit(fig, [dots, line, signal, updates, read, critical, chosen])

    def draw(state):
        before, size, found = state
        if not found:
            return blit.png(), f"After {before} updates: the gradients of 256 rows are being taken, one by one."
        dots.set_data([s for s in sizes for _ in found[s]], [v for s in sizes for v in found[s]])
        small, big = (sum(found[s]) / len(found[s]) for s in (4, 64))
        length, noise = (64 * big - 4 * small) / 60, (small - big) / (1 / 4 - 1 / 64)
        scale = noise / length
        line.set_data(sizes, [length + noise / s for s in sizes])
        signal.set_data(sizes, [length] * len(sizes))
        updates.set_data(sizes, [1 + scale / s for s in sizes])
        read.set_data(sizes, [1 + s / scale for s in sizes])
        critical.set_data([scale, scale], [0.9, 60])
        chosen.set_data([size, size], [1 + scale / size, 1 + size / scale])
        return blit.png(), (
            f"After {before} updates: |G|² is {length:.3g}, S is {noise:.3g}, the noise scale S / |G|² is {scale:.3g} "
            f"rows. By this, batches of {size} need {1 + scale / size:.2g} times the fewest updates and "
            f"{1 + size / scale:.2g} times the fewest rows."
        )

    def job(before, size):
        yield before, size, {}
        with training.one_thread():
            rows = gradients.rows_of(before)
            found = {
                s: [float(gradients.parts(rows, s, seed).square().sum(1).mean()) for seed in range(4)] for s in sizes
            }
        yield before, size, found

    return LivePanel(
        {
            "size": control(widgets.SelectionSlider, "Rows of the batch", options=sizes, value=16),
            "before": control(
                widgets.SelectionSlider,
                "Updates before",
                options=sorted({0, steps // 15, steps // 3, steps}),
                value=steps // 3,
            ),
        },
        job,
        draw,
        note="The tiny model; S and |G|² come from batches of 4 and of 64 rows out of 256 (McCandlish et al. 2018).",
    )
