"""Trains tiny models in many settings and keeps their two curves for week 2's `diagnose`, in assets/recordings/.

    python assets/record_week2.py               # some six minutes; then: python -m course.lab.assets
    python assets/record_week2.py --fresh       # without the runs that a stopped one has left in .cache/record_week2/

The runs end well, too early, learnt by heart, off the scale, or their model is too small. Three labelers name each by
another criterion, and only a run on which they agree is kept:

shape         the two curves alone, by the rule in the docstring of `diagnose`
intervention  what would have helped: an earlier checkpoint of this run, or a larger model that trains for longer
yardsticks    the final weights, dropout off, on training text and on unseen text that is in no curve, against what
              counting bytes and pairs of bytes reaches on the same training text

Each run is kept when it is done: a stopped script goes on where it was.
"""

import argparse
import functools
import itertools
import json
import math
import shutil
from collections import Counter
from pathlib import Path

import torch

from course.lab import files, recordings, text, training

CACHE = Path(__file__).parents[1] / ".cache" / "record_week2"
ENTRIES, ROWS, SEQ_LEN, SEED = 24, 32, 64, 0  # of a curve after entry 0; of each fixed set of text
TOO_HIGH, GAP, RISE = 0.6, 0.3, 0.5  # nats: what a larger model gains, between training and unseen text, above the best

DEFAULTS = dict(lr=1e-2, optimizer="adamw", batch_size=16, steps=240, warmup=20, entries=24, bytes=None, model={})
LONGER = dict(steps=600, model=dict(width=48, mlp_width=144))  # the larger model that trains for longer


def settings() -> dict[str, dict]:
    """{name: what differs from DEFAULTS}: what was done, not what came of it."""
    found = {}

    def add(name, steps=240, **changes):
        model = {k: changes.pop(k) for k in ("width", "mlp_width", "layers", "heads", "dropout") if k in changes}
        found[name] = {"seed": len(found), "steps": steps, **({"model": model} if model else {}), **changes}

    for steps, entries in ((160, 8), (200, 20), (300, 10), (400, 16)):
        add(f"{steps} steps", steps, entries=entries)
    for width in (24, 48):
        add(f"width {width}", width=width, mlp_width=3 * width)
    for dropout, entries in ((0.1, 24), (0.2, 12), (0.3, 18), (0.5, 24)):
        add(f"dropout {dropout}", 320, dropout=dropout, entries=entries)
    for lr, entries in ((1e-3, 24), (2e-3, 12), (3e-3, 10), (2e-2, 18), (4e-2, 24)):
        add(f"lr {lr:g}", 320, lr=lr, entries=entries)
    for rows, steps in ((4, 360), (32, 160)):
        add(f"batch of {rows}", steps, batch_size=rows)
    add("two layers", layers=2, entries=12)
    add("two layers, dropout 0.1", 360, layers=2, dropout=0.1, entries=15)
    add("momentum, lr 0.2", 400, optimizer="momentum", lr=0.2)
    add("momentum, up to 2", optimizer="momentum", lr=2.0, warmup=300)

    for size, steps, entries in (
        (2_000, 120, 12), (2_000, 160, 8), (2_000, 400, 24), (4_000, 160, 16), (4_000, 240, 24), (4_000, 500, 20),
        (8_000, 300, 10), (8_000, 400, 24), (8_000, 600, 18), (16_000, 300, 24), (16_000, 500, 20),
    ):  # fmt: skip
        add(f"{size} bytes, {steps} steps", steps, bytes=size, entries=entries)
    for dropout, steps in ((0.1, 400), (0.3, 600), (0.5, 600)):
        add(f"4000 bytes, dropout {dropout}", steps, bytes=4_000, dropout=dropout)
    add("8000 bytes, width 64", 400, bytes=8_000, width=64, mlp_width=192, entries=12)
    add("8000 bytes, two layers", 400, bytes=8_000, layers=2, entries=16)
    add("4000 bytes, lr 0.04", 240, bytes=4_000, lr=4e-2, entries=12)
    add("4000 bytes, momentum", 600, bytes=4_000, optimizer="momentum", lr=0.3, entries=15)

    for steps, entries in ((16, 8), (20, 10), (24, 12), (28, 7), (32, 16), (36, 18), (48, 24)):
        add(f"{steps} steps", steps, entries=entries)
    for width, steps in ((2, 400), (4, 400), (4, 800), (8, 400)):
        add(f"width {width}, {steps} steps", steps, width=width, heads=1, mlp_width=width // 2)
    add("width 2, MLP of 2", 500, width=2, heads=1, mlp_width=2, entries=12)
    for lr, entries in ((1e-4, 24), (2e-4, 12), (3e-4, 24), (5e-4, 10)):
        add(f"lr {lr:g}", lr=lr, entries=entries)
    for lr, entries in ((0.3, 24), (0.5, 12), (1.0, 20), (1.5, 16)):
        add(f"lr {lr:g}", 200, lr=lr, entries=entries)
    for dropout in (0.8, 0.9):
        add(f"dropout {dropout}", 300, dropout=dropout)
    for lr, entries in ((0.01, 24), (0.03, 12), (0.1, 20)):
        add(f"SGD, lr {lr:g}", optimizer="sgd", lr=lr, entries=entries)
    add("2000 bytes, lr 3e-4", bytes=2_000, lr=3e-4, entries=12)
    add("2000 bytes, 16 steps", 16, bytes=2_000, entries=8)

    for lr, entries in ((3.0, 24), (10.0, 12)):
        add(f"SGD, lr {lr:g}", optimizer="sgd", lr=lr, entries=entries)
    for lr, entries in ((1.0, 16), (3.0, 24)):
        add(f"momentum, lr {lr:g}", optimizer="momentum", lr=lr, entries=entries)
    for lr, warmup, entries in ((3.0, 200, 24), (5.0, 200, 24), (5.0, 400, 10), (8.0, 300, 18), (20.0, 200, 24)):
        add(f"momentum, up to {lr:g} in {warmup}", optimizer="momentum", lr=lr, warmup=warmup, entries=entries)
    for lr, entries in ((2.0, 20), (3.0, 24), (10.0, 8)):
        add(f"lr {lr:g}", 160, lr=lr, entries=entries)
    for lr, entries in ((2.0, 12), (3.0, 24), (6.0, 10), (10.0, 16)):
        add(f"up to {lr:g}", 240, lr=lr, warmup=240, entries=entries)
    add("4000 bytes, up to 5", 240, bytes=4_000, lr=5.0, warmup=240, entries=15)
    return found


# --- runs -------------------------------------------------------------------------------------------------------------


def _source(size):
    """All of the training text, or its first `size` bytes."""
    return text.corpus().train[:size]


@functools.cache
def _fixed(source, seed):
    """ROWS windows that never change, of unseen text ("val") or of training text of that size."""
    ids = text.corpus().val if source == "val" else _source(source)
    return next(text.batches(ids, ROWS, SEQ_LEN, training.generator(SEED, seed)))


def run(setting) -> dict[str, list]:
    """Trains one model → what was measured at entry 0 (the fresh model) and at each entry after it:

    at: steps taken; train: mean loss of the steps since the entry before, dropout on; own: loss on a fixed part of the
    training text, dropout off; val and check: on two fixed parts of unseen text. All in nats per byte, NaN once a loss
    was not finite.
    """
    setting = DEFAULTS | setting
    seed, size, steps, entries = (setting[key] for key in ("seed", "bytes", "steps", "entries"))
    model = training.tiny_model(seed, **setting["model"])
    optimizer = training.OPTIMIZERS[setting["optimizer"]](model.parameters(), setting["lr"])
    batches = text.batches(_source(size), setting["batch_size"], SEQ_LEN, training.generator(seed, 1))
    fixed = {"own": _fixed(size, 2), "val": _fixed("val", 3), "check": _fixed("val", 4)}
    torch.manual_seed(seed)  # of dropout

    def schedule(step):
        return setting["lr"] * min(1.0, (step + 1) / setting["warmup"])

    records = training.train(model, itertools.islice(batches, steps), optimizer, schedule=schedule)
    at = [k * steps // entries for k in range(entries + 1)]
    curves = {"at": at} | {key: [training.evaluate(model, [batch])] for key, batch in fixed.items()}
    curves["train"] = curves["own"][:1]
    for last, now in itertools.pairwise(at):
        losses = [record.loss for record in itertools.islice(records, now - last)]
        alive = len(losses) == now - last and math.isfinite(sum(losses))
        curves["train"].append(sum(losses) / len(losses) if alive else math.nan)
        for key, batch in fixed.items():
            curves[key].append(training.evaluate(model, [batch]) if alive else math.nan)
    return curves


@functools.cache
def counting(size) -> tuple[float, float]:
    """Nats per byte of the training text for whoever counts bytes, and for whoever counts pairs of them."""
    ids = _source(size).long()

    def entropy(values):
        shares = values.bincount().double() / len(ids)
        return -torch.special.xlogy(shares, shares).sum().item()

    of_bytes = entropy(ids)
    return of_bytes, entropy(ids[:-1] * text.VOCAB_SIZE + ids[1:]) - of_bytes


# --- the three labelers -----------------------------------------------------------------------------------------------


def by_shape(curves) -> str:
    """The docstring of `diagnose`, which is all that a learner has."""
    if not all(map(math.isfinite, curves["train"] + curves["val"])):
        return "diverged"
    train, val = (
        [sum(curve[i : i + 3]) / 3 for i in range(len(curve) - 2)] for curve in (curves["train"], curves["val"])
    )
    if train[-1] > min(train) + 0.5:
        return "diverged"
    if val[-1] > min(val) + 0.1:
        return "overfit"
    return "underfit" if train[-1] > curves["train"][0] / 2 else "well-fit"


def by_intervention(curves, longer) -> str:
    """What would have helped? `longer`: the curves of a larger model that trained for longer on the same text."""
    own, check = curves["own"], curves["check"]
    if not math.isfinite(own[-1]) or own[-1] > min(own) + RISE:
        return "diverged"  # an earlier checkpoint would be better even on the training text
    stop = min(range(len(own)), key=curves["val"].__getitem__)
    if check[-1] > check[stop] + 0.1:
        return "overfit"  # stopped where the validation loss was lowest, other unseen text fares better
    return "underfit" if own[-1] > min(longer["own"]) + TOO_HIGH else "well-fit"


def by_yardsticks(curves, size) -> str:
    """Where do the final weights stand?"""
    own, check, (bytes_alone, pairs) = curves["own"][-1], curves["check"][-1], counting(size)
    if not math.isfinite(own) or own > math.log(text.VOCAB_SIZE) + 0.1:
        return "diverged"  # worse than a model that knows nothing
    if check - own > GAP:
        return "overfit"
    return "underfit" if own > (bytes_alone + pairs) / 2 else "well-fit"


def label(curves, size, longer) -> list[str]:
    return [by_shape(curves), by_intervention(curves, longer), by_yardsticks(curves, size)]


# --- recordings -------------------------------------------------------------------------------------------------------


def kept(name, setting, measure):
    """What `measure(setting)` gives, from CACHE where an earlier run of this script has left it."""
    file = CACHE / f"{name.replace(' ', '_')}.json"
    if file.exists():
        found = json.loads(file.read_text())
        if found["setting"] == json.loads(json.dumps(setting)):
            return found["result"]
    result = measure(setting)
    files.write_text(file, json.dumps({"setting": setting, "result": result}))
    return result


def curves():
    """→ config, figures and rows of every run on which the labelers agree."""
    rows, labels, apart = [], {}, {}
    for name, setting in settings().items():
        found, size = kept(name, setting, run), setting.get("bytes")
        longer = kept(f"longer on {size or 'all'}", {"seed": SEED, "bytes": size, **LONGER}, run)
        words = label(found, size, longer)
        if len(set(words)) > 1:
            apart[name] = words
            continue
        labels[name] = words[0]
        for step, train, val in zip(found["at"], found["train"], found["val"], strict=True):
            rows.append({"run": name, "step": step, "train": round(train, 4), "val": round(val, 4)})
    config = {"labels": labels, "apart": apart, "defaults": DEFAULTS, "longer": LONGER, "settings": settings()}
    figures = {word: n for word, n in Counter(labels.values()).items()}
    return config, {"runs": len(settings()), "agreed": len(labels), **figures}, rows


def main():
    """Trains what is missing in CACHE, labels all, and writes the recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "recordings")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that an earlier call has left")
    args = parser.parse_args()
    if args.fresh:
        shutil.rmtree(CACHE, ignore_errors=True)
    with training.one_thread():
        config, figures, rows = curves()
    head = recordings.header("curves", config=config | {"threads": 1}, seed=SEED, figures=figures)
    recordings.save(args.out / "curves.jsonl", head, rows)
    for key, value in figures.items():
        print(f"{value:4d}  {key}")


if __name__ == "__main__":
    main()
