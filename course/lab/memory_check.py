"""Holds `course.lab.memory` against measurement: small models with random weights, trained by the course's own code.

    python -m course.lab.memory_check

Each case is a base made by `qlora.load_base` and two updates by `qlora.train` on a CPU; the second is measured, when
the optimizer has its state. "as on CUDA" cases also run on the CPU, but let peft believe in CUDA's autocast: it then
saves what it saves on a GPU. What CUDA's own kernels and allocator add is not measured here.
"""

import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple
from unittest import mock

import torch

from course.lab import memory
from course.lab.peak import Live, PeakMemory, static_bytes

TOLERANCE = 0.05


@dataclass(frozen=True)
class Case:
    """A model, a batch and the settings of a run."""

    hidden: int = 256
    ffn: int = 704
    layers: int = 2
    vocab: int = 1024
    heads: int = 8
    kv_heads: int = 4
    tied: bool = False
    batch: int = 2
    sequence: int = 64  # tokens
    supervised: float = 1.0  # share of each sequence, at its end, whose labels count
    padding: int = 0  # tokens at the end of the first sequence
    micro_batches: int = 1
    rank: int = 8
    optimizer: str = "adamw"
    checkpointing: bool = False
    dtype: torch.dtype = torch.bfloat16
    quantized: bool = True
    as_on_cuda: bool = False
    attention: str = "eager"  # what load_base takes on a CPU; sdpa, what it takes on a GPU

    def __str__(self):
        differing = [f"{name} {value}" for name, value in vars(self).items() if value != getattr(Case, name)]
        return ", ".join(differing).replace("torch.", "").replace(" True", "").replace("_", " ") or "the defaults"


class Measured(NamedTuple):
    """Bytes that stay, bytes on top of them at the second update's peak, what these were, and what train did."""

    static: int
    peak: int
    at_peak: list[Live]
    config: object  # transformers' configuration of the model
    labels: int  # that counted in one micro-batch
    adapter_parameters: int


CASES = (
    Case(),
    Case(checkpointing=True),
    Case(attention="sdpa"),
    Case(attention="sdpa", as_on_cuda=True, sequence=128, supervised=0.5),
    Case(attention="sdpa", as_on_cuda=True, checkpointing=True, sequence=128, supervised=0.05),
    Case(hidden=512, ffn=1408, vocab=8192, sequence=128, rank=16),
    Case(hidden=512, ffn=1408, layers=6, vocab=4096, kv_heads=8, supervised=0.5, optimizer="adamw8bit", rank=64),
    Case(hidden=768, ffn=2048, heads=12, kv_heads=2, layers=8, checkpointing=True, supervised=0.05, sequence=128),
    Case(hidden=768, ffn=2048, heads=12, kv_heads=12, layers=4, vocab=32000, tied=True, checkpointing=True),
    Case(layers=8, supervised=0.05, padding=16, sequence=128, rank=4),
    Case(layers=4, supervised=0.5, sequence=384, checkpointing=True),
    Case(attention="sdpa", layers=8, supervised=0.5, padding=16, sequence=256, checkpointing=True, as_on_cuda=True),
    Case(attention="sdpa", layers=3, kv_heads=1, padding=16, supervised=0.5, checkpointing=True),
    Case(layers=4, batch=1, sequence=24, rank=64),
    Case(layers=4, batch=1, sequence=24, rank=64, optimizer="adamw8bit", checkpointing=True),
    Case(batch=1, rank=64, kv_heads=8, vocab=8192, checkpointing=True, optimizer="adamw8bit"),
    Case(optimizer="paged_adamw32bit", micro_batches=2, rank=32, supervised=0.25),
    Case(micro_batches=2, rank=32, supervised=0.25, sequence=128, checkpointing=True),
    Case(dtype=torch.float32, supervised=0.1, sequence=128),
    Case(attention="sdpa", dtype=torch.float32, supervised=0.1, sequence=128, checkpointing=True),
    Case(quantized=False, hidden=384, ffn=1024, supervised=0.1, sequence=128),
)


def measure(case: Case) -> Measured:
    """Builds the case's model in a temporary folder, trains it for two updates and measures the second."""
    from course.lab import qlora

    with tempfile.TemporaryDirectory() as folder:
        _save_base(case, folder)
        model, _ = qlora.load_base(folder, dtype=case.dtype, quantize=case.quantized)
    model.set_attn_implementation(case.attention)
    model = qlora.add_lora(model, r=case.rank, checkpointing=case.checkpointing)
    batch = _batch(case)
    config = qlora.Config(optimizer=case.optimizer, dtype=case.dtype)
    autocast_anywhere = mock.patch.object(torch, "is_autocast_enabled", _autocast_enabled)
    with autocast_anywhere if case.as_on_cuda else nullcontext():
        records = qlora.train(model, [[batch] * case.micro_batches] * 2, config)
        next(records)
        with PeakMemory() as memory_taken:
            next(records)
        static = static_bytes(model, records.gi_frame.f_locals["optimizer"])  # train keeps it to itself
        records.close()
    labels = int((batch["labels"][:, 1:] != -100).sum())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Measured(static, memory_taken.peak, memory_taken.at_peak, model.config, labels, trained)


def predict(case: Case, measured: Measured) -> memory.Ledger:
    """The ledger of the same run."""
    return memory.ledger(
        measured.config,
        case.batch * case.sequence,
        sequence=case.sequence,
        supervised=measured.labels,
        padded=case.padding > 0,
        rank=case.rank,
        optimizer=case.optimizer,
        checkpointing=case.checkpointing,
        dtype=case.dtype,
        quantized=case.quantized,
        accumulating=case.micro_batches > 1,
        device="cuda" if case.as_on_cuda else "cpu",
        attention=case.attention,
    )


def errors(case: Case) -> tuple[memory.Ledger, Measured, dict[str, float]]:
    """The ledger, the measurement, and how far the first is off: {"static", "peak", "total"}, as shares.

    "peak" is what comes and goes alone, which is harder to meet than the "total" with what stays.
    """
    measured = measure(case)
    ledger = predict(case, measured)
    off = {
        "static": ledger.static / measured.static - 1,
        "peak": ledger.worst.bytes / measured.peak - 1,
        "total": ledger.total / (measured.static + measured.peak) - 1,
    }
    return ledger, measured, off


_enabled = torch.is_autocast_enabled


def _autocast_enabled(device_type="cpu"):
    """What torch.is_autocast_enabled() would say on a GPU, where it asks about CUDA."""
    return _enabled(device_type)


def _save_base(case, folder):
    from tokenizers import Tokenizer, models
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=case.hidden,
        intermediate_size=case.ffn,
        num_hidden_layers=case.layers,
        num_attention_heads=case.heads,
        num_key_value_heads=case.kv_heads,
        vocab_size=case.vocab,
        tie_word_embeddings=case.tied,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).to(case.dtype).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1}, unk_token="<unk>"))
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>").save_pretrained(folder)


def _batch(case):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(1, case.vocab, (case.batch, case.sequence), generator=generator)
    labels, mask = ids.clone(), torch.ones_like(ids)
    labels[:, : case.sequence - max(1, round(case.supervised * case.sequence))] = -100
    if case.padding:
        ids[0, -case.padding :], mask[0, -case.padding :], labels[0, -case.padding :] = 0, 0, -100
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def main() -> int:
    """Prints a line for each of CASES; returns 1 if one is further off than TOLERANCE."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    began, worst = time.perf_counter(), 0.0
    print("  predicted    measured   off by   (static, rest)   the case; when its peak was")
    for case in CASES:
        ledger, measured, off = errors(case)
        worst = max(worst, *map(abs, off.values()))
        print(
            f"{ledger.total:11,} {measured.static + measured.peak:11,} {off['total']:+8.2%} "
            f"({off['static']:+7.2%}, {off['peak']:+7.2%}) {case}; {ledger.worst.name}",
            flush=True,
        )
    print(f"{len(CASES)} cases in {time.perf_counter() - began:.0f} s, the worst of all numbers off by {worst:.2%}.")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
