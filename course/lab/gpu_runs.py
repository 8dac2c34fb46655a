"""`python -m autograde gpu`: every run that a GPU is owed, in ten minutes, each kept as a recording.

    python -m autograde gpu --out assets/recordings     # on a machine with a GPU; then: python -m course.lab.assets
    python -m autograde gpu --dry-run                   # the same code on a CPU, on toy sizes, in fp16 too

Each step is written when it is done, and one that fails does not stop the others. Recordings are named gpu_<step>;
those of a dry run are not to be shipped and say so in their names.
"""

import argparse
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch

from course.lab import banking, corpus, hardware, memory, qlora, recordings
from course.lab.peak import PeakMemory, static_bytes
from course.lab.qlora.random_base import random_base
from course.lab.qlora.scores import exact_match
from course.lab.shapes import KNOWN_SHAPES, Shape

SEQUENCE = 512


@dataclass(frozen=True)
class Machine:
    """Where the steps run, and whether for real."""

    device: torch.device
    dry: bool

    @property
    def dtypes(self):
        """What autocast can compute in here."""
        both = self.device.type == "cpu" or torch.cuda.get_device_capability(self.device) >= (8, 0)
        return [torch.float16, torch.bfloat16] if both else [torch.float16]

    def finish(self):
        """Waits until what was asked of the GPU is done, so that a clock can be read."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def effect(machine):
    """The banking conversations on the shipped base, in every dtype: speed, loss and exact match."""
    rows, figures = [], {}
    train, held_out = list(banking.load("train")), list(banking.load("held_out"))
    if machine.dry:
        train, held_out = train[:48], held_out[:4]
    for dtype in machine.dtypes:
        name = str(dtype).removeprefix("torch.")
        model, tokenizer = qlora.load_base(qlora.shipped(), machine.device, dtype)
        model = qlora.add_lora(model)
        config = qlora.Config(dtype=dtype)
        features = qlora.encode(train, tokenizer)
        updates = qlora.Updates(features, tokenizer.pad_token_id, config)
        rows += [{"run": name, **record._asdict()} for record in qlora.train(model, updates, config)]
        answers = qlora.generate(model, tokenizer, [one["messages"][0]["content"] for one in held_out])
        targets = [one["messages"][1]["content"] for one in held_out]
        batch = qlora.collate(qlora.encode(held_out, tokenizer), tokenizer.pad_token_id)
        tokens = sum(len(feature["input_ids"]) for feature in features)
        figures |= {
            f"{name} tokens_per_s": tokens / rows[-1]["seconds"],
            f"{name} skipped": rows[-1]["skipped"],
            f"{name} loss": qlora.evaluate(model, [batch], dtype),
            f"{name} exact": exact_match(answers, targets),
        }
    return {"train": qlora.Config()}, figures, rows


def precision(machine):
    """One model's training step in float32, float16 and bfloat16: time and peak memory."""
    shape = Shape(64, 192, 2, 2, 1, 512) if machine.dry else Shape(1024, 2816, 12, 16, 8, 32000)
    batch_size, sequence, updates = (2, 32, 2) if machine.dry else (8, SEQUENCE, 20)
    figures, rows = {}, []
    for dtype in [torch.float32, *machine.dtypes]:
        name = str(dtype).removeprefix("torch.")
        model = _unquantized(shape, machine.device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        scaler = torch.amp.GradScaler(machine.device.type, enabled=dtype == torch.float16)
        batch = _random_batch(shape, batch_size, sequence, machine.device)
        for step in range(updates + 2):
            if step == 1:  # state exists now, and kernels are chosen
                memory_used = PeakMemory(machine.device)
                memory_used.__enter__()
            machine.finish()
            began = time.perf_counter()
            with torch.autocast(machine.device.type, dtype, enabled=dtype != torch.float32):
                loss = qlora.summed_loss(model, batch) / batch["labels"][:, 1:].numel()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            machine.finish()
            if step == 1:
                memory_used.__exit__(None, None, None)
            if step > 1:
                rows.append({"run": name, "step": step - 1, "step_seconds": time.perf_counter() - began})
        times = sorted(row["step_seconds"] for row in rows if row["run"] == name)
        figures[f"{name} tokens_per_s"] = batch_size * sequence / times[len(times) // 2]
        figures[f"{name} peak_mib_above_weights_and_state"] = memory_used.peak / 2**20
    return {"shape": shape._asdict(), "batch": batch_size, "sequence": sequence}, figures, rows


def ledger(machine):
    """Models of 1B, 7B and 65B with random weights, one sequence, checkpointing: peak predicted and measured."""
    shapes = {
        "1B": KNOWN_SHAPES["TinyLlama-1.1B"],
        "7B": KNOWN_SHAPES["Llama-2-7B"],
        "65B": Shape(8192, 22016, 80, 64, 64, 32000),
    }
    sequence = SEQUENCE
    if machine.dry:
        shapes, sequence = {"toy": Shape(256, 704, 3, 4, 2, 2048)}, 64
    figures, rows = {}, []
    for name, shape in shapes.items():
        predicted = memory.ledger(shape, sequence, rank=16, checkpointing=True).total
        if machine.device.type == "cuda" and predicted > torch.cuda.mem_get_info(machine.device)[0]:
            figures[f"{name} left_out"] = f"needs {predicted / 2**30:.1f} GiB"
            continue
        began = time.perf_counter()
        model = random_base(shape, machine.device)
        model = qlora.add_lora(model, r=16, alpha=32, checkpointing=True)
        built = time.perf_counter() - began
        config = qlora.Config(lr=1e-4, micro_batch_size=1, warmup=0.0)
        updates = [[_random_batch(shape, 1, sequence, machine.device)] for _ in range(6)]
        run = qlora.train(model, updates, config)
        next(run)  # optimizer state exists from here on
        static = static_bytes(model) + 2 * sum(4 * p.numel() for p in model.parameters() if p.requires_grad)
        with PeakMemory(machine.device) as used:
            next(run)
        machine.finish()
        began = time.perf_counter()
        records = [record._asdict() for record in run]
        machine.finish()
        seconds = time.perf_counter() - began
        rows += [{"run": name, **record} for record in records]
        measured = static + used.peak
        figures |= {
            f"{name} predicted_gib": predicted / 2**30,
            f"{name} measured_gib": measured / 2**30,
            f"{name} error_percent": 100 * (predicted - measured) / measured,
            f"{name} tokens_per_s": len(records) * sequence / seconds,
            f"{name} seconds_to_build": built,
        }
        del model, run, updates
        if machine.device.type == "cuda":
            torch.cuda.empty_cache()
    return {"batch": 1, "sequence": sequence, "rank": 16, "checkpointing": True}, figures, rows


def base(machine):
    """Bits per byte of the shipped base, quantized and not: the GPU says what the CPU says."""
    figures = {}
    for name, quantize in (("bf16", False), ("nf4", True)):
        model, tokenizer = qlora.load_base(qlora.shipped(), machine.device, quantize=quantize)
        for domain in corpus.DOMAINS:
            n_bytes = 1_000 if machine.dry else 20_000
            figures[f"{domain} {name}"] = corpus.bits_per_byte(model, tokenizer, domain, n_bytes)
    return {}, figures, []


STEPS = {step.__name__: step for step in (base, effect, precision, ledger)}


def _unquantized(shape, device):
    from transformers import LlamaConfig, LlamaForCausalLM

    fields = {name: value for name, value in shape._asdict().items() if name not in ("model_type",)}
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**fields, use_cache=False)).to(device)


def _random_batch(shape, batch_size, sequence, device):
    ids = torch.randint(0, shape.vocab_size, (batch_size, sequence), device=device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()}


def main(args) -> int:
    """Runs the steps; 0 if all of them were recorded."""
    parser = argparse.ArgumentParser(prog="autograde gpu", description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="*", metavar="step", help=f"default: all of {', '.join(STEPS)}")
    parser.add_argument("--dry-run", action="store_true", help="toy sizes on the CPU")
    parser.add_argument("--out", type=Path, help="folder for the recordings (a dry run's default: a temporary one)")
    options = parser.parse_args(args)
    if unknown := [name for name in options.steps if name not in STEPS]:
        parser.error(f"there is no step {unknown[0]!r}; there are {', '.join(STEPS)}")
    if not options.dry_run and not torch.cuda.is_available():
        print("There is no GPU that torch can use here. `--dry-run` tries the same code on the CPU.", file=sys.stderr)
        return 1
    out = options.out or Path(tempfile.mkdtemp(prefix="gpu-runs-"))
    machine = Machine(torch.device("cpu" if options.dry_run else "cuda"), options.dry_run)
    print(f"{hardware.short(machine.device)}; recordings go to {out}", flush=True)
    failed = []
    for name in options.steps or STEPS:
        began = time.perf_counter()
        try:
            config, figures, rows = STEPS[name](machine)
        except Exception:  # the machine is lent for minutes: what else can be measured is
            traceback.print_exc()
            failed.append(name)
            continue
        figures = {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
        label = f"gpu_{name}" + "_dry_run" * options.dry_run
        head = recordings.header(label, config=config, seed=0, figures=figures, device=machine.device)
        recordings.save(out / f"{label}.jsonl", head, rows)
        print(
            f"\n{name}: {time.perf_counter() - began:.0f} s", *(f"  {k:<45}{v}" for k, v in figures.items()), sep="\n"
        )
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0
