"""Week 4: a cliff and a limit on the step, how well a part of a batch points like the whole, what autograd keeps."""

import functools
import math

import ipywidgets as widgets
import torch

from course.lab import activations, gradients, plots, text, training
from course.lab.gpt import GPT, GPTConfig
from course.lab.live import LivePanel, control

DEPTH, TARGET = 50, 0.7  # how often the neuron is applied; what should come out
WINDOW = (3.2, 5.8), (-3.0, 0.5)  # of the weight w and the bias b
START = (5.2, -1.5)


def neuron(w: float, b: float) -> tuple[float, float, float]:
    """(loss, its slopes by w and b) of x ← sigmoid(w·x + b), applied 50 times from x = 0.5: (x - 0.7)²."""
    x, by_w, by_b = 0.5, 0.0, 0.0
    for _ in range(DEPTH):
        y = 1 / (1 + math.exp(-max(-500.0, min(500.0, w * x + b))))
        by_w, by_b = y * (1 - y) * (x + w * by_w), y * (1 - y) * (1 + w * by_b)
        x = y
    return (x - TARGET) ** 2, 2 * (x - TARGET) * by_w, 2 * (x - TARGET) * by_b


def descent(lr: float, max_norm: float, steps: int, start=START) -> list[tuple[float, float, float, float]]:
    """(w, b, loss, gradient norm) before each of `steps` steps of gradient descent and after the last one."""
    (w, b), path = start, []
    for step in range(steps + 1):
        loss, by_w, by_b = neuron(w, b)
        norm = math.hypot(by_w, by_b)
        path.append((w, b, loss, norm))
        if step < steps:
            size = lr * min(1.0, max_norm / norm) if norm else 0.0
            w, b = w - size * by_w, b - size * by_b
    return path


@functools.cache
def _surface(columns=240, rows=200):
    """The neuron's loss over the window: two axes and a (rows, columns) grid."""
    w, b = torch.linspace(*WINDOW[0], columns), torch.linspace(*WINDOW[1], rows)
    x = torch.full((rows, columns), 0.5)
    for _ in range(DEPTH):
        x = torch.sigmoid(w * x + b[:, None])
    return w, b, (x - TARGET) ** 2


def cliff(steps: int = 120) -> LivePanel:
    """Gradient descent on the loss of one neuron applied 50 times, with and without a limit on the gradient's norm."""
    fig, (left, right) = plots.figure(2, (9.6, 4.4), widths=(1.15, 1))
    w, b, loss = _surface()
    plots.style(left, "Weight w", "Bias b", "The loss from above: dark is high", xlim=WINDOW[0], ylim=WINDOW[1])
    left.contourf(w, b, loss, levels=[0, 0.002, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5], cmap="Greys", alpha=0.75)
    plots.style(
        right,
        "Step (updates)",
        "Loss (squared error)",
        "The loss along the way",
        xlim=(0, steps),
        ylim=(1e-7, 1),
        yscale="log",
    )
    looks = ((plots.VERMILION, "no limit"), (plots.BLUE, "clipped"))
    paths = [left.plot([], [], "o-", color=colour, lw=1.6, ms=3.5, label=name)[0] for colour, name in looks]
    curves = [right.plot([], [], color=colour, lw=2.2, label=name)[0] for colour, name in looks]
    (start,) = left.plot(*([one] for one in START), "o", color=plots.BLACK, ms=9, label="start")
    ends = [left.plot([], [], "s", color=colour, ms=9)[0] for colour, _ in looks]
    plots.legend(left, handles=[start, *paths], labels=["start", *(name for _, name in looks)], loc="upper left")
    plots.legend(right, loc="lower left")
    blit = plots.Blit(fig, [*paths, *curves, *ends])

    def draw(state):
        lr, max_norm, runs = state
        said = []
        for run, path, curve, end in zip(runs, paths, curves, ends, strict=True):
            ws, bs, losses, norms = zip(*run, strict=True)
            path.set_data(ws, bs)
            curve.set_data(range(len(run)), [max(one, 1e-12) for one in losses])
            end.set_data(ws[-1:], bs[-1:])
            largest = max(norms)
            said.append(
                f"largest gradient norm {largest:.3g} at step {norms.index(largest) + 1}, "
                f"the loss goes from {losses[0]:.3f} to {losses[-1]:.2g}"
            )
            if not (WINDOW[0][0] < ws[-1] < WINDOW[0][1] and WINDOW[1][0] < bs[-1] < WINDOW[1][1]):
                said[-1] += ", and the run has left the picture: diverged"
        return blit.png(), f"Learning rate {lr:.2g}. No limit: {said[0]}. Clipped to {max_norm:g}: {said[1]}."

    def job(lr, max_norm):
        yield lr, max_norm, (descent(lr, math.inf, steps), descent(lr, max_norm, steps))

    return LivePanel(
        {
            "max_norm": control(
                widgets.SelectionSlider, "Clip norm", options=[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0], value=1.0
            ),
            "lr": control(
                widgets.SelectionSlider,
                "Learning rate",
                options=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.5, 2.0],
                value=0.3,
            ),
        },
        job,
        draw,
        note="One neuron, fed with its own output 50 times (Pascanu, Mikolov and Bengio 2013). It should end at 0.7.",
    )


def gradient_agreement(steps: int = 300) -> LivePanel:
    """How well the gradient of a few rows points like that of 256, by their number and by how far training has come."""
    sizes, pool = [1, 2, 4, 8, 16, 32, 64, 128], 256
    fig, (left, right) = plots.figure(2, widths=(1.35, 1))
    plots.style(
        left,
        "Rows of the micro-batch",
        "Cosine with the gradient of 256 rows",
        "The more rows, the better the direction",
        xscale="log",
        xlim=(0.85, 150),
        ylim=(-0.45, 1.05),
        xticks=sizes,
        xticklabels=[str(size) for size in sizes],
    )
    left.minorticks_off()
    (dots,) = left.plot([], [], ".", color=plots.SKY, ms=7)
    (means,) = left.plot([], [], "o-", color=plots.BLUE, lw=2, ms=8)
    (foretold,) = left.plot([], [], color=plots.ORANGE, lw=2.5, ls=(0, (3, 2)))
    (chosen,) = left.plot([], [], "o", color=plots.VERMILION, ms=12)
    labels = ["a micro-batch", "their mean", "foretold from single rows", "the size chosen"]
    plots.legend(left, handles=[dots, means, foretold, chosen], labels=labels, loc="lower right")
    plots.style(
        right,
        "Along the whole batch's gradient",
        "Across it",
        "Directions, at the size chosen",
        xlim=(-0.6, 1.1),
        ylim=(-1.1, 1.1),
    )
    arrows = [right.plot([], [], color=plots.SKY, lw=1.5)[0] for _ in range(16)]
    right.plot([0, 1], [0, 0], color=plots.BLACK, lw=3)
    right.annotate("all 256 rows", (1, 0.04), ha="right", fontsize=plots.FONT - 1)
    blit = plots.Blit(fig, [dots, *arrows, foretold, means, chosen])

    def draw(state):
        before, size, found, line = state
        if not found:
            return blit.png(), f"After {before} updates: the gradients of {pool} rows are being taken, one by one."
        dots.set_data([s for s, values in found.items() for _ in values], [v for vs in found.values() for v in vs])
        average = {s: sum(values) / len(values) for s, values in found.items()}
        means.set_data(list(average), list(average.values()))
        foretold.set_data(sizes, line)
        chosen.set_data([size], [average[size]])
        for i, arrow in enumerate(arrows):
            some = found[size][i : i + 1]
            arrow.set_data([0, *some], [0, *((-1) ** i * math.sqrt(max(0.0, 1 - c * c)) for c in some)])
        angle = math.degrees(math.acos(max(-1.0, min(1.0, average[size]))))
        return blit.png(), (
            f"After {before} updates, the gradient of {size} row{'s' * (size > 1)} has a mean cosine of "
            f"{average[size]:.2f} with that of {pool} rows, an angle of {angle:.0f} degrees "
            f"({line[sizes.index(size)]:.2f} foretold from the spread of single rows). One row has {average[1]:.2f}, "
            f"{sizes[-1]} rows have {average[sizes[-1]]:.2f}."
        )

    def job(before, size):
        yield before, size, {}, []
        rows = gradients.rows_of(before)
        with training.one_thread():
            found = {s: gradients.agreement(rows, s).tolist() for s in sizes}
            yield before, size, found, [gradients.expected_agreement(rows, s) for s in sizes]

    return LivePanel(
        {
            "size": control(widgets.SelectionSlider, "Rows of the micro-batch", options=sizes, value=4),
            "before": control(
                widgets.SelectionSlider,
                "Updates before",
                options=sorted({0, steps // 15, steps // 3, steps}),
                value=steps // 3,
            ),
        },
        job,
        draw,
        note="The tiny model, rows of 64 bytes; every gradient is measured here, on the same 256 rows.",
    )


def activation_memory() -> LivePanel:
    """Bytes that autograd keeps for the backward pass, with every block checkpointed and without."""
    rows, most, width = 4, 8, GPTConfig()
    fig, (left, right) = plots.figure(2, widths=(1, 1.5))
    plots.style(
        left,
        "One block",
        "Kept for each token (bytes)",
        "What a block keeps",
        xlim=(-0.6, 1.6),
        xticks=[0, 1],
        xticklabels=["plain", "checkpointed"],
        ylim=(0, 3900),
    )
    parts = {
        "MLP": 16 * width.mlp_width,
        "attention": 4 * (6 * width.width + width.heads),
        "two norms": 4 * (6 * width.width + 2),
    }
    bottom = 0
    for (name, size), colour in zip(parts.items(), (plots.ORANGE, plots.GREEN, plots.SKY), strict=True):
        left.bar([0], [size], 0.6, bottom=[bottom], color=colour)
        left.annotate(f"{name}\n{size:,}", (0, bottom + size / 2), ha="center", va="center", fontsize=plots.FONT - 1)
        bottom += size
    left.bar([1], [4 * width.width], 0.6, color=plots.BLUE)
    left.annotate(f"its input\n{4 * width.width:,}", (1, 200), ha="center", va="bottom", fontsize=plots.FONT - 1)
    plots.style(
        right,
        "Layers (blocks)",
        "Kept after the forward pass (MB)",
        "The whole model, at this length",
        xlim=(0.7, most + 0.3),
        ylim=(0.02, 900),
        yscale="log",
    )
    looks = ((plots.VERMILION, "plain"), (plots.BLUE, "checkpointed"))
    lines = [right.plot([], [], "--", color=colour, lw=2)[0] for colour, _ in looks]
    dots = [right.plot([], [], "o", color=colour, ms=11)[0] for colour, _ in looks]
    names = [*(f"{name}, predicted" for _, name in looks), "measured (dots)"]
    plots.legend(right, handles=[*lines, dots[0]], labels=names, loc="upper left")
    blit = plots.Blit(fig, [*lines, *dots])

    def draw(state):
        config, length, found = state
        tokens, depths = rows * length, range(1, most + 1)
        for checkpoints in (False, True):
            told = [activations.predicted(GPTConfig(layers=depth), tokens, checkpoints) / 1e6 for depth in depths]
            lines[checkpoints].set_data(depths, told)
            dots[checkpoints].set_data([config.layers], [found[checkpoints] / 1e6])
        told = [activations.predicted(config, tokens, checkpoints) for checkpoints in (False, True)]
        return blit.png(), (
            f"{config.layers} block{'s' * (config.layers > 1)}, {rows} rows of {length} tokens: plain keeps "
            f"{found[0]:,} bytes ({told[0]:,} predicted), checkpointed {found[1]:,} ({told[1]:,} predicted), "
            f"{found[0] / found[1]:.1f} times less. While a block is computed again, "
            f"{4 * tokens * activations.block_numbers(config):,} bytes more are held for a moment."
        )

    def job(layers, length):
        with training.one_thread():
            config = GPTConfig(layers=layers, seq_len=256)
            model = GPT(config, training.generator(0, 0))
            ids = next(text.windows("train", rows, length, training.generator(0, 9)))
            yield config, length, [activations.measured(model, ids, checkpoints) for checkpoints in (False, True)]

    return LivePanel(
        {
            "layers": control(widgets.IntSlider, "Layers (blocks)", min=1, max=most, value=4),
            "length": control(
                widgets.SelectionSlider, "Length (tokens)", options=[16, 32, 64, 128, 192, 256], value=64
            ),
        },
        job,
        draw,
        note=f"The course's GPT at width {width.width}, {rows} rows; the logits and the loss are not counted.",
    )
