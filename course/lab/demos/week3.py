"""Week 3: sixteen bits in four ways, numbers bit by bit, and gradients against a format's range."""

import functools
import itertools
import math

import ipywidgets as widgets
import torch
from matplotlib.patches import Rectangle

from course.lab import plots, precision, text, training
from course.lab.demos import week1
from course.lab.live import LivePanel, control

WAYS = {
    "all of it in float16: model.half()": (torch.float16, None),
    "all of it in bfloat16: model.bfloat16()": (torch.bfloat16, None),
    "weights in float32, autocast to float16": (torch.float32, torch.float16),
    "weights in float32, autocast to bfloat16": (torch.float32, torch.bfloat16),
}


def _losses(weights, compute, steps, lr=1e-2, seed=0):
    """Losses of the tiny model with AdamW, weights in one dtype and autocast to another; ends at one that is NaN."""
    model = training.tiny_model(seed).to(weights)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    for batch in itertools.islice(training.tiny_batches(16, seed), steps):
        with precision.autocast(compute or torch.float32):
            loss = training.loss(model, batch)
        yield loss.item()
        if not math.isfinite(loss.item()):
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@functools.cache
def _reference(steps):
    with training.one_thread():
        return list(_losses(torch.float32, None, steps))


def sixteen_bits(steps: int = 60) -> LivePanel:
    """One model, one seed, one learning rate, and sixteen bits in four ways; float32 stays as the reference."""
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Step (updates)", "Training loss (nats per byte)", xlim=(0, steps), ylim=(2, 6.2))
    (before,) = ax.plot([], [], color=plots.GREY, lw=5, alpha=0.5)
    (line,) = ax.plot([], [], color=plots.BLUE, lw=2.5)
    (end,) = ax.plot([], [], "X", color=plots.VERMILION, ms=14)
    said = ax.text(0.98, 0.72, "", ha="right", fontsize=plots.FONT + 1, transform=ax.transAxes, color=plots.VERMILION)
    plots.legend(ax, handles=[before, line], labels=["all of it in float32", "the way chosen above"], loc="upper right")
    blit = plots.Blit(fig, [before, line, end, said])

    def job(way):
        losses, reference = [], []
        yield way, losses, reference
        reference = _reference(steps)
        with training.one_thread():
            for loss in _losses(*way, steps):
                losses.append(loss)
                yield way, losses, reference

    def draw(state):
        way, losses, reference = state
        name = next(name for name, kinds in WAYS.items() if kinds == way)
        steps_, kept = plots.finite(range(1, len(losses) + 1), losses)
        before.set_data(range(1, len(reference) + 1), reference)
        line.set_data(steps_, kept)
        dead = len(kept) < len(losses)
        end.set_data(steps_[-1:] if dead else [], kept[-1:] if dead else [])
        said.set_text(f"dead at step {len(losses)}: the loss is not a number" if dead else "")
        words = f"{name}: step {len(losses)} of {steps}, {plots.curve_words('the loss', kept, 'nats per byte')}"
        if dead:
            words += f"; at step {len(losses)} it is not a number any more, and the run is over"
        if reference:
            words += f". In float32 {plots.curve_words('it', reference)}"
        return blit.png(), words + "."

    return LivePanel({"way": control(widgets.SelectionSlider, "Sixteen bits", options=list(WAYS.items()))}, job, draw)


KNOWN = [
    ("the slider's", 0.0),
    ("1 + 0.003", 1.003),
    ("one third", 1 / 3),
    ("the largest of float16: 65504", 65504.0),
    ("65520", 65520.0),
    ("300 squared: 90000", 90000.0),
    ("5e-5", 5e-5),
    ("6e-8", 6e-8),
    ("2.9e-8", 2.9e-8),
]
FIELDS = (plots.VERMILION, plots.ORANGE, plots.BLUE)  # sign, exponent, mantissa


def float_formats() -> LivePanel:
    """The bits of one value in five formats, the number that they stand for, and how far the next number is."""
    fig, (ax,) = plots.figure(1, (9.6, 4.6))
    ax.axis("off")
    ax.set(xlim=(-8.8, 54), ylim=(5.1, -0.75))
    bars, said = [], []
    for row, (name, form) in enumerate(precision.FORMATS.items()):
        ax.text(-0.6, row + 0.4, name, ha="right", va="center", fontsize=plots.FONT)
        for i in range(form.bits):
            colour = FIELDS[0 if i == 0 else 1 if i <= form.exponent_bits else 2]
            left = i + 0.4 * (i > 0) + 0.4 * (i > form.exponent_bits)  # a gap between the fields
            box = {"width": 0.9, "height": 0.62, "edgecolor": colour, "lw": 1}
            ax.add_patch(Rectangle((left, row + 0.08), facecolor="white", **box))
            bars.append(ax.add_patch(Rectangle((left, row + 0.08), facecolor=colour, **box)))
            ax.text(left + 0.45, row + 0.4, "0", ha="center", va="center", fontsize=plots.FONT - 3)
        said.append(ax.text(34, row + 0.4, "", va="center", fontsize=plots.FONT - 1, linespacing=1.3))
    for x, name, colour in ((0, "sign", 0), (4.5, "exponent", 1), (14, "mantissa (filled: 1)", 2)):
        ax.text(x, -0.35, name, color=FIELDS[colour], fontsize=plots.FONT, weight="bold")
    title = ax.text(54, -0.35, "", ha="right", fontsize=plots.FONT + 1, weight="bold")
    blit = plots.Blit(fig, [*bars, *said, title])

    def draw(value):
        place, words = 0, []
        title.set_text(f"{value:.6g}")
        for (name, form), line in zip(precision.FORMATS.items(), said, strict=True):
            for bit in form.pattern(value):
                bars[place].set_visible(bit == "1")
                place += 1
            stored, gap = form.stored(value), form.spacing(value)
            if not math.isfinite(stored):
                result = ["too large: inf" if math.isinf(stored) else "too large, and no inf here"]
            else:
                off = 100 * abs(stored / value - 1)
                exact = "exact" if off == 0 else f"{off:.3g} % off"
                result = [
                    "holds 0: lost" if stored == 0 else f"holds {stored:.6g}, {exact}",
                    f"next one {gap:.4g} away",
                ]
            line.set_text("\n".join(result))
            words.append(f"{name} {', '.join(result)}")
        return blit.png(), f"{value:.6g}: " + "; ".join(words) + "."

    return LivePanel(
        {
            "value": control(
                widgets.FloatLogSlider, "Value", base=10, min=-9, max=6, step=0.01, value=0.1, readout_format=".3g"
            ),
            "known": control(widgets.Dropdown, "or this value", options=KNOWN),
        },
        lambda value, known: iter([known or value]),
        draw,
    )


GRADIENTS = [
    ("of the weights, after 20 steps", ("weights", False)),
    ("of the weights, after 300 steps", ("weights", True)),
    ("at the logits, after 20 steps", ("logits", False)),
    ("at the logits, after 300 steps", ("logits", True)),
]


@functools.cache
def _young(steps=20):
    model = training.tiny_model(0)
    with training.one_thread():
        for _ in training.tiny_run(steps=steps, model=model):
            pass
    return model.eval()


@functools.cache
def gradients(where: str, late: bool, rows: int = 16) -> torch.Tensor:
    """All gradients of the mean loss over `rows` rows as one vector (N,), in float32: of the "weights" or at the
    "logits", of the tiny model after 20 steps or, if `late`, 300.
    """
    model = week1.trained() if late else _young()
    batch = next(text.batches("train", rows, 64, training.generator(0, 7)))
    with training.one_thread():
        logits = model(input_ids=batch["input_ids"]).logits
        loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
        sources = [logits] if where == "logits" else list(model.parameters())
        found = torch.autograd.grad(loss, sources)
    if where == "logits":
        found = [found[0][:, :-1]]  # the last place predicts nothing
    return torch.cat([one.flatten() for one in found])


def gradient_histogram() -> LivePanel:
    """Real gradients by size, moved by a loss scale across the range that a 16-bit or 8-bit format can hold."""
    low, high, top = -48, 40, 20
    kinds = {"becomes 0": plots.VERMILION, "kept with fewer bits": plots.ORANGE, "kept": plots.BLUE,
             "becomes inf": plots.PURPLE}  # fmt: skip
    fig, (ax,) = plots.figure(1)
    plots.style(
        ax, "Gradient × loss scale, as a power of two", "Share of the gradients (%)", xlim=(low, high), ylim=(0, top)
    )
    bars = ax.bar(range(low, high), [0.0] * (high - low), width=0.9, align="edge")
    for bar, colour in zip(bars, itertools.cycle(kinds.values()), strict=False):
        bar.set_facecolor(colour)  # so that the frame's palette knows all four
    edges = [ax.plot([], [], color=plots.BLACK, lw=1.5, ls=style)[0] for style in (":", "--", "-")]
    names = [ax.text(0, top - 0.5, "", fontsize=plots.FONT - 2, ha="right", va="top", rotation=90) for _ in edges]
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in kinds.values()]
    plots.legend(ax, handles=handles, labels=list(kinds), loc="upper right")
    says = ("0 below", "fewer bits below", "inf above")
    blit = plots.Blit(fig, [*bars, *edges, *names])

    def draw(state):
        exponent, (where, late), name = state
        form = precision.FORMATS[name]
        found = gradients(where, late)
        found = found[found != 0].abs().double()
        scaled = found * 2.0**exponent
        info, cast = torch.finfo(form.dtype), (scaled.float()).to(form.dtype).double()
        smallest = info.smallest_normal * 2.0**-form.mantissa_bits / 2  # half of the smallest: what rounds to zero
        limits = [math.log2(smallest), math.log2(info.smallest_normal), math.log2(info.max)]
        share = [cast == 0, (cast > 0) & (cast < info.smallest_normal), torch.isfinite(cast), ~torch.isfinite(cast)]
        share = [part.double().mean().item() for part in share]
        share[2] -= share[0] + share[1]
        counts = torch.histc(scaled.log2().float(), high - low, low, high) / len(found) * 100
        for i, (bar, height) in enumerate(zip(bars, counts.tolist(), strict=True)):
            bar.set_height(height)
            bar.set_facecolor(list(kinds.values())[sum(low + i + 0.5 > limit for limit in limits)])
        for edge, label, limit, word in zip(edges, names, limits, says, strict=True):
            inside = low < limit < high
            edge.set_data([limit] * 2 if inside else [], [0, top] if inside else [])
            label.set(text=word if inside else "", position=(limit - 0.2, top - 0.5))
        parts = ", ".join(f"{100 * part:.3g} % {kind}" for part, kind in zip(share, kinds, strict=True))
        return blit.png(), (
            f"Loss scale 2^{exponent} = {2.0**exponent:,.6g}, {name}: of {len(found):,} gradients that are not zero "
            f"{parts}. The largest is 2^{scaled.max().log2().item():.1f} after scaling."
        )

    return LivePanel(
        {
            "exponent": control(widgets.IntSlider, "Loss scale, as a power of two", min=-8, max=24, value=0),
            "what": control(widgets.Dropdown, "Gradients", options=GRADIENTS, value=("logits", True)),
            "name": control(widgets.Dropdown, "Format", options=["float16", "bfloat16", "float8_e5m2"]),
        },
        lambda exponent, what, name: iter([(exponent, what, name)]),
        draw,
    )
