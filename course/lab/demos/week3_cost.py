"""Week 3: what a training step takes in memory and in time, in float32 and under autocast, on the machine at hand."""

import ipywidgets as widgets
import torch

from course.lab import plots, precision
from course.lab.live import LivePanel, control
from course.lab.memory import readable

PARTS = {"weights": plots.BLUE, "gradients": plots.SKY, "state": plots.GREEN, "copies": plots.ORANGE,
         "activations": plots.VERMILION}  # fmt: skip


def speed_and_memory() -> LivePanel:
    """What a training step takes here in float32 and under autocast: bytes by what they are for, and time."""
    dtypes = (torch.float32, torch.bfloat16, torch.float16)
    names = [str(dtype).removeprefix("torch.") for dtype in dtypes]

    def job(rows, width):
        yield rows, width, []
        costs = []
        for dtype in dtypes:
            costs.append(precision.cost(dtype, rows, width))
            yield rows, width, costs

    def draw(state):
        rows, width, costs = state
        fig, (left, right) = plots.figure(2, widths=(1.5, 1))
        plots.style(left, "Memory (MiB)", "Autocast to", "Bytes at the end of a forward pass")
        plots.style(right, "Time of a step (ms)", "Autocast to", "Measured here")
        for y, cost in enumerate(costs):
            at = 0.0
            for part, colour in PARTS.items():
                size = getattr(cost, part) / 2**20
                left.barh(y, size, left=at, color=colour, label=part if y == 0 else None)
                at += size
            right.barh(y, 1000 * cost.seconds, color=plots.GREY)
        for ax in (left, right):
            ax.set(yticks=range(3), yticklabels=["none: float32", *names[1:]], ylim=(2.6, -0.6))
        if costs:
            plots.legend(
                left, ncols=3, loc="upper center", bbox_to_anchor=(0.45, -0.2), handlelength=1, columnspacing=1
            )
        sizes = "; ".join(
            f"{name} {readable(cost.bytes)}, of which activations {readable(cost.activations)} and copies of weights "
            f"{readable(cost.copies)}"
            for name, cost in zip(names, costs, strict=False)
        )
        times = ", ".join(f"{name} {1000 * cost.seconds:,.1f} ms" for name, cost in zip(names, costs, strict=False))
        # Not to be broken: where a line ends must not depend on how long a measured number is.
        times = f"Measured here, a step takes: {times}.".replace(" ", "\u00a0")
        return plots.png(fig), f"{rows} rows of 64 bytes, width {width}, AdamW: {sizes or 'measuring'}. {times}"

    return LivePanel(
        {
            "rows": control(widgets.SelectionSlider, "Batch size (rows)", options=[1, 4, 16], value=16),
            "width": control(widgets.SelectionSlider, "Width of the model", options=[32, 128, 256], value=256),
        },
        job,
        draw,
        stop=True,
        note=f"Two layers, on {'the GPU' if precision.device() == 'cuda' else 'one thread of the processor'}; each "
        "setting is measured once, as the median of three steps.",
    )
