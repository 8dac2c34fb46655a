"""Week 0: what the machine is, and how two shapes become one."""

import ipywidgets as widgets
import torch
from matplotlib.patches import Rectangle

from course.lab import hardware, plots
from course.lab.live import LivePanel, control


def machine() -> None:
    """Prints in plain words what this machine has and what of the course runs on it."""
    print(hardware.describe())


SHAPES = [(), (1,), (3,), (4,), (1, 4), (3, 1), (3, 4), (4, 3)]


def _table(ax, values, name, colour):
    """One tensor of at most two axes as a table with its shape above."""
    cells = values.reshape(1, -1) if values.ndim < 2 else values
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.35, edgecolor="white", lw=2))
            ax.text(
                column + 0.5, row + 0.5, f"{cells[row, column]:g}", ha="center", va="center", fontsize=plots.FONT + 3
            )
    ax.set_title(f"{name}: {tuple(values.shape)}", fontsize=plots.FONT + 1)
    ax.set(xlim=(-0.1, 4.1), ylim=(4.1, -0.1), aspect="equal")
    ax.axis("off")


def _draw(state):
    shape_a, shape_b = state
    a = 10.0 * torch.arange(1, 1 + torch.Size(shape_a).numel()).reshape(shape_a)
    b = 1.0 * torch.arange(1, 1 + torch.Size(shape_b).numel()).reshape(shape_b)
    fig, axes = plots.figure(3, (9.6, 3.4))
    _table(axes[0], a, "a", plots.BLUE)
    _table(axes[1], b, "b", plots.ORANGE)
    try:
        total = a + b
        _table(axes[2], total, "a + b", plots.GREEN)
        words = f"{tuple(shape_a)} + {tuple(shape_b)} gives {tuple(total.shape)}. "
        words += "Compared from the right, two axes must be equal, or one of them 1 or absent: that one is repeated."
    except RuntimeError as error:
        axes[2].text(0.5, 0.55, "error", ha="center", color=plots.VERMILION, fontsize=24, transform=axes[2].transAxes)
        axes[2].axis("off")
        words = f"{tuple(shape_a)} + {tuple(shape_b)} is an error. torch says: {error}"
    return plots.png(fig), words


def broadcasting() -> LivePanel:
    """Two shapes to choose; their tensors, the sum, or torch's own words on why there is none."""
    options = [(str(shape), shape) for shape in SHAPES]
    return LivePanel(
        {
            "a": control(widgets.SelectionSlider, "Shape of a", options=options, value=(3, 1)),
            "b": control(widgets.SelectionSlider, "Shape of b", options=options, value=(4,)),
        },
        lambda a, b: iter([(a, b)]),
        _draw,
    )
