"""Runs LR range tests on tiny models, trains the same models at many rates, and keeps both for week 6's `suggest_lr`.

    python assets/record_week6.py               # some ten minutes; then: python -m course.lab.assets
    python assets/record_week6.py --fresh       # without the runs that a stopped one has left in .cache/record_week6/

A range test is one run whose learning rate rises by a constant factor each step. What a suggestion is worth is measured
by training at it: a rate is accepted where real runs end within MARGIN nat of the best, on unseen text, the mean over
SEEDS, read off between two measured rates by a straight line over the logarithm.

Six readers suggest where the smoothed losses fall most steeply, each smoothing or differentiating in another way; a
test is kept only where all of them suggest an accepted rate. The others are named in the header, and its figures count
how often each rule was right, over all tests: the lesson quotes them.
"""

import argparse
import itertools
import json
import math
import shutil
from pathlib import Path

import numpy as np

from course.lab import files, recordings, text, training

CACHE = Path(__file__).parents[1] / ".cache" / "record_week6"
ENTRIES, TESTS, SEEDS, STEPS, MARGIN, ROWS = 80, 4, 3, 200, 0.05, 64

SPANS = {"adamw": (1e-5, 10.0), "sgd": (1e-3, 1e3), "momentum": (1e-4, 100.0)}  # of the range tests
RATES = {"adamw": (-3.0, -1.0), "sgd": (-1.25, 0.75), "momentum": (-2.0, 0.0)}  # decimal logarithms: of the runs
DEFAULTS = {"optimizer": "adamw", "batch_size": 16, "width": 32}


def settings() -> dict[str, dict]:
    """{name: what differs from DEFAULTS}."""
    names = {"adamw": "AdamW", "sgd": "SGD", "momentum": "momentum"}
    found = {}
    for optimizer, name in names.items():
        found[name] = {"optimizer": optimizer}
        for rows in (4, 32):
            found[f"{name}, batch of {rows}"] = {"optimizer": optimizer, "batch_size": rows}
        for width in (16, 64) if optimizer == "adamw" else (16,):
            found[f"{name}, width {width}"] = {"optimizer": optimizer, "width": width}
    return found


def lrs_of(optimizer, entries=ENTRIES) -> list[float]:
    """The rates of a range test: each is the one before times the same factor."""
    low, high = SPANS[optimizer]
    return [low * (high / low) ** (k / (entries - 1)) for k in range(entries)]


def rates_of(optimizer) -> list[float]:
    """The rates at which runs are trained, four in each decade."""
    low, high = RATES[optimizer]
    return [10 ** (low + k / 4) for k in range(round(4 * (high - low)) + 1)]


def _model(setting, seed):
    return training.tiny_model(seed, width=setting["width"], mlp_width=3 * setting["width"])


def range_test(setting) -> list[float]:
    """Losses in nats, each before the step at its rate; NaN from the first that is not finite on."""
    lrs, seed = lrs_of(setting["optimizer"]), setting["seed"]
    model = _model(setting, seed)
    optimizer = training.OPTIMIZERS[setting["optimizer"]](model.parameters(), lrs[0])
    batches = itertools.islice(training.tiny_batches(setting["batch_size"], seed), len(lrs))
    records = training.train(model, batches, optimizer, schedule=lrs.__getitem__)
    losses = [record.loss if math.isfinite(record.loss) else math.nan for record in records]
    return losses + [math.nan] * (len(lrs) - len(losses))


def run(setting) -> float:
    """The loss on unseen text after STEPS steps at one rate, NaN where the run diverged."""
    model, seed = _model(setting, setting["seed"]), setting["seed"]
    args = (setting["lr"], setting["batch_size"], STEPS, seed, setting["optimizer"], model)
    last = [record.loss for record in training.tiny_run(*args)][-1]
    fixed = next(text.batches("val", ROWS, 64, training.generator(0, 6)))
    return training.evaluate(model, [fixed]) if math.isfinite(last) else math.nan


def accepted(ends: dict[float, list[float]]) -> tuple[float, float]:
    """{rate: its ends} → (lowest, highest) rate around the best one within MARGIN of it; NaN counts as far away."""
    rates, means = np.log([*ends]), np.nan_to_num([np.mean(losses) for losses in ends.values()], nan=1e3)
    fine = np.linspace(rates[0], rates[-1], 4001)
    inside = np.interp(fine, rates, means) <= means.min() + MARGIN
    best = int(np.argmin(np.interp(fine, rates, means)))
    low = best - int(np.argmin(inside[best::-1])) + 1 if not inside[: best + 1].all() else 0
    high = best + int(np.argmin(inside[best:])) - 1 if not inside[best:].all() else len(fine) - 1
    return float(np.exp(fine[low])), float(np.exp(fine[high]))


# --- the readers ------------------------------------------------------------------------------------------------------


def _finite(losses):
    lost = [k for k, loss in enumerate(losses) if not math.isfinite(loss)]
    return np.array(losses[: lost[0]] if lost else losses)


def _moving(losses, width):
    half = width // 2
    return np.array([losses[max(0, k - half) : k + half + 1].mean() for k in range(len(losses))])


def _ema(losses, beta=0.8):
    mean, smooth = 0.0, []
    for count, loss in enumerate(losses, 1):
        mean = beta * mean + (1 - beta) * loss
        smooth.append(mean / (1 - beta**count))
    return np.array(smooth)


def _whole_windows(losses, width=5):
    return np.convolve(losses, np.ones(width) / width, "valid")


def _padded(losses, width=5):
    return _whole_windows(np.pad(losses, width // 2, "edge"), width)


def _steepest(lrs, smooth, slopes=np.gradient, first=0):
    """The rate at which `smooth` falls most steeply before its lowest; `first`: the entry of its first value."""
    down = smooth[: int(np.argmin(smooth)) + 1]
    return lrs[first + int(np.argmin(slopes(down)))] if len(down) > 1 else lrs[first]


READERS = {
    "running_mean": lambda lrs, losses: _steepest(lrs, _ema(_finite(losses)), np.diff),
    "running_mean_centred": lambda lrs, losses: _steepest(lrs, _ema(_finite(losses))),
    "mean_of_5": lambda lrs, losses: _steepest(lrs, _moving(_finite(losses), 5)),
    "mean_of_5_padded": lambda lrs, losses: _steepest(lrs, _padded(_finite(losses)), np.diff),
    "mean_of_5_whole": lambda lrs, losses: _steepest(lrs, _whole_windows(_finite(losses)), np.diff, 2),
    "mean_of_7": lambda lrs, losses: _steepest(lrs, _moving(_finite(losses), 7)),
}
RULES = READERS | {
    "lowest": lambda lrs, losses: lrs[int(np.argmin(_moving(_finite(losses), 5)))],
    "tenth_of_lowest": lambda lrs, losses: lrs[int(np.argmin(_moving(_finite(losses), 5)))] / 10,
    "unsmoothed": lambda lrs, losses: _steepest(lrs, _finite(losses)),
}


# --- recordings -------------------------------------------------------------------------------------------------------


def kept(name, setting, measure):
    """What `measure(setting)` gives, from CACHE where an earlier run of this script has left it."""
    file = CACHE / f"{name.replace(' ', '_').replace(',', '')}.json"
    if file.exists():
        found = json.loads(file.read_text())
        if found["setting"] == json.loads(json.dumps(setting)):
            return found["result"]
    result = measure(setting)
    files.write_text(file, json.dumps({"setting": setting, "result": result}))
    return result


def _all_runs(setting):
    return [
        [run(setting | {"lr": rate, "seed": seed}) for seed in range(SEEDS)] for rate in rates_of(setting["optimizer"])
    ]


def range_tests():
    """→ config, figures and rows: a row for every test on which the readers agree."""
    ends, bounds, rows, apart, right = {}, {}, [], [], dict.fromkeys(RULES, 0)
    for name, changes in settings().items():
        setting = DEFAULTS | changes
        rates = rates_of(setting["optimizer"])
        ends[name] = dict(zip(rates, kept(f"runs {name}", setting | {"steps": STEPS}, _all_runs), strict=True))
        bounds[name] = accepted(ends[name])
        print(name, [round(bound, 4) for bound in bounds[name]], flush=True)
        for number in range(TESTS):
            losses = kept(f"test {name} {number}", setting | {"seed": 100 + number, "entries": ENTRIES}, range_test)
            lrs = lrs_of(setting["optimizer"])
            fits = {rule: bounds[name][0] <= read(lrs, losses) <= bounds[name][1] for rule, read in RULES.items()}
            for rule, fit in fits.items():
                right[rule] += fit
            if all(fits[reader] for reader in READERS):
                rows.append({"run": f"{name} ({number})", "setting": name, "losses": [round(x, 4) for x in losses]})
            else:
                apart.append(f"{name} ({number})")
    config = {"settings": settings(), "defaults": DEFAULTS, "entries": ENTRIES, "steps": STEPS, "margin": MARGIN}
    config |= {
        "lrs": {optimizer: [float(f"{lr:.6g}") for lr in lrs_of(optimizer)] for optimizer in SPANS},
        "accepted": {name: [float(f"{bound:.4g}") for bound in pair] for name, pair in bounds.items()},
        "ends": {
            name: {f"{r:.4g}": [round(x, 4) for x in e] for r, e in found.items()} for name, found in ends.items()
        },
        "apart": apart,
    }
    return config, {"tests": len(rows) + len(apart), "kept": len(rows), **right}, rows


def main():
    """Runs what is missing in CACHE, and writes the recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "recordings")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that an earlier call has left")
    args = parser.parse_args()
    if args.fresh:
        shutil.rmtree(CACHE, ignore_errors=True)
    with training.one_thread():
        config, figures, rows = range_tests()
    head = recordings.header("range_tests", config=config | {"threads": 1}, seed=0, figures=figures)
    recordings.save(args.out / "range_tests.jsonl", head, rows)
    for key, value in figures.items():
        print(f"{value:4d}  {key}")


if __name__ == "__main__":
    main()
