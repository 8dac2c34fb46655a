"""A model small enough to train within a test, random but for its tokenizer, and what the tests of qlora share."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bitsandbytes.functional as bnb
import torch
from bitsandbytes.nn import Linear4bit
from torch import nn
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from course.lab import assets, banking, qlora

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
TURN = {"role": "assistant", "content": "Yes."}


def write_base(folder, **changes) -> Path:
    """A random Llama in `folder`, with weights large enough for its predictions to be sharp, and its tokenizer."""
    for name in TOKENIZER:
        shutil.copy(assets.root() / "base_model" / name, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    shape = {
        "hidden_size": 64,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "tie_word_embeddings": False,
        "initializer_range": 0.15,
        "vocab_size": len(tokenizer),
    }
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("bos", "eos", "pad")}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(LlamaConfig(**shape | ids | changes)).save_pretrained(folder)
    return Path(folder)


def adapted(folder, dtype=torch.float32, *, quantize=True, B=0.0, **lora):
    """(model, tokenizer) as a run begins with; `B` other than 0: as one ends with, B drawn with that deviation."""
    model, tokenizer = qlora.load_base(folder, dtype=dtype, quantize=quantize)
    model = qlora.add_lora(model, **{"r": 4, "alpha": 8} | lora)
    if B:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in of_kind(model, "lora_B").values():
                parameter.copy_(B * torch.randn(parameter.shape, generator=generator))
    return model, tokenizer


def of_kind(model, kind="lora_"):
    """{name: parameter} of the adapters, or of all their A or B."""
    return {name: parameter for name, parameter in model.named_parameters() if kind in name}


def values(model, kind="lora_"):
    """What they hold now."""
    return {name: parameter.detach().clone() for name, parameter in of_kind(model, kind).items()}


def gradients(model, batch, kind="lora_B", dtype=torch.float32):
    """The gradients of a batch's summed loss in training mode, as one vector."""
    model.train()
    model.zero_grad()
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        qlora.summed_loss(model, batch).backward()
    found = torch.cat([parameter.grad.flatten() for parameter in of_kind(model, kind).values()])
    model.zero_grad()
    return found


def apart(one, other) -> float:
    """The largest difference between two dicts of tensors."""
    assert one.keys() == other.keys() and one
    return max((one[name] - other[name]).abs().max().item() for name in one)


def dense(model):
    """`model` with each 4-bit layer replaced, in place, by a plain one that holds the dequantized weights."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Linear4bit):
                plain = nn.Linear(child.in_features, child.out_features, bias=False)
                plain.weight.data = bnb.dequantize_4bit(child.weight.data, child.weight.quant_state).clone()
                setattr(parent, name, plain.requires_grad_(False))
    return model


def features(tokenizer, n=64):
    """The first `n` banking conversations, encoded."""
    return qlora.encode(banking.load("train").select(range(n)), tokenizer)


def updates(tokenizer, config, n=64):
    return qlora.Updates(features(tokenizer, n), tokenizer.pad_token_id, config)


def losses(model, batches, config, **options):
    return [record.loss for record in qlora.train(model, batches, config, **options)]


def random_batch(*lengths, seed=0):
    """A batch of rows of these lengths; all labels count but the first, which nothing predicts."""
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(10, 4000, (length,), generator=generator).tolist() for length in lengths]
    return qlora.collate([{"input_ids": row, "labels": row} for row in rows], pad_id=0)


def write_data(path, n) -> Path:
    """The first `n` banking conversations in a file of their own."""
    records = banking.load("train").select(range(n))
    path.write_text("".join(json.dumps({"messages": one["messages"]}) + "\n" for one in records), encoding="utf-8")
    return path


def command(*arguments, launcher=()):
    """The command line of a run; with `launcher`, that of a module that starts several."""
    module = [] if "--module" in launcher else ["-m"]
    return [sys.executable, *(["-m", *launcher] if launcher else []), *module, "course.lab.qlora", *map(str, arguments)]


def environment(**more):
    return os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | more


def run(*arguments, launcher=(), timeout=240, **more):
    return subprocess.run(
        command(*arguments, launcher=launcher),
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
