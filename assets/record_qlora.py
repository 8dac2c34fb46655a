"""Runs the course's QLoRA experiments on the shipped base and keeps them in assets/recordings/.

    python assets/record_qlora.py                       # all of them; then: python -m course.lab.assets
    python assets/record_qlora.py effect fifty          # some
    python assets/record_qlora.py --out /tmp/recordings --base .cache/base --device cuda

effect          900 conversations, one epoch: answer loss and exact match on unseen ways of asking, before and after
fifty           50 examples, one epoch: three answers before and after
learning_rates  four peak learning rates, from far too low to where it breaks
ranks           four ranks at one learning rate
forgetting      learning rate x rank: bits per byte by domain, when the answer loss first falls under one same value

Each experiment is written when it is done: a stopped run has lost only the one it was at.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from course.lab import assets, banking, corpus, qlora, recordings
from course.lab.qlora.scores import closeness, exact_match

SEED = 0
LEARNING_RATES = (5e-4, 2e-3, 8e-3, 8e-2)
RANKS = (1, 4, 16, 64)
GRID_RATES, GRID_RANKS, GRID_UPDATES = (2e-3, 5e-3, 1.2e-2), (4, 16, 64), 80
MATCHED_LOSS = 1.0  # nats a token of the held-out answers; every run that learns passes it
DOMAIN_BYTES = 12_000
PROMPTS = (  # three intents of the held-out families
    "lost_card",
    "forgotten_pin",
    "balance",
)


class Bench:
    """The base, the data and the measurements that all experiments share."""

    def __init__(self, base, device):
        self.base, self.device = base, device
        self.train, self.held_out = list(banking.load("train")), list(banking.load("held_out"))
        _, self.tokenizer = self.fresh(1)
        self.features = qlora.encode(self.train, self.tokenizer)
        answers = qlora.encode(self.held_out, self.tokenizer)
        pad = self.tokenizer.pad_token_id
        self.batches = [qlora.collate(answers[i : i + 32], pad) for i in range(0, len(answers), 32)]

    def fresh(self, rank):
        """(the base with new adapters of `rank`, the tokenizer)."""
        model, tokenizer = qlora.load_base(self.base, self.device)
        return qlora.add_lora(model, r=rank, alpha=2 * rank, seed=SEED), tokenizer

    def updates(self, config, n=None):
        """The updates of the first `n` conversations."""
        return qlora.Updates(self.features[:n], self.tokenizer.pad_token_id, config)

    def loss(self, model):
        """Nats a token of the held-out answers."""
        return qlora.evaluate(model, self.batches)

    def exact(self, model):
        """The share of held-out questions answered to the letter."""
        answers = qlora.generate(model, self.tokenizer, [one["messages"][0]["content"] for one in self.held_out])
        return exact_match(answers, [one["messages"][1]["content"] for one in self.held_out])

    def domains(self, model):
        """{domain: bits per byte}."""
        return {d: corpus.bits_per_byte(model, self.tokenizer, d, DOMAIN_BYTES) for d in corpus.DOMAINS}


def effect(bench):
    """One epoch over all conversations, with the CPU's preset."""
    preset = qlora.PRESETS["cpu"]
    model, _ = bench.fresh(preset.rank)
    config = qlora.Config(lr=preset.lr, micro_batch_size=preset.micro_batch_size, seed=SEED)
    figures = {"loss_before": bench.loss(model), "exact_before": bench.exact(model)}
    before = bench.domains(model)
    began, processor = time.perf_counter(), time.process_time()
    rows = [record._asdict() for record in qlora.train(model, bench.updates(config), config)]
    figures |= {"seconds": time.perf_counter() - began, "processor_seconds": time.process_time() - processor}
    figures |= {"loss_after": bench.loss(model), "exact_after": bench.exact(model)}
    after = bench.domains(model)
    for domain in corpus.DOMAINS:
        figures |= {f"{domain}_before": before[domain], f"{domain}_after": after[domain]}
    return {"rank": preset.rank, "train": config}, figures, rows


def fifty(bench):
    """Fifty examples, one epoch, three prompts, greedy decoding."""
    model, _ = bench.fresh(8)
    config = qlora.Config(lr=1e-2, micro_batch_size=2, seed=SEED)
    chosen = [next(one for one in bench.held_out if one["intent"] == intent) for intent in PROMPTS]
    questions, targets = ([one["messages"][i]["content"] for one in chosen] for i in (0, 1))
    before = qlora.generate(model, bench.tokenizer, questions)
    rows = [record._asdict() for record in qlora.train(model, bench.updates(config, 50), config)]
    after = qlora.generate(model, bench.tokenizer, questions)
    figures = {"closer": 0}
    for number, (question, target, base, tuned) in enumerate(zip(questions, targets, before, after, strict=True), 1):
        scores = closeness(base, target), closeness(tuned, target)
        figures["closer"] += scores[1] > scores[0]
        figures |= {f"question_{number}": question, f"target_{number}": target}
        figures |= {f"base_{number}": base, f"tuned_{number}": tuned}
        figures |= {f"closeness_base_{number}": scores[0], f"closeness_tuned_{number}": scores[1]}
    return {"rank": 8, "examples": 50, "train": config}, figures, rows


def _sweep(bench, runs):
    """{name: (rank, lr)} each trained for one epoch; figures are the held-out loss and exact match of each."""
    rows, figures = [], {}
    for name, (rank, lr) in runs.items():
        model, _ = bench.fresh(rank)
        config = qlora.Config(lr=lr, evaluate_every=25, seed=SEED)
        for record in qlora.train(model, bench.updates(config), config, held_out=bench.batches):
            rows.append({"run": name, **record._asdict()})
        figures |= {f"loss {name}": bench.loss(model), f"exact {name}": bench.exact(model)}
        figures |= {f"skipped {name}": rows[-1]["skipped"]}
        print(f"  {name}: held-out loss {figures[f'loss {name}']:.3f}", flush=True)
    return figures, rows


def learning_rates(bench):
    """Four peak learning rates at rank 8."""
    figures, rows = _sweep(bench, {f"lr {lr:g}": (8, lr) for lr in LEARNING_RATES})
    return {"rank": 8, "lr": LEARNING_RATES}, figures, rows


def ranks(bench):
    """Four ranks at one learning rate, alpha = 2 rank."""
    figures, rows = _sweep(bench, {f"rank {rank}": (rank, qlora.Config().lr) for rank in RANKS})
    return {"rank": RANKS, "lr": qlora.Config().lr}, figures, rows


def forgetting(bench):
    """Every learning rate with every rank, each stopped when the held-out answer loss first falls to MATCHED_LOSS."""
    model, _ = bench.fresh(1)
    base = bench.domains(model)
    figures, rows = {f"{domain} base": bits for domain, bits in base.items()}, []
    for lr in GRID_RATES:
        for rank in GRID_RANKS:
            name = f"lr {lr:g} rank {rank}"
            model, _ = bench.fresh(rank)
            # A constant rate: where a run stops must not depend on how long it was planned.
            config = qlora.Config(lr=lr, schedule="constant_with_warmup", evaluate_every=1, seed=SEED)
            reached = None
            # A third of the held-out answers says when to stop, after every update; all of them what was reached.
            updates = bench.updates(config)[:GRID_UPDATES]
            for record in qlora.train(model, updates, config, held_out=bench.batches[::3]):
                rows.append({"run": name, **record._asdict()})
                if record.held_out_loss is not None and record.held_out_loss <= MATCHED_LOSS:
                    reached = record
                    break
            figures[f"updates {name}"] = reached.step if reached else math.nan
            figures[f"task loss {name}"] = bench.loss(model)
            figures |= {f"{domain} {name}": bits for domain, bits in bench.domains(model).items()}
            print(f"  {name}: {'stopped at' if reached else 'never fell to'} {MATCHED_LOSS} nats", flush=True)
    return {"matched_loss": MATCHED_LOSS, "lr": GRID_RATES, "rank": GRID_RANKS}, figures, rows


EXPERIMENTS = {one.__name__: one for one in (effect, fifty, learning_rates, ranks, forgetting)}


def show(console, name, figures, seconds):
    """Prints the figures of an experiment."""
    table = Table("figure", "value", title=f"{name} ({seconds:.0f} s)", title_justify="left")
    for key, value in figures.items():
        table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
    console.print(table)


def main():
    """Runs and keeps the experiments named, all of them without a name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(EXPERIMENTS))
    parser.add_argument("--base", default=None, help="a model's folder; default: the shipped base")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="more are slower on batches this small")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "recordings")
    args = parser.parse_args()
    unknown = set(args.names) - set(EXPERIMENTS)
    if unknown:
        parser.error(f"no experiment {', '.join(sorted(unknown))}: there are {', '.join(EXPERIMENTS)}")
    torch.set_num_threads(args.threads)
    console = Console()
    bench = Bench(args.base or qlora.shipped(), args.device)
    # The shipped weights by their sha256, so that recordings made on others are known for it.
    weights = args.base or assets.manifest()["base_model/model.safetensors"]["sha256"]
    for name in args.names or EXPERIMENTS:
        began = time.perf_counter()
        config, figures, rows = EXPERIMENTS[name](bench)
        figures = {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
        config |= {"base": weights, "threads": args.threads}
        head = recordings.header(name, config=config, seed=SEED, figures=figures, device=args.device)
        recordings.save(args.out / f"{name}.jsonl", head, rows)
        show(console, name, figures, time.perf_counter() - began)


if __name__ == "__main__":
    main()
