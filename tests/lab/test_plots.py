"""Pictures are small, repeatable, labelled and described; a moving one equals a still one."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from course.lab import plots


def lines(values, moving):
    fig, (ax,) = plots.figure()
    plots.style(ax, "Step (updates)", "Loss (nats)", xlim=(0, 10), ylim=(0, 6))
    (line,) = ax.plot(range(len(values)), values, color=plots.BLUE, lw=2)
    return (plots.Blit(fig, [line]) if moving else fig), line


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_png_is_the_same_every_time_and_has_at_most_64_colours():
    first, again = (plots.png(lines([5, 3, 2], moving=False)[0]) for _ in range(2))
    assert first == again and len(first) < 40_000
    assert len(Image.open(io.BytesIO(first)).convert("RGB").getcolors(999)) <= 64


def test_a_blitted_frame_looks_like_the_whole_figure_drawn():
    blit, line = lines([], moving=True)
    line.set_data(range(3), [5, 3, 2])
    frame, whole = pixels(blit.png()), pixels(plots.png(lines([5, 3, 2], moving=False)[0]))
    assert frame.shape == whole.shape
    assert (np.abs(frame - whole).max(-1) > 60).mean() < 0.002


def test_a_frame_leaves_no_trace_in_the_next_and_depends_on_nothing_before():
    blit, line = lines([], moving=True)
    empty = blit.png()
    line.set_data(range(4), [1, 5, 1, 5])
    busy = blit.png()
    line.set_data([], [])
    assert blit.png() == empty != busy


def test_resting_artists_change_only_when_they_settle():
    fig, (ax,) = plots.figure()
    (ghost,) = ax.plot([], [], color=plots.GREY)
    blit = plots.Blit(fig, [], resting=[ghost])
    empty = blit.png()
    ghost.set_data([0, 1], [0, 1])
    assert blit.png() == empty
    blit.settle()
    with_ghost = blit.png()
    assert with_ghost != empty
    ghost.set_data([], [])
    blit.settle()
    assert blit.png() == empty


def test_colours_survive_the_small_palette():
    blit, line = lines([], moving=True)
    line.set(data=(range(3), [5, 3, 2]), linewidth=8)
    blue = np.array([0, 0x72, 0xB2])
    assert (np.abs(pixels(blit.png()) - blue).max(-1) <= 8).sum() > 500


def test_an_axis_without_a_label_is_refused():
    _, (ax,) = plots.figure()
    with pytest.raises(ValueError, match="label"):
        plots.style(ax, "Step (updates)", "")


def test_finite_drops_what_may_not_be_drawn():
    assert plots.finite([1, 2, 3, 4], [5.0, math.nan, math.inf, 2.0]) == ([1, 4], [5.0, 2.0])


def test_a_curve_in_words():
    assert plots.curve_words("loss", [5.56, 3.0, 2.31], "nats") == "loss falls from 5.56 to 2.31 nats"
    assert plots.curve_words("loss", [1.0, math.nan, 2.0]) == "loss rises from 1 to 2"
    assert plots.curve_words("loss", [2.0, 2.0]) == "loss is 2"
    assert "no values" in plots.curve_words("loss", [math.nan])


def test_show_gives_a_picture_its_words_everywhere(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", lambda data, metadata=None, raw=False: shown.append((data, metadata)))
    plots.show(lines([5, 3], moving=False)[0], 'A "curve" < 3')
    data, metadata = shown[0]
    assert data["text/plain"] == 'A "curve" < 3' and metadata["image/png"]["alt"] == 'A "curve" < 3'
    assert 'alt="A &quot;curve&quot; &lt; 3"' in data["text/html"] and data["image/png"] in data["text/html"]
    with pytest.raises(ValueError, match="alt text"):
        plots.show(lines([5], moving=False)[0], " ")
