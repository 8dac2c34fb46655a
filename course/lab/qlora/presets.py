"""What to train on which machine: a model that fits, and the settings that make it fit."""

from dataclasses import dataclass

import torch

from course.lab import hardware
from course.lab.qlora.base import SetupError, shipped


@dataclass(frozen=True)
class Preset:
    """One size of machine. `model` is a hub name, or "" for the base that ships with the course."""

    model: str
    memory: int  # bytes of the device that it was chosen for
    dtype: torch.dtype
    micro_batch_size: int
    accumulation_steps: int
    max_length: int  # tokens
    optimizer: str
    checkpointing: bool
    rank: int
    lr: float

    def source(self):
        """What `load_base` takes."""
        return self.model or shipped()


# Qwen2.5 1.5B, 7B and 32B are Apache-2.0, need no account, and their PAD is not their EOS.
# A T4 has no bfloat16 (capability 7.5); the others have.
_BF16, _FP16 = torch.bfloat16, torch.float16
PRESETS = {
    "cpu": Preset("", 4 * 2**30, _BF16, 3, 1, 256, "adamw", False, 64, 3e-3),
    "t4-16gb": Preset("Qwen/Qwen2.5-1.5B-Instruct", 15 * 2**30, _FP16, 4, 4, 512, "adamw8bit", True, 16, 2e-4),
    "24gb": Preset("Qwen/Qwen2.5-7B-Instruct", 24 * 2**30, _BF16, 4, 4, 512, "paged_adamw32bit", True, 16, 2e-4),
    "80gb": Preset("Qwen/Qwen2.5-32B-Instruct", 80 * 2**30, _BF16, 4, 4, 512, "paged_adamw32bit", True, 16, 1e-4),
}


def preset_for(name: str | None = None) -> Preset:
    """The preset of that name; without one, the largest that this machine's first GPU holds, "cpu" without a GPU."""
    if name is not None:
        if name not in PRESETS:
            raise SetupError(f"no preset {name!r}: there are {', '.join(PRESETS)}.")
        return PRESETS[name]
    found = hardware.gpus()
    if not found:
        return PRESETS["cpu"]
    size, bfloat16 = found[0]["bytes"], found[0]["bfloat16"]
    fits = [p for p in PRESETS.values() if p.memory <= 1.05 * size and (bfloat16 or p.dtype == torch.float16)]
    return max(fits, key=lambda preset: preset.memory, default=PRESETS["cpu"])
