"""Week 5: what optimizers keep from step to step, in bytes, and what is lost when it is kept in 8 bits."""

import contextlib
import functools
import io

import ipywidgets as widgets
import torch

from course.lab import plots, training
from course.lab.live import LivePanel, control
from course.lab.memory import readable

KINDS = ("sgd", "momentum", "adamw", "adamw8bit", "adafactor")
SHARED = ("step", "qmap1", "qmap2")  # counters and tables, which do not grow with the weights


def made(kind: str, parameters):
    """A fresh optimizer of KINDS for these parameters."""
    if kind == "adamw8bit":
        with contextlib.redirect_stdout(io.StringIO()):
            import bitsandbytes

        return bitsandbytes.optim.AdamW8bit(parameters)
    return {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "adamw": torch.optim.AdamW,
        "adafactor": torch.optim.Adafactor,
    }[kind](parameters)


def kept(optimizer) -> int:
    """Bytes of the tensors in an optimizer's state; step counters and shared tables are not counted."""
    return sum(
        tensor.numel() * tensor.element_size()
        for state in optimizer.state.values()
        for name, tensor in state.items()
        if torch.is_tensor(tensor) and name not in SHARED
    )


@functools.cache
def measured(kind: str, width: int) -> int:
    """Bytes that an optimizer of KINDS keeps for one square matrix of `width` rows, after a step of its own."""
    matrix = torch.nn.Parameter(torch.ones(width, width))
    optimizer = made(kind, [matrix])
    matrix.grad = torch.ones_like(matrix)
    with training.one_thread():
        optimizer.step()
    return kept(optimizer)


def state_memory(predict=None) -> LivePanel:
    """Bytes of state by kind of optimizer, measured after a real step. `predict(n_params, kind)`: bytes foretold."""
    widths = [16, 32, 48, 64, 128, 256, 512, 1024]
    fig, (left, right) = plots.figure(2, (9.6, 4.4), widths=(1.25, 1))
    names = ["SGD", "momen-\ntum", "AdamW", "AdamW\n8 bits", "Ada-\nfactor"]
    plots.style(
        left,
        "Optimizer",
        "Bytes for each weight",
        "Weights, gradients and state",
        xlim=(-0.6, 4.6),
        xticks=range(5),
        xticklabels=names,
        ylim=(0, 20),
    )
    left.bar(range(5), [4] * 5, 0.7, color=plots.GREY, label="weights")
    left.bar(range(5), [4] * 5, 0.7, bottom=[4] * 5, color=plots.SKY, label="gradients")
    bars = left.bar(range(5), [1] * 5, 0.7, bottom=[8] * 5, color=plots.BLUE, label="state, measured")
    (marks,) = left.plot([], [], "_", color=plots.VERMILION, ms=34, mew=3, label="predicted")
    plots.legend(left, loc="upper left", ncols=2, columnspacing=1)
    plots.style(
        right,
        "Weights in the matrix",
        "State (bytes)",
        "State alone, at every size",
        xscale="log",
        yscale="log",
        xlim=(150, 2e6),
        ylim=(50, 5e7),
    )
    looks = dict(zip(KINDS[1:], (plots.ORANGE, plots.BLUE, plots.GREEN, plots.PURPLE), strict=True))
    for kind, colour in looks.items():
        right.plot([w * w for w in widths], [measured(kind, w) for w in widths], "o-", color=colour, lw=2, ms=5,
                   label=kind)  # fmt: skip
    chosen = [right.plot([], [], "o", color=colour, ms=13)[0] for colour in looks.values()]
    plots.legend(right, loc="upper left")
    blit = plots.Blit(fig, [*bars, marks, *chosen])

    def draw(state):
        width, found, foretold = state
        n = width * width
        for bar, kind in zip(bars, KINDS, strict=True):
            bar.set_height(found[kind] / n)
        for dot, kind in zip(chosen, looks, strict=True):
            dot.set_data([n], [found[kind]])
        told = {kind: size for kind, size in foretold.items() if size is not None}
        marks.set_data([KINDS.index(kind) for kind in told], [8 + size / n for size in told.values()])
        said = [
            f"{kind} {size:,}" + (f" ({told[kind]:,} predicted)" if kind in told else "")
            for kind, size in found.items()
        ]
        return blit.png(), (
            f"A matrix of {width} × {width} float32 weights takes {readable(4 * n)}. Bytes of state: {', '.join(said)}."
        )

    def job(width):
        foretold = {kind: _told(predict, width * width, kind) for kind in KINDS}
        yield width, {kind: measured(kind, width) for kind in KINDS}, foretold

    return LivePanel(
        {"width": control(widgets.SelectionSlider, "Rows and columns", options=widths, value=256)},
        job,
        draw,
        note="torch.optim and bitsandbytes, one real step each. Not counted: step counters, and two tables of 256 "
        "numbers that all 8-bit tensors share.",
    )


def _told(predict, n, kind):
    try:
        return int(predict(n, kind)) if predict else None
    except Exception:  # the answer is blank or not right yet: its check says more
        return None


@functools.cache
def moments(steps: int = 150) -> tuple[torch.Tensor, torch.Tensor]:
    """(m, v) of the tiny model's head, 259 × 32 each, after `steps` updates of AdamW."""
    model = training.tiny_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with training.one_thread():
        for batch, _ in zip(training.tiny_batches(16), range(steps), strict=False):
            optimizer.zero_grad()
            training.loss(model, batch).backward()
            optimizer.step()
    state = optimizer.state[model.head.weight]
    return state["exp_avg"], state["exp_avg_sq"]


def linear(x: torch.Tensor, size: int) -> torch.Tensor:
    """x stored in evenly spaced int8 codes, in blocks of `size` numbers, and read again."""
    flat = torch.nn.functional.pad(x.flatten(), (0, -x.numel() % size)).view(-1, size)
    scale = flat.abs().amax(1, keepdim=True).clamp_min(1e-38) / 127
    return ((flat / scale).round() * scale).flatten()[: x.numel()].view_as(x)


def _functional():
    with contextlib.redirect_stdout(io.StringIO()):  # it may print a line at import
        from bitsandbytes import functional
    return functional


def codes(signed: bool = False) -> torch.Tensor:
    """The 256 values of bitsandbytes' dynamic 8-bit codes, (256,), as shares of a block's absmax."""
    return _functional().create_dynamic_map(signed=signed)


def dynamic(x: torch.Tensor, size: int) -> torch.Tensor:
    """x stored in bitsandbytes' 8-bit codes, in blocks of `size`, and read again; without a sign if x has none."""
    code = codes(signed=bool((x < 0).any()))
    stored, state = _functional().quantize_blockwise(x.contiguous(), code=code, blocksize=size)
    return _functional().dequantize_blockwise(stored, state)


WAYS = {"even codes": linear, "bitsandbytes": dynamic}
WHAT = {"m": 0, "v": 1, "step": 2}


def _three(m, v):
    return m, v, m / (v.sqrt() + 1e-8)


def lost(way: str, what: str, size: int, steps: int = 150) -> tuple[float, torch.Tensor, torch.Tensor]:
    """(relative error, true values, values from 8 bits) of "m", "v" or the "step" m / (√v + 1e-8) made from both."""
    m, v = moments(steps)
    true = _three(m, v)[WHAT[what]].flatten()
    got = _three(WAYS[way](m, size), WAYS[way](v, size))[WHAT[what]].flatten()
    return float((got - true).norm() / true.norm()), true, got


def state_in_8_bits(steps: int = 150) -> LivePanel:
    """Error of Adam's state in 8 bits against the block size, with even codes and with those of bitsandbytes."""
    sizes = [32, 64, 128, 256, 512, 1024, 2048, 4096, 8288]
    fig, (left, right) = plots.figure(2, (9.6, 4.4), widths=(1, 1.15))
    plots.style(
        left,
        "Numbers in a block",
        "Error, as a share of the true length",
        "What is lost, by block size",
        xscale="log",
        yscale="log",
        xlim=(25, 11000),
        ylim=(1e-3, 1e5),
        xticks=[32, 256, 2048],
        xticklabels=["32", "256", "2048"],
    )
    left.minorticks_off()
    plots.style(
        right,
        "True size",
        "Size after 8 bits",
        "Number by number, at this size",
        xscale="log",
        yscale="log",
        xlim=(1e-9, 10),
        ylim=(1e-10, 1e6),
    )
    looks = dict(zip(WAYS, (plots.VERMILION, plots.BLUE), strict=True))
    curves = {way: left.plot([], [], "o-", color=colour, lw=2, ms=6)[0] for way, colour in looks.items()}
    chosen = {way: left.plot([], [], "o", color=colour, ms=13)[0] for way, colour in looks.items()}
    dots = {way: right.plot([], [], ".", color=colour, ms=4)[0] for way, colour in looks.items()}
    right.plot([1e-10, 1e6], [1e-10, 1e6], color=plots.GREY, lw=1.2, ls="--")
    plots.legend(left, handles=list(curves.values()), labels=list(curves), loc="center right")
    blit = plots.Blit(fig, [*curves.values(), *chosen.values(), *dots.values()])

    def draw(state):
        what, size, found = state
        said = []
        for way, rows in found.items():
            errors = [error for error, _, _ in rows]
            curves[way].set_data(sizes, [min(max(error, 1e-3), 1e5) for error in errors])
            error, true, got = rows[sizes.index(size)]
            chosen[way].set_data([size], [min(max(error, 1e-3), 1e5)])
            some = slice(None, None, 7)
            low, high = right.get_ylim()
            dots[way].set_data(true.abs()[some].clamp_min(1e-9), got.abs()[some].clamp(low * 1.5, high / 1.5))
            gone = 100 * float(((got == 0) & (true != 0)).sum()) / true.numel()
            said.append(f"{way} {error:.3g}, {gone:.1f} % of the numbers become 0")
        name = {"m": "m", "v": "v", "step": "the step m / √v"}[what]
        return blit.png(), (
            f"Relative error of {name} in blocks of {size}: {'; '.join(said)}. "
            f"A number takes {8 + 32 / size:.3g} bits, with its share of the block's scale."
        )

    def job(what, size):
        with training.one_thread():
            yield what, size, {way: [lost(way, what, one, steps) for one in sizes] for way in WAYS}

    slide = functools.partial(control, widgets.SelectionSlider)
    return LivePanel(
        {"what": slide("What is looked at", options=list(WHAT), value="v"),
         "size": slide("Numbers in a block", options=sizes, value=256)},
        job,
        draw,
        note="Adam's state for the head of the tiny model after a real run. 8288 is the whole head in one block. "
        "Numbers that became 0 lie at the lower edge.",
    )  # fmt: skip
