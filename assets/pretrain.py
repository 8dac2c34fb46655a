"""Pretrains the base model on the corpus, on a CPU or a GPU; can be stopped and run again at any moment.

    python assets/pretrain.py --tokens 40e6                   # .cache/pretrain/d256-l6: checkpoint.pt, log.jsonl
    python assets/model_card.py .cache/pretrain/d256-l6       # ships it: weights and card into assets/base_model

The learning rate rises over 1 % of the run, stays, and falls linearly to zero over the last quarter, so that one long
run can be cooled down at several places (`--branch FOLDER` goes on from another run's checkpoint to a new length).
Matrices take Muon's steps, embeddings, head and norms AdamW's. The batch of a step depends on the seed and the step
alone: a resumed run reads what an unbroken one would have read.
"""

import argparse
import json
import math
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from course.lab import corpus, files, hardware

HERE = Path(__file__).parent
RUNS = HERE.parent / ".cache" / "pretrain"
# The share of training windows that a domain gives, and its weight in the mean of bits per byte.
MIX = {
    "python_docs": 0.26,
    "wordnet": 0.30,
    "stdlib": 0.08,
    "king_james": 0.09,
    "jargon": 0.07,
    "simple_english": 0.20,
}
CONTEXT, BATCH, MICRO_BATCH = corpus.CONTEXT, 32, 16
MUON_LR, ADAMW_LR = 5e-3, 6e-3
WARMUP, COOLDOWN = 0.01, 1 / 4  # shares of the run


def build_model(width, layers, vocab_size):
    """A Llama with heads of 64, half as many key and value heads, and an MLP of about 8/3 widths."""
    heads = width // 64
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=width,
            intermediate_size=64 * round(width * 8 / 3 / 64),
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=max(1, heads // 2),
            max_position_embeddings=512,
            tie_word_embeddings=False,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def build_optimizers(model):
    """Muon for the matrices inside the blocks, AdamW for everything else."""
    matrices = [p for p in model.model.layers.parameters() if p.dim() == 2]
    inside = set(map(id, matrices))
    rest = [p for p in model.parameters() if id(p) not in inside]
    return [
        torch.optim.Muon(matrices, lr=MUON_LR, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=ADAMW_LR, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def lr_factor(progress):
    """The share of the peak learning rate when `progress` (0 to 1) of the run is done."""
    return min(1.0, (progress + 1e-4) / WARMUP, (1 - progress) / COOLDOWN)


def read_streams(tokenizer):
    """{domain: its training text as one stream of ids, uint16}."""
    return {
        domain: corpus.token_ids(tokenizer, corpus.documents(domain, "train")).numpy().astype(np.uint16)
        for domain in MIX
    }


def draw(streams, seed, step):
    """The batch of a step: (BATCH, CONTEXT) int64, windows of domains drawn by MIX."""
    rng = np.random.default_rng((seed, step))
    rows = []
    for domain in rng.choice(list(MIX), size=BATCH, p=list(MIX.values())):
        ids = streams[domain]
        start = rng.integers(len(ids) - CONTEXT)
        rows.append(ids[start : start + CONTEXT].astype(np.int64))
    return torch.from_numpy(np.stack(rows))


def save(path, model, optimizers, step, seconds, seed):
    """Writes a checkpoint so that a crash at any moment leaves the old one or the new one."""
    kept = {
        "config": model.config.to_dict(),
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "step": step,
        "seconds": seconds,
        "hardware": hardware.short(next(model.parameters()).device),
        "seed": seed,
    }
    with files.replacing(path) as stream:
        torch.save(kept, stream)


def one_step(model, optimizers, batch, factor, device):
    """One update on `batch` at `factor` of the peak learning rates; returns (loss in nats, grad norm)."""
    total = 0.0
    for rows in batch.to(device).split(MICRO_BATCH):
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(input_ids=rows).logits
        labels = F.pad(rows[:, 1:], (0, 1), value=-100)  # cheaper than cutting the last logits off
        nats = F.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())
        (nats * len(rows) / len(batch)).backward()
        total += nats.item() * len(rows) / len(batch)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
    if math.isfinite(norm):
        for optimizer, peak in zip(optimizers, (MUON_LR, ADAMW_LR), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
            optimizer.step()
    model.zero_grad()
    return total, norm


def evaluate(model, tokenizer, n_bytes=15_000):
    """{domain: bits per byte of held-out text}, and their mean by MIX under "weighted"."""
    bits = {domain: corpus.bits_per_byte(model, tokenizer, domain, n_bytes) for domain in MIX}
    return bits | {"weighted": sum(MIX[domain] * bits[domain] for domain in MIX)}


def main():
    """Trains, logs, checkpoints; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=float, required=True, help="length of the run")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=hardware.cores())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, help="folder of the run (default: .cache/pretrain/d<width>-l<layers>)")
    parser.add_argument("--branch", type=Path, help="another run's folder, whose checkpoint a new run starts from")
    parser.add_argument("--minutes-per-checkpoint", type=float, default=4)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = torch.device(args.device)
    out = args.out or RUNS / f"d{args.width}-l{args.layers}"
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(HERE / "base_model")
    model = build_model(args.width, args.layers, len(tokenizer)).to(device)
    optimizers = build_optimizers(model)
    step, seconds = 0, 0.0
    resumed = next((d / "checkpoint.pt" for d in (out, args.branch) if d and (d / "checkpoint.pt").exists()), None)
    if args.branch and not resumed:
        sys.exit(f"{args.branch} holds no checkpoint.pt to branch from.")
    if resumed:
        kept = torch.load(resumed, map_location=device, weights_only=True)
        if (kept["config"]["hidden_size"], kept["config"]["num_hidden_layers"]) != (args.width, args.layers):
            sys.exit(f"{resumed} is of another size: give its --width and --layers, or another --out.")
        model.load_state_dict(kept["model"])
        for optimizer, state in zip(optimizers, kept["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        step, seconds = kept["step"], kept["seconds"]
    streams = read_streams(tokenizer)
    total = math.ceil(args.tokens / (BATCH * CONTEXT))

    stop = []
    for number in (signal.SIGINT, signal.SIGTERM):  # finish the step, keep it, go
        signal.signal(number, lambda *_: stop.append(True))
    log = (out / "log.jsonl").open("a", encoding="utf-8")
    size = BATCH * CONTEXT
    bar = tqdm(total=total * size, initial=step * size, unit="tok", unit_scale=True, mininterval=5)
    began, kept_at, smooth = time.monotonic(), time.monotonic(), None
    model.train()
    while step < total and not stop:
        factor = lr_factor(step / total)
        loss, norm = one_step(model, optimizers, draw(streams, args.seed, step), factor, device)
        step += 1
        smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
        now = time.monotonic()
        record = {"step": step, "tokens": step * size, "loss": round(loss, 4), "lr": MUON_LR * factor}
        record |= {"grad_norm": round(norm, 4), "seconds": round(seconds + now - began, 1)}
        if step % 250 == 0 or step == total:
            record["bits_per_byte"] = {k: round(v, 4) for k, v in evaluate(model, tokenizer).items()}
        log.write(json.dumps(record) + "\n")
        log.flush()
        bar.update(size)
        bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
        if now - kept_at > 60 * args.minutes_per_checkpoint or step == total or stop:
            save(out / "checkpoint.pt", model, optimizers, step, seconds + now - began, args.seed)
            kept_at = now
    bar.close()
    if stop and step < total:
        print(f"Stopped after step {step} of {total}; the same command goes on from there.")
    else:
        print(f"Done. To ship it: python assets/model_card.py {out}")


if __name__ == "__main__":
    main()
