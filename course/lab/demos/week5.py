"""Week 5: four optimizers race down a surface; what bias correction does to the first steps of Adam."""

import functools
import math

import ipywidgets as widgets
import torch

from course.lab import plots, training
from course.lab.live import LivePanel, control

WINDOW = (-2.2, 2.2)  # of both weights
SHARES = (0, 0.0005, 0.002, 0.006, 0.015, 0.04, 0.09, 0.18, 0.32, 0.55, 1.001)  # of the height: contours
LEFT = 1e3  # a runner this far away has diverged


def _quadratic(x, y, steep=1.0, flat=0.02):
    return 0.5 * (steep * (x - 0.3) ** 2 + flat * (y - 1.0) ** 2)


def _turned(x, y):
    u, w = (x - y) / math.sqrt(2), (x + y) / math.sqrt(2)
    return 0.5 * ((u + 0.3) ** 2 + 0.02 * (w - 1.0) ** 2)


SURFACES = {  # name: (loss of the two weights, where the runners start, standard deviation of the slope's noise)
    "ravine": (_quadratic, (-1.6, -1.6), 0.0),
    "ravine, turned": (_turned, (-1.9, 0.4), 0.0),
    "saddle": (lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4, (-1.8, 0.002), 0.0),
    "noisy bowl": (lambda x, y: 0.5 * ((x - 0.5) ** 2 + (y - 0.5) ** 2), (-1.6, -1.6), 1.0),
}
RUNNERS = {
    "SGD": lambda p, lr, beta1, beta2, decay: torch.optim.SGD(p, lr, weight_decay=decay),
    "momentum": lambda p, lr, beta1, beta2, decay: torch.optim.SGD(p, lr, momentum=beta1, weight_decay=decay),
    "Adam": lambda p, lr, beta1, beta2, decay: torch.optim.Adam(p, lr, (beta1, beta2), weight_decay=decay),
    "AdamW": lambda p, lr, beta1, beta2, decay: torch.optim.AdamW(p, lr, (beta1, beta2), weight_decay=decay),
}
COLOURS = dict(zip(RUNNERS, (plots.VERMILION, plots.ORANGE, plots.GREEN, plots.BLUE), strict=True))


def race(
    surface: str, lr: float, beta1: float, beta2: float, decay: float, steps: int
) -> dict[str, list[tuple[float, float, float]]]:
    """{runner: (first weight, second weight, loss without noise or decay) before each step and after the last}.

    torch.optim does the stepping. All runners meet the same noise. A path ends where its runner has diverged.
    """
    loss, start, noise = SURFACES[surface]
    rough = noise * torch.randn(steps, 2, generator=training.generator(0, 5), dtype=torch.float64)
    paths = {}
    for name, make in RUNNERS.items():
        at = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer, path = make([at], lr, beta1, beta2, decay), []
        for bump in [*rough, None]:
            value = loss(*at)
            path.append((*at.tolist(), value.item()))
            if bump is None or max(map(abs, path[-1][:2])) > LEFT:
                break
            at.grad = torch.autograd.grad(value, at)[0] + bump
            optimizer.step()
        paths[name] = path
    return paths


@functools.cache
def _lowest(surface):
    axis = torch.linspace(*WINDOW, 221)
    return float(SURFACES[surface][0](axis, axis[:, None]).min())


def optimizers(steps: int = 80) -> LivePanel:
    """SGD, momentum, Adam and AdamW from the same place down the same surface."""
    fig, (left, right) = plots.figure(2, (9.6, 4.6), widths=(1.1, 1))
    plots.style(left, "First weight", "Second weight", "From above: dark is high", xlim=WINDOW, ylim=WINDOW)
    plots.style(
        right,
        "Step (updates)",
        "Loss above the lowest",
        "Along the way",
        xlim=(0, steps),
        ylim=(1e-6, 20),
        yscale="log",
    )
    grounds = {}
    axis = torch.linspace(*WINDOW, 160)
    for name, (loss, _, _) in SURFACES.items():
        height = loss(axis, axis[:, None])
        height = height - height.min()
        levels = [float(height.max()) * share for share in SHARES]
        grounds[name] = left.contourf(axis, axis, height, levels=levels, cmap="Greys", alpha=0.75)
    (start,) = left.plot([], [], "o", color=plots.BLACK, ms=9)
    looks = {name: {"color": colour, "lw": 5 if name == "Adam" else 2} for name, colour in COLOURS.items()}
    paths = {name: left.plot([], [], "o-", ms=1.8 * look["lw"], **look)[0] for name, look in looks.items()}
    ends = {
        name: left.plot([], [], "s", ms=15 if name == "Adam" else 9, color=colour, mec="white")[0]
        for name, colour in COLOURS.items()
    }
    curves = {name: right.plot([], [], **look)[0] for name, look in looks.items()}
    plots.legend(right, handles=list(curves.values()), labels=list(curves), loc="lower left", ncols=2)
    blit = plots.Blit(fig, [*paths.values(), *curves.values(), start, *ends.values()], list(grounds.values()))

    def draw(state):
        surface, lr, found = state
        for name, ground in grounds.items():
            ground.set_visible(name == surface)
        blit.settle()
        start.set_data(*([one] for one in SURFACES[surface][1]))
        said = []
        for name, path in found.items():
            xs, ys, losses = zip(*path, strict=True)
            paths[name].set_data(xs, ys)
            ends[name].set_data(xs[-1:], ys[-1:])
            above = [max(one - _lowest(surface), 1e-7) for one in losses]
            curves[name].set_data(range(len(path)), above)
            gone = max(abs(xs[-1]), abs(ys[-1])) > LEFT
            said.append(f"{name} {'has diverged' if gone else f'ends {above[-1]:.2g} above the lowest loss'}")
        return blit.png(), f"{surface.capitalize()}, learning rate {lr:g}, {steps} steps: {', '.join(said)}."

    def job(surface, lr, beta1, beta2, decay):
        yield surface, lr, race(surface, lr, beta1, beta2, decay, steps)

    slide = functools.partial(control, widgets.SelectionSlider)
    return LivePanel(
        {
            "surface": slide("Surface", options=list(SURFACES), value="ravine"),
            "lr": slide("Learning rate", options=[0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 1.9, 2.1], value=0.1),
            "beta1": slide("β₁, and momentum", options=[0.0, 0.5, 0.8, 0.9, 0.95, 0.99], value=0.9),
            "beta2": slide("β₂", options=[0.0, 0.5, 0.9, 0.95, 0.99, 0.999], value=0.999),
            "decay": slide("Weight decay", options=[0.0, 0.01, 0.1, 0.3, 1.0], value=0.0),
        },
        job,
        draw,
        note="torch.optim's own steps. Weight decay is in the gradient for all but AdamW; without decay Adam and AdamW "
        "are the same, and blue lies on green. A square marks where a runner stands at the end.",
    )


def first_steps(beta1: float, beta2: float, noise: float, steps: int):
    """([(average, corrected average)], [(step without, step with correction)]) in units of the gradient and of lr.

    The gradient is 1 plus noise of that standard deviation; eps is zero.
    """
    slopes = (1 + noise * torch.randn(steps, generator=training.generator(0, 6), dtype=torch.float64)).tolist()
    m = v = 0.0
    averages, lengths = [], []
    for t, slope in enumerate(slopes, 1):
        m, v = beta1 * m + (1 - beta1) * slope, beta2 * v + (1 - beta2) * slope**2
        fair, size = m / (1 - beta1**t), v / (1 - beta2**t)
        averages.append((m, fair))
        lengths.append((m / math.sqrt(v), fair / math.sqrt(size)))
    return averages, lengths


def bias_correction(steps: int = 200) -> LivePanel:
    """Adam's running average and the length of its steps, with the correction on and off."""
    fig, (left, right) = plots.figure(2, (9.6, 4.0))
    plots.style(
        left, "Step (updates)", "Average of the gradient", "The gradient is 1 on average", xlim=(0, steps), ylim=(0, 2)
    )
    plots.style(
        right,
        "Step (updates)",
        "Length of the step (in lr)",
        "The step that follows",
        xlim=(0, steps),
        ylim=(0.2, 15),
        yscale="log",
        yticks=[0.3, 1, 3, 10],
        yticklabels=["0.3", "1", "3", "10"],
    )
    for ax in (left, right):
        ax.axhline(1, color=plots.GREY, ls="--", lw=1.2)
    looks = {"off": {"color": plots.VERMILION, "lw": 2.2}, "on": {"color": plots.BLUE, "lw": 2.2}}
    lines = [[ax.plot([], [], label=f"correction {name}", **look)[0] for name, look in looks.items()]
             for ax in (left, right)]  # fmt: skip
    plots.legend(left, loc="lower right")
    blit = plots.Blit(fig, [*lines[0], *lines[1]])

    def draw(state):
        beta1, beta2, found = state
        for pair, values in zip(lines, found, strict=True):
            for line, series in zip(pair, zip(*values, strict=True), strict=True):
                line.set_data(range(1, steps + 1), series)
        averages, lengths = found
        at = min(99, steps - 1)
        return blit.png(), (
            f"β₁ {beta1:g}, β₂ {beta2:g}. Correction off: the average begins at {averages[0][0]:.3g}, the first step "
            f"is {lengths[0][0]:.2f} lr, step {at + 1} is {lengths[at][0]:.2f} lr. On: the average begins at "
            f"{averages[0][1]:.3g}, and the steps are {lengths[0][1]:.2f} and {lengths[at][1]:.2f} lr."
        )

    def job(beta1, beta2, noise):
        yield beta1, beta2, first_steps(beta1, beta2, noise, steps)

    slide = functools.partial(control, widgets.SelectionSlider)
    return LivePanel(
        {
            "beta1": slide("β₁", options=[0.0, 0.5, 0.8, 0.9, 0.95, 0.99], value=0.9),
            "beta2": slide("β₂", options=[0.0, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999], value=0.999),
            "noise": slide("Noise in the gradient", options=[0.0, 0.1, 0.3, 0.6, 1.0], value=0.1),
        },
        job,
        draw,
        note="One weight whose gradient is 1 on average. The dashed lines: the true average, and a step of one lr.",
    )
