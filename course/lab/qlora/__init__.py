"""QLoRA in plain sight: a 4-bit base, LoRA adapters, and a training loop that reads top to bottom.

    model, tokenizer = qlora.load_base(qlora.shipped())
    model = qlora.add_lora(model, r=8)
    updates = qlora.Updates(qlora.encode(banking.load("train"), tokenizer), tokenizer.pad_token_id, config)
    for record in qlora.train(model, updates, config):
        print(record.step, record.loss)

The same code runs on a CPU with the base model that ships with the course and on a GPU with a model from the hub
(`qlora.presets`), in one process or, under torchrun or `accelerate launch`, in several (`python -m course.lab.qlora`).
After Dettmers et al. 2023, QLoRA, arXiv 2305.14314.
"""

from course.lab.qlora.base import SetupError, add_lora, guard_cpu_repack, load_base, shipped
from course.lab.qlora.data import Updates, collate, encode
from course.lab.qlora.loop import Config, Record, evaluate, summed_loss, train
from course.lab.qlora.output import export, generate, load_adapter, merge
from course.lab.qlora.presets import PRESETS, Preset, preset_for

__all__ = [
    "PRESETS",
    "Config",
    "Preset",
    "Record",
    "SetupError",
    "Updates",
    "add_lora",
    "collate",
    "encode",
    "evaluate",
    "export",
    "generate",
    "guard_cpu_repack",
    "load_adapter",
    "load_base",
    "merge",
    "preset_for",
    "shipped",
    "summed_loss",
    "train",
]
