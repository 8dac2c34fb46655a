"""Figures: one palette, labelled axes, text that can be projected, small PNGs, and words for those who do not see
them.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), told apart with any common colour blindness. Figures
are made without pyplot: nothing is shared, so a figure may be drawn on any one thread.
"""

import base64
import html
import io
import math
import textwrap

import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from PIL import Image

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW, BLACK)
GREY = "#767676"  # for references and ghosts; still 4.5 : 1 on white
FONT = 13  # points at 100 dpi: readable from the last row


def figure(columns: int = 1, size: tuple[float, float] = (9.6, 3.9), widths=None):
    """(Figure, list of axes) in one row; `size` in inches at 100 dpi, so 9.6 is 960 pixels."""
    fig = Figure(figsize=size, dpi=100, layout="constrained")
    fig.get_layout_engine().set(w_pad=0.08, h_pad=0.06, wspace=0.04)
    FigureCanvasAgg(fig)
    return fig, list(fig.subplots(1, columns, squeeze=False, width_ratios=widths)[0])


def style(ax, xlabel: str, ylabel: str, title: str = "", **properties):
    """Names both axes, with units (ValueError if one is left out), and sets what else `Axes.set` takes (xlim, yscale
    ...).
    """
    if not (xlabel and ylabel):
        raise ValueError("an axis without a label: say what it shows and in which unit")
    ax.set(**properties)
    ax.set_xlabel(xlabel, fontsize=FONT)
    ax.set_ylabel(ylabel, fontsize=FONT)
    ax.set_title(title, fontsize=FONT, loc="left")
    ax.tick_params(labelsize=FONT - 1)
    ax.grid(alpha=0.25)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def reference(ax, y: float, label: str, x: float = 0.98):
    """A dashed horizontal line at `y` with its name on it, at the share `x` of the width."""
    ax.axhline(y, color=GREY, ls="--", lw=1.2)
    ax.annotate(
        label,
        (x, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right" if x > 0.5 else "left",
        va="bottom",
        color=GREY,
        fontsize=FONT - 2,
    )


def legend(ax, **where):
    """The axis's legend, without a frame."""
    ax.legend(frameon=False, fontsize=FONT - 1, **where)


def png(fig) -> bytes:
    """The whole figure as a PNG of at most 64 colours; the same figure gives the same bytes."""
    fig.canvas.draw()
    return _encode(_rgb(fig.canvas).quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))


def _rgb(canvas):
    return Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def _encode(picture):
    out = io.BytesIO()
    picture.save(out, "png", compress_level=1)  # the quickest level is small enough for a slow line
    return out.getvalue()


class Blit:
    """A figure whose still parts are drawn once; each frame draws the `moving` artists over them.

    Change the artists (`line.set_data`, `text.set_text`, `bar.set_height`), then call `png()`. The 64 colours are
    fixed at the start, half for the background and half for the moving artists' edges, so a frame looks up only the
    pixels that changed: quantizing all of them takes longer than drawing. `resting` artists change seldom and are
    drawn anew by `settle()` alone.
    """

    def __init__(self, fig, moving, resting=()):
        self.figure, self.moving, self.resting = fig, list(moving), list(resting)
        for artist in (*self.moving, *self.resting):
            artist.set_animated(True)  # left out of the background
        fig.canvas.draw()
        fig.set_layout_engine("none")  # from here on nothing may shift
        self.blank = fig.canvas.copy_from_bbox(fig.bbox)
        palette = self._palette()
        self.palette = palette.astype(np.uint8).tobytes()
        cube = np.stack(np.meshgrid(*[np.arange(32) * 255 / 31] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
        self.nearest = np.concatenate(
            [np.square(part - palette).sum(-1).argmin(-1) for part in np.split(cube, 32)]
        ).astype(np.uint8)
        self.settle()

    def settle(self):
        """Makes the resting artists, as they are now, part of the background."""
        canvas = self.figure.canvas
        canvas.restore_region(self.blank)
        for artist in self.resting:
            self.figure.draw_artist(artist)
        self.background = canvas.copy_from_bbox(self.figure.bbox)
        self.still = self._pixels().copy()
        self.still_indices = self._look_up(self.still)

    def _palette(self):
        """(<= 64, 3) floats in 0-255: the background's own colours, and each moving colour faded to white in seven
        steps.
        """
        picture = _rgb(self.figure.canvas).quantize(32, method=Image.Quantize.FASTOCTREE)
        own = np.array(picture.getpalette(), float).reshape(-1, 3)[:32]
        colours = {
            tuple(map(float, colour[:3])) for artist in (*self.moving, *self.resting) for colour in _colours(artist)
        } - {(1.0, 1.0, 1.0)}
        faded = [
            255 * (1 - share * (1 - np.array(colour)))
            for colour in sorted(colours)
            for share in (1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.12)
        ]
        return np.array([*own, *faded, [255.0] * 3])[:256]

    def _pixels(self):
        return np.asarray(self.figure.canvas.buffer_rgba()).view("<u4")[..., 0]

    def _look_up(self, pixels):
        return self.nearest[
            (pixels >> 3 & 31) << 10 | (pixels >> 11 & 31) << 5 | (pixels >> 19 & 31)
        ]  # 5 bits of R, G, B

    def png(self) -> bytes:
        """The frame as PNG bytes."""
        self.figure.canvas.restore_region(self.background)
        for artist in self.moving:
            self.figure.draw_artist(artist)
        pixels, indices = self._pixels(), self.still_indices.copy()
        changed = pixels != self.still
        indices[changed] = self._look_up(pixels[changed])
        picture = Image.fromarray(indices)
        picture.putpalette(self.palette)
        return _encode(picture)


def _colours(artist):
    """The colours that a line, text, patch or marker may put on the canvas."""
    faces = [
        getattr(artist, name)() for name in ("get_color", "get_facecolor", "get_edgecolor") if hasattr(artist, name)
    ]
    return [colour for face in faces for colour in to_rgba_array(face) if colour[3] > 0] if faces else []


def finite(xs, ys) -> tuple[list, list]:
    """The points whose y is a number: what may be drawn. A diverged run simply ends."""
    kept = [(x, y) for x, y in zip(xs, ys, strict=False) if math.isfinite(y)]
    return [x for x, _ in kept], [y for _, y in kept]


def curve_words(name: str, ys, unit: str = "") -> str:
    """What a curve does, for alt text: 'loss falls from 5.56 to 2.31 nats'."""
    ys = [y for y in ys if math.isfinite(y)]
    if not ys:
        return f"{name} has no values yet"
    first, last = ys[0], ys[-1]
    if len(ys) == 1 or abs(last - first) < 0.005 * max(abs(first), abs(last)):
        return f"{name} is {last:.3g} {unit}".rstrip()
    return f"{name} {'falls' if last < first else 'rises'} from {first:.3g} to {last:.3g} {unit}".rstrip()


def bundle(data: bytes, alt: str) -> dict[str, str]:
    """A MIME bundle of a PNG: text/html with its alt text (JupyterLab gives image/png none), image/png, text/plain."""
    code = base64.b64encode(data).decode()
    return {
        "text/html": f'<img alt="{html.escape(alt)}" style="max-width:100%" src="data:image/png;base64,{code}">',
        "image/png": code,
        "text/plain": textwrap.fill(alt, 100),
    }


def show(figure, alt: str) -> None:
    """Displays `figure` (a Figure, or PNG bytes) with `alt`, which says what it shows (ValueError if empty)."""
    if not alt.strip():
        raise ValueError("a figure without alt text: say in words what it shows")
    data = figure if isinstance(figure, bytes) else png(figure)
    display(bundle(data, alt), metadata={"image/png": {"alt": alt}}, raw=True)
