"""Week 6, runs of the second notebook: scaling rules on a map of losses, noise, decay times rate, averages, scale."""

import copy
import functools
import itertools
import math
from collections.abc import Callable

import torch

from course.lab import ensembles, gradients, plots, training

CONFIG, LENGTH = ensembles.CONFIG, ensembles.CONFIG["seq_len"]
NEAR = 0.1  # nats: a run that much above the best of its row has not been scaled well
FINISHED: dict[tuple[str, int], ensembles.Sweep] = {}  # the maps of this kernel, by optimizer and rows


def sweeping(optimizer: str, rows: int = ensembles.ROWS):
    """The map of an optimizer as it fills, or at once the finished one, if it has been trained before."""
    key = optimizer, rows
    if key not in FINISHED:
        for state in ensembles.sweep(*key):
            yield state
        FINISHED[key] = state
    yield FINISHED[key]


def swept(optimizer: str, rows: int = ensembles.ROWS) -> ensembles.Sweep:
    """The finished map of an optimizer: "sgd" or "adamw"."""
    return list(sweeping(optimizer, rows))[-1]


def at_rate(found: ensembles.Sweep, size: int, lr: float) -> float:
    """The loss of a batch size at a rate between two of the map, by a straight line over the logarithm.

    NaN off the map, and where one of the two diverged.
    """
    place = math.log(lr / found.lrs[0]) / math.log(found.lrs[1] / found.lrs[0])
    if not -1e-6 <= place <= len(found.lrs) - 1 + 1e-6:
        return math.nan
    left = min(max(0, int(place)), len(found.lrs) - 2)
    share, losses = place - left, found.losses[size]
    parts = [(weight, losses[left + k]) for k, weight in ((0, 1 - share), (1, share)) if weight > 1e-6]
    return sum(weight * loss for weight, loss in parts)


def along(found: ensembles.Sweep, rule: Callable, lr: float) -> dict[int, float]:
    """{batch size: loss} at the rates that `rule(lr, base batch, batch)` gives, from `lr` at the smallest batch."""
    base = min(found.losses)
    return {size: at_rate(found, size, rule(lr, base, size)) for size in found.losses}


def rates_table(scale_lr: Callable, share: float = 1.0) -> str:
    """Prints, for both optimizers, what both rules cost at every batch size above the best rate of its row.

    Both start at the smallest batch from `share` times its best rate. Returns what the words of the table mean.
    """
    lines = []
    for kind in ("sgd", "adamw"):
        found = swept(kind)
        tops = {size: found.best(size) for size in found.losses}
        lines.append((f"{kind}, best rate", [f"{found.lrs[k]:9.2g}" for k in tops.values()]))
        start = share * found.lrs[tops[min(tops)]]
        for name in ("linear", "sqrt"):
            losses = along(found, lambda *known, name=name: scale_lr(*known, name), start)
            above = [loss - found.losses[size][tops[size]] for size, loss in losses.items()]
            said = [f"{max(0.0, one):9.2f}" if one == one else f"{'lost':>9}" for one in above]
            lines.append((f"   {name} rule costs", said))
    print(f"from {share:g} × the best rate at batch {min(tops)}")
    print(f"{'batch size':22}{''.join(f'{size:>9}' for size in tops)}")
    print("\n".join(f"{name:22}{''.join(said)}" for name, said in lines))
    return "costs: nats above the best rate of the same batch size; lost: diverged, or beyond the largest rate"


def breaks_at(optimizer: str, rule: Callable, share: float = 1.0) -> int | None:
    """The first batch size at which the rule's loss is NEAR or more above the best of its row; None if at no size."""
    found = swept(optimizer)
    losses = along(found, rule, share * found.lrs[found.best(min(found.losses))])
    for size, loss in losses.items():
        if not loss < found.losses[size][found.best(size)] + NEAR:
            return size
    return None


def squared_norms(before: int, small: int = 4, big: int = 64, draws: int = 8) -> tuple[list[float], list[float]]:
    """|g|² of batches of `small` and of `big` rows, for the tiny model after `before` updates, `draws` of each.

    A draw shuffles 256 rows, deals them out in batches and takes the mean over these.
    """
    rows = gradients.rows_of(before)
    return tuple(
        [float(gradients.parts(rows, size, seed).square().sum(1).mean()) for seed in range(draws)]
        for size in (small, big)
    )


def batch_run(choose: Callable, rows: int, lr: float = 0.3, seed: int = 0) -> tuple[float, list[int]]:
    """SGD on `rows` rows of text, those of `seed`; returns the held-out loss and the batch size of every update.

    `choose(used, halves, wholes)` says how many rows the next update takes, from the sizes used so far and, for every
    update, the mean |g|² of its two halves and the |g|² of the whole.
    """
    model, used, halves, wholes = training.tiny_model(**CONFIG), [], [], []
    stream = training.tiny_batches(1, seed, seq_len=LENGTH)
    optimizer = training.OPTIMIZERS["sgd"](model.parameters(), lr)
    while sum(used) < rows:
        some = list(itertools.islice(stream, min(choose(used, halves, wholes), rows - sum(used))))
        half = [gradients.gradient_of(model, gradients.whole(part)) for part in (some[::2], some[1::2])]
        halves.append(sum(float(g.square().sum()) for g in half) / 2)
        whole = sum(half) / 2
        wholes.append(float(whole.square().sum()))
        parts = whole.split([p.numel() for p in model.parameters()])
        for p, part in zip(model.parameters(), parts, strict=True):
            p.grad = part.view_as(p)
        optimizer.step()
        used.append(len(some))
    with training.one_thread():
        return training.evaluate(model, [ensembles.held_out()]), used


def driven(noise_scale: Callable) -> Callable:
    """A rule for batch_run: begin with 4 rows, and double whenever the noise scale of the last 16 updates is above the
    batch size.
    """
    state = {"size": 4, "since": 0}

    def choose(used, halves, wholes):
        if len(used) - state["since"] >= 16:
            size = state["size"]
            found = noise_scale(halves[-16:], wholes[-16:], size // 2, size)
            if found > size and size < 64:
                state["size"], state["since"] = 2 * size, len(used)
        return state["size"]

    return choose


def batch_table(noise_scale: Callable, rows: int = 1024) -> int:
    """Prints two runs of SGD for each of three fixed batch sizes and for a driven one; returns the latter's largest
    batch.
    """
    print(f"{'batch':10}{'updates':>9}  held-out loss of two runs (nats)   sizes of the first run")
    for size in (4, 8, 16, None):
        losses, counts, largest = [], [], 0
        for seed in (0, 1):
            choose = driven(noise_scale) if size is None else lambda *_, size=size: size
            loss, used = batch_run(choose, rows, seed=seed)
            losses.append(loss)
            counts.append(used)
            largest = max(largest, *used)
        updates = ", ".join(str(len(used)) for used in counts) if size is None else len(counts[0])
        sizes = ", ".join(f"{counts[0].count(one)} of {one}" for one in sorted(set(counts[0])))
        name = "driven" if size is None else f"fixed, {size}"
        print(f"{name:10}{updates:>9}  {losses[0]:.3f}, {losses[1]:.3f}{'':22}{sizes}")
    return largest


@functools.cache
def equal_products(product: float = 2e-3, updates: int = 300) -> dict[float, tuple[float, float, float]]:
    """{rate: (loss with decay, loss without, share of the weights' norm that the decay leaves)}; rate × decay is
    `product` for all. AdamW, batches of 8, all eight runs as one ensemble.
    """
    lrs = [1e-3, 3e-3, 1e-2, 3e-2]
    decay = [product / lr for lr in lrs] + [0.0] * 4
    both = ensembles.Ensemble(training.tiny_model(**CONFIG), lrs * 2, "adamw", decay)
    with training.one_thread():
        for _ in both.train(itertools.islice(training.tiny_batches(8, seq_len=LENGTH), updates)):
            pass
        losses = both.evaluate(ensembles.held_out())
    norms = [_norm(both.member(k)) for k in range(8)]
    return {lr: (losses[k], losses[k + 4], norms[k] / norms[k + 4]) for k, lr in enumerate(lrs)}


def _norm(model):
    return float(torch.cat([p.detach().flatten() for p in model.parameters()]).norm())


def averaged(ema_update: Callable, lr: float, decays=(0.9, 0.98, 0.995), updates: int = 300) -> dict[str, float]:
    """Held-out losses of AdamW at a constant rate, of averages of its weights, and of a rate that falls to 0.

    The averages follow the constant run, updated by `ema_update(average, model, decay)` after each step.
    """
    found = {}
    for name in ("constant", "falling"):
        model = training.tiny_model(**CONFIG)
        averages = {decay: copy.deepcopy(model) for decay in decays if name == "constant"}
        optimizer = training.OPTIMIZERS["adamw"](model.parameters(), lr)
        schedule = (lambda step: lr * (1 - step / updates)) if name == "falling" else None
        batches = itertools.islice(training.tiny_batches(8, seq_len=LENGTH), updates)
        with training.one_thread():
            for _ in training.train(model, batches, optimizer, schedule=schedule):
                for decay, average in averages.items():
                    ema_update(average, model, decay)
            found[name] = training.evaluate(model, [ensembles.held_out()])
            for decay, average in averages.items():
                found[f"average {decay:g}"] = training.evaluate(average, [ensembles.held_out()])
    return found


SCALES = (0.1, 0.3, 1.0, 3.0, 10.0)


@functools.cache
def initial_scales(updates: int = 200) -> dict[str, tuple[list[list[float]], list[float]]]:
    """{optimizer: (the losses of every update, the held-out losses)} for first weights times each of SCALES.

    Every matrix and the embedding is multiplied, no gain of a norm is; the head does not start at zero here.
    """
    models = [training.tiny_model(zero_head=False, **CONFIG) for _ in SCALES]
    for model, scale in zip(models, SCALES, strict=True):
        for p in model.parameters():
            if p.ndim > 1:
                p.data.mul_(scale)
    found = {}
    for kind, lr in (("adamw", 0.01), ("sgd", 0.5)):
        together = ensembles.Ensemble(models, [lr] * len(SCALES), kind, decay=0.0)
        with training.one_thread():
            losses = list(together.train(itertools.islice(training.tiny_batches(8, seq_len=LENGTH), updates)))
            found[kind] = [list(one) for one in zip(*losses, strict=True)], together.evaluate(ensembles.held_out())
    return found


def scale_figure() -> None:
    """The losses of runs from first weights at five scales, for two optimizers, with the held-out loss at the end."""
    fig, axes = plots.figure(2, (9.6, 3.7))
    said = []
    for ax, (kind, (losses, ends)) in zip(axes, initial_scales().items(), strict=True):
        plots.style(ax, "Update", "Loss (nats per byte)", kind, ylim=(2.2, 40), yscale="log")
        ax.set_yticks([3, 5, 10, 20, 40], ["3", "5", "10", "20", "40"])
        ax.minorticks_off()
        for scale, run, end, colour in zip(SCALES, losses, ends, plots.PALETTE, strict=False):
            ax.plot(*plots.finite(range(1, len(run) + 1), run), color=colour, lw=1.8, label=f"× {scale:g}")
            line = f"{kind:6} first weights × {scale:<5g} first loss {run[0]:6.2f}   held-out loss at the end {end:.3f}"
            said.append(line)
    plots.legend(axes[1], ncols=2)
    plots.show(fig, "Losses by update. " + "; ".join(" ".join(line.split()) for line in said) + ".")
    print("\n".join(said))
