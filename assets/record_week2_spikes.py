"""Feeds tiny models five batches of random bytes in the middle of a run and keeps the losses for week 2's `spike`.

    python assets/record_week2_spikes.py        # half a minute; then: python -m course.lab.assets

One row a step: the loss before its update, on the batch that it trains on. Steps are counted from 1.
"""

import argparse
import itertools
import math
from pathlib import Path

import torch

from course.lab import recordings, text, training

BATCH, SEQ_LEN, WARMUP, SEED = 16, 64, 20, 0
START, LENGTH, STEPS, FIRST = 150, 5, 260, 110  # batches, counted from 0: the first corrupt one; the first that is kept


def settings() -> dict[str, dict]:
    """{name: optimizer (AdamW, or SGD with momentum where beta2 is None), learning rate, clip norm, seed}."""
    found = {}
    for clip, beta2 in itertools.product((None, 1.0, 0.1), (0.95, 0.999)):
        found[f"AdamW, beta2 {beta2}, clip {clip}"] = dict(lr=1e-2, beta2=beta2, clip=clip, seed=SEED)
    for lr, clip, seed in ((0.3, None, SEED), (0.3, 0.1, SEED), (0.6, None, SEED), (1.0, None, 1)):
        found[f"momentum, lr {lr:g}, clip {clip}"] = dict(lr=lr, beta2=None, clip=clip, seed=seed)
    return found


def run(setting) -> list[float]:
    """The loss of each of STEPS steps; NaN once it was not finite."""
    model = training.tiny_model(setting["seed"])
    if setting["beta2"] is None:
        optimizer = torch.optim.SGD(model.parameters(), lr=setting["lr"], momentum=0.9)
    else:
        betas = (0.9, setting["beta2"])
        optimizer = torch.optim.AdamW(model.parameters(), lr=setting["lr"], betas=betas, weight_decay=0.01)
    noise = training.generator(setting["seed"], 2)

    def mixed():
        for step, batch in enumerate(training.tiny_batches(BATCH, setting["seed"], seq_len=SEQ_LEN)):
            corrupt = START <= step < START + LENGTH
            yield text.batch(torch.randint(256, (BATCH, SEQ_LEN), generator=noise)) if corrupt else batch

    def schedule(step):
        return setting["lr"] * min(1.0, (step + 1) / WARMUP)

    batches = itertools.islice(mixed(), STEPS)
    losses = [
        record.loss for record in training.train(model, batches, optimizer, max_norm=setting["clip"], schedule=schedule)
    ]
    return losses + [math.nan] * (STEPS - len(losses))


def main():
    """Runs every setting and writes the recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "recordings")
    args = parser.parse_args()
    rows = []
    with training.one_thread():
        for name, setting in settings().items():
            losses = run(setting)
            rows += [{"run": name, "step": k + 1, "loss": round(losses[k], 4)} for k in range(FIRST, STEPS)]
            print(f"{name}: ends at {losses[-1]:.2f}")
    config = {"settings": settings(), "first_kept": FIRST, "corrupt_from": START, "corrupt": LENGTH, "threads": 1}
    head = recordings.header("spikes", config=config, seed=SEED, figures={"runs": len(settings()), "corrupt": LENGTH})
    recordings.save(args.out / "spikes.jsonl", head, rows)


if __name__ == "__main__":
    main()
