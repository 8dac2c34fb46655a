"""Number formats bit by bit, autocast by dtype, and what a training step costs on this machine in each of them."""

import contextlib
import functools
import math
import statistics
import time
from typing import NamedTuple

import torch

from course.lab import text, training
from course.lab.gpt import GPT, GPTConfig


class Format(NamedTuple):
    """A floating-point format: one sign bit, then exponent and mantissa."""

    dtype: torch.dtype
    exponent_bits: int
    mantissa_bits: int

    @property
    def bits(self) -> int:
        """All bits of a number."""
        return 1 + self.exponent_bits + self.mantissa_bits

    def pattern(self, value: float) -> str:
        """The bits that `value` is stored as, the sign first, such as '0011110000000000'."""
        kind = {32: torch.int32, 16: torch.int16, 8: torch.uint8}[self.bits]
        code = torch.tensor(value, dtype=torch.float64).to(self.dtype).view(kind).item()
        return format(code % 2**self.bits, f"0{self.bits}b")

    def stored(self, value: float) -> float:
        """What is left of `value`: the nearest number, or what torch makes of one that is too large."""
        return torch.tensor(value, dtype=torch.float64).to(self.dtype).double().item()

    def spacing(self, value: float) -> float:
        """How far the next number of the format lies from the stored `value`, away from zero; NaN beyond the range."""
        stored = self.stored(value)
        if not math.isfinite(stored):
            return math.nan
        lowest = 2 - 2 ** (self.exponent_bits - 1)  # the exponent of the smallest normal number and of all subnormals
        exponent = max(math.frexp(stored)[1] - 1, lowest) if stored else lowest
        return 2.0 ** (exponent - self.mantissa_bits)


FORMATS = {
    "float32": Format(torch.float32, 8, 23),
    "float16": Format(torch.float16, 5, 10),
    "bfloat16": Format(torch.bfloat16, 8, 7),
    "float8_e4m3fn": Format(torch.float8_e4m3fn, 4, 3),
    "float8_e5m2": Format(torch.float8_e5m2, 5, 2),
}


def autocast(dtype: torch.dtype, device="cpu"):
    """The context in which a forward pass computes in `dtype` where autocast thinks it safe; none for float32."""
    if dtype is torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, dtype)


def device() -> str:
    """Where this course measures precision: "cuda" where there is one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class Saved(NamedTuple):
    """Bytes that a forward pass keeps for the backward pass, the parameters themselves not counted."""

    activations: int
    copies: int  # 16-bit casts of the weights, which autocast makes


def saved_bytes(model, batch, dtype: torch.dtype) -> Saved:
    """What the loss of `batch` keeps for its backward pass under autocast to `dtype`, each storage counted once."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    casts = [p.detach().to(dtype) for p in model.parameters() if p.ndim == 2]
    seen = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = (tensor.detach(), storage.nbytes())  # held, so that no address is used twice
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        autocast(dtype, batch["input_ids"].device),
    ):
        loss = training.loss(model, batch)
    copies = 0
    if dtype is not torch.float32:
        copies = sum(size for tensor, size in seen.values() if any(_same(tensor, cast) for cast in casts))
    del loss
    return Saved(sum(size for _, size in seen.values()) - copies, copies)


def _same(tensor, cast):
    """Whether `tensor` holds what `cast` does, as it is or transposed."""
    return tensor.dtype == cast.dtype and any(
        tensor.shape == one.shape and torch.equal(tensor, one) for one in (cast, cast.T)
    )


class Cost(NamedTuple):
    """A training step: bytes that were measured on its tensors, and the median time of some steps, in seconds."""

    weights: int
    gradients: int
    state: int  # of AdamW
    copies: int
    activations: int
    seconds: float

    @property
    def bytes(self) -> int:
        """What is there at the end of a forward pass; the gradients of the step before are counted too."""
        return sum(self[:-1])


def cost(dtype: torch.dtype, rows: int, width: int) -> Cost:
    """A step of a GPT with two layers of `width`, on `rows` rows of 64 bytes, with AdamW, under autocast to `dtype`.

    Measured on `device()`, on a CPU on one thread, as the median of three steps; once in a process for each setting.
    """
    return _cost(dtype, rows, width, device())


@functools.cache
def _cost(dtype, rows, width, device, layers=2, repeats=3):
    shape = GPTConfig(width=width, layers=layers, heads=max(2, width // 32), mlp_width=3 * width, zero_head=False)
    with training.one_thread():
        model = GPT(shape, training.generator(0, 5)).to(device)
        drawn = next(text.batches("train", rows, 64, training.generator(0, 6)))
        batch = {name: tensor.to(device) for name, tensor in drawn.items()}
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        times = [_step(model, batch, optimizer, dtype) for _ in range(repeats + 1)][1:]
        saved = saved_bytes(model, batch, dtype)
    parameters = list(model.parameters())
    moments = [t for state in optimizer.state.values() for name, t in state.items() if name != "step"]
    return Cost(
        weights=_bytes(parameters),
        gradients=_bytes(p.grad for p in parameters),
        state=_bytes(moments),
        copies=saved.copies,
        activations=saved.activations,
        seconds=statistics.median(times),
    )


def _bytes(tensors):
    return sum(tensor.nbytes for tensor in tensors)


def _step(model, batch, optimizer, dtype):
    """Takes a step and returns its seconds."""
    device = batch["input_ids"].device
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    optimizer.zero_grad(set_to_none=False)
    with autocast(dtype, device):
        loss = training.loss(model, batch)
    loss.backward()
    optimizer.step()
    wait()
    return time.perf_counter() - began
