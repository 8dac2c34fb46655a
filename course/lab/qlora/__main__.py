"""One QLoRA run from the command line, in one process or several.

    python -m course.lab.qlora --out .cache/run                       the shipped base on the banking conversations
    torchrun --nproc_per_node 2 -m course.lab.qlora --out .cache/run  the same losses, the micro-batches shared out
    accelerate launch -m course.lab.qlora --out .cache/run            likewise, on several GPUs

Goes on from the last checkpoint in --out. When done, --out holds run.jsonl (a recording) and adapter/.
"""

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from tqdm import tqdm

from course.lab import banking, jsonl, qlora, recordings


def main():
    """Loads, trains, evaluates, exports; the first process alone prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder for the checkpoint, the recording and the adapter")
    parser.add_argument("--preset", choices=qlora.PRESETS, help="default: by this machine's memory")
    parser.add_argument("--model", help="a local folder or a hub name; default: the preset's")
    parser.add_argument("--data", help="a .jsonl of conversations; default: the banking conversations")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, help="default: the preset's")
    parser.add_argument("--rank", type=int, help="of the adapters; default: the preset's")
    parser.add_argument("--micro-batch-size", type=int, help="default: the preset's")
    parser.add_argument("--accumulation-steps", type=int, help="default: the preset's")
    parser.add_argument("--max-updates", type=int, help="stop after so many")
    parser.add_argument("--checkpoint-every", type=int, default=25, help="updates; 0: never")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    local, several = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)) > 1
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if several:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    first = not several or dist.get_rank() == 0
    try:
        _run(args, device, first)
    except qlora.SetupError as error:
        sys.exit(f"qlora: {error}")
    finally:
        if several:
            dist.destroy_process_group()


def _run(args, device, first):
    preset = qlora.preset_for(args.preset)
    config = qlora.Config(
        lr=args.lr or preset.lr,
        epochs=args.epochs,
        micro_batch_size=args.micro_batch_size or preset.micro_batch_size,
        accumulation_steps=args.accumulation_steps or preset.accumulation_steps,
        optimizer=preset.optimizer,
        dtype=preset.dtype,
        seed=args.seed,
        checkpoint_every=args.checkpoint_every,
    )
    records = _conversations(args.data)  # first: a mistake in the data is found before a model is fetched
    model, tokenizer = qlora.load_base(args.model or preset.source(), device, preset.dtype)
    rank = args.rank or preset.rank
    model = qlora.add_lora(model, r=rank, alpha=2 * rank, checkpointing=preset.checkpointing, seed=args.seed)
    features = qlora.encode(records, tokenizer, preset.max_length)
    updates = qlora.Updates(features, tokenizer.pad_token_id, config)
    updates = updates[: args.max_updates] if args.max_updates else updates

    run = qlora.train(model, updates, config, folder=args.out)
    log = Path(args.out, "log.jsonl")
    rows = _logged(log) if Path(args.out, "checkpoint.pt").exists() else {}
    if first:
        jsonl.write(log, rows.values())
    for record in tqdm(run, total=len(updates), unit="update", disable=not first):
        if first:
            # A run that was killed computes some updates twice, with the same result.
            rows[record.step] = record._asdict()
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[record.step]) + "\n")
    if not first:
        return
    settings = {"model": str(args.model or preset.model or "the shipped base"), "rank": rank, "train": config}
    figures = {"last_loss": round(rows[len(updates)]["loss"], 4), "updates": len(updates)}
    head = recordings.header("run", config=settings, seed=args.seed, figures=figures, device=device)
    recordings.save(f"{args.out}/run.jsonl", head, rows.values())
    qlora.export(model, tokenizer, f"{args.out}/adapter")


def _conversations(data):
    try:
        return jsonl.read(data) if data else banking.load("train")
    except (OSError, ValueError) as error:
        raise qlora.SetupError(str(error)) from error


def _logged(log):
    """{step: row} of an earlier part of this run; the line that a kill cut short is left out."""
    rows = {}
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            rows[row["step"]] = row
    return rows


if __name__ == "__main__":
    main()
