"""Week 2: what passes through a stack of blocks, forwards and backwards, wired in four ways."""

import functools
import itertools
import math
from dataclasses import dataclass, field

import ipywidgets as widgets
import torch
import torch.nn.functional as F

from course.lab import plots, text, training
from course.lab.gpt import GPT, GPTConfig
from course.lab.live import LivePanel, control

WIRINGS = {
    "pre-norm: x + f(norm(x))": "pre-norm",
    "post-norm: norm(x + f(x))": "post-norm",
    "no residual: f(norm(x))": "no residual",
    "no norm: x + f(x)": "no norm",
}
DEPTHS = [2, 4, 8, 12, 16, 24]


@functools.cache
def byte_frequencies() -> float:
    """Nats per byte of a bet that knows how often each byte occurs in the training text, and nothing else."""
    shares = torch.bincount(text.corpus().train.long()) / len(text.corpus().train)
    return -(shares * shares.clamp_min(1e-12).log()).sum().item()


def stack(depth: int, seed: int = 0) -> GPT:
    """A GPT of `depth` blocks that do something from the first step: the lab's own start as zeros, these do not."""
    model, rng = GPT(GPTConfig(layers=depth), training.generator(seed, 0)), training.generator(seed, 9)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                weight.normal_(0.0, weight.shape[1] ** -0.5, generator=rng)
            elif name == "head.weight":
                weight.normal_(0.0, 0.02, generator=rng)
    return model


def passes(model, ids, wiring: str):
    """(mean loss in nats, the stream (B, T, width) before the first block and after each)."""
    x, cos, sin = model.embedding(ids), model.cos[: ids.shape[1]], model.sin[: ids.shape[1]]
    stream = [x]
    for block in model.blocks:
        for norm, part in ((block.norm1, lambda h, b=block: b.attention(h, cos, sin)), (block.norm2, block.mlp)):
            if wiring == "pre-norm":
                x = x + part(norm(x))
            elif wiring == "post-norm":
                x = norm(x + part(x))
            elif wiring == "no residual":
                x = part(norm(x))
            else:
                x = x + part(x)
        stream.append(x)
    logits = model.head(model.norm(x))
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()), stream


@dataclass
class Flow:
    """`signal`: root mean square of the stream before and after each block. `gradient`: norm of the loss's gradient
    there, divided by that after the last block. `losses`: of the steps so far.
    """

    wiring: str
    depth: int
    steps: int
    signal: list = field(default_factory=list)
    gradient: list = field(default_factory=list)
    losses: list = field(default_factory=list)

    @property
    def diverged(self) -> bool:
        return not all(map(math.isfinite, [*self.signal, *self.gradient, *self.losses[-1:]]))

    def words(self, fresh: "Flow") -> str:
        name = f"{self.wiring}, {self.depth} blocks"
        if self.diverged:
            lost = next((i for i, x in enumerate(self.signal) if not math.isfinite(x)), None)
            where = f"after block {lost} " if lost else ""
            return f"{name}: the numbers {where}leave what a float can hold. This run has diverged; it has no loss."
        said = (
            f"{name}, step {len(self.losses)} of {self.steps}: through the blocks the signal's size goes from "
            f"{self.signal[0]:.2g} to {self.signal[-1]:.2g} (fresh: {fresh.signal[-1]:.2g}); the gradient at the first "
            f"block is {self.gradient[0]:.2g} times that after the last (fresh: {fresh.gradient[0]:.2g})"
        )
        return said + (f"; {plots.curve_words('the loss', self.losses, 'nats per byte')}." if self.losses else ".")


def measure(model, ids, flow: Flow):
    """Fills in `signal` and `gradient`; returns the loss with its graph, so that a step can use it."""
    loss, stream = passes(model, ids, flow.wiring)
    grads = [grad.norm().item() for grad in torch.autograd.grad(loss, stream, retain_graph=True)]
    flow.signal = [x.detach().square().mean().sqrt().item() for x in stream]
    flow.gradient = [grad / grads[-1] if grads[-1] > 0 else math.nan for grad in grads]
    return loss


def through_the_blocks(steps: int = 60, seed: int = 0) -> LivePanel:
    """Sizes of signal and gradient at each depth, and the loss while it trains; pre-norm's fresh sizes as a ghost."""
    fig, axes = plots.figure(3, (12.0, 3.9))
    names = ("Root mean square (1)", "Norm, relative to the last (1)", "Loss (nats per byte)")
    titles = ("The signal, forwards", "The gradient, backwards", "Does it learn?")
    limits = ((0.05, 1e4), (1e-5, 1e5), (2, 6))
    for ax, name, title, ylim in zip(axes, names, titles, limits, strict=True):
        last = ax is axes[2]
        plots.style(ax, "Step (updates)" if last else "Block", name, title, xlim=(0, steps if last else 24), ylim=ylim)
        ax.set_yscale("linear" if last else "log")
    plots.reference(axes[2], byte_frequencies(), "byte frequencies alone", x=0.02)
    lines = [ax.plot([], [], color=plots.BLUE, lw=2.5)[0] for ax in axes]
    fresh = [ax.plot([], [], color=plots.ORANGE, lw=2)[0] for ax in axes[:2]]
    ghosts = [ax.plot([], [], color=plots.GREY, lw=2, ls=(0, (4, 2)))[0] for ax in axes[:2]]
    keys = {"now": lines[0], "fresh": fresh[0], "pre-norm, fresh": ghosts[0]}
    plots.legend(axes[0], handles=list(keys.values()), labels=list(keys), loc="upper left")
    blit = plots.Blit(fig, [*ghosts, *fresh, *lines])
    windows = list(itertools.islice(text.windows("train", 8, 64, training.generator(seed, 1)), max(1, steps)))

    def job(wiring, depth):
        with training.one_thread():
            ghost, first, flow = (Flow(one, depth, steps) for one in ("pre-norm", wiring, wiring))
            model = stack(depth, seed)
            for one in (ghost, first, flow):
                measure(model, windows[0], one)
            yield ghost, first, flow
            optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 3e-3)
            for ids in windows[:steps]:
                loss = measure(model, ids, flow)
                flow.losses.append(loss.item())
                yield ghost, first, flow
                if flow.diverged:
                    return
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def draw(state):
        for line, one in zip((*ghosts, *fresh, *lines[:2]), (one for one in state for _ in range(2)), strict=True):
            ys = one.signal if line.axes is axes[0] else one.gradient
            line.set_data(*plots.finite(range(len(ys)), ys))
        lines[2].set_data(*plots.finite(range(1, steps + 1), state[2].losses))
        return blit.png(), state[2].words(state[1])

    return LivePanel(
        {
            "wiring": control(widgets.Dropdown, "Wiring", options=list(WIRINGS.items())),
            "depth": control(widgets.SelectionSlider, "Blocks", options=DEPTHS, value=12),
        },
        job,
        draw,
        stop=True,
        note="Every wiring starts from the same weights and reads the same text. f is attention, then the MLP.",
    )
