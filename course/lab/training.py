"""Training as an iterator of step records, for any model that keeps the course's contract for batches and models."""

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F

from course.lab import text
from course.lab.gpt import GPT, GPTConfig


class StepRecord(NamedTuple):
    """One optimizer step, `loss` and `grad_norm` measured before the update."""

    step: int  # 1 for the first update
    loss: float  # nats per counted token
    lr: float  # of the first parameter group
    grad_norm: float  # global, before clipping
    tokens_per_s: float  # counted tokens of this step over its time
    wall_s: float  # seconds since the first step began

    @property
    def diverged(self) -> bool:
        """The loss is inf or NaN; the step was not taken and the run has ended."""
        return not math.isfinite(self.loss)


def summed_loss(model, batch) -> tuple[torch.Tensor, torch.Tensor]:
    """(sum of -ln p over the labels that count, in nats; their number). Position t predicts label t+1."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    targets = F.pad(batch["labels"][:, 1:], (0, 1), value=-100)  # cheaper than cutting the last logits off
    nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    return nats, (targets != -100).sum()


def loss(model, batch) -> torch.Tensor:
    """Mean nats per counted label, a 0-d tensor with its graph; NaN if no label counts, as in torch."""
    nats, count = summed_loss(model, batch)
    return nats / count


def train(
    model,
    batches: Iterable[dict],
    optimizer,
    *,
    max_norm: float | None = None,
    schedule: Callable[[int], float] | None = None,
) -> Iterator[StepRecord]:
    """Takes one optimizer step per batch and yields its StepRecord; the run pauses whenever nobody asks for the next.

    `max_norm` clips the global gradient norm. `schedule(step)` with step = 0, 1, 2 ... gives the learning rate of
    every group. A loss that is not finite is yielded with `diverged` set, and ends the run before it reaches the
    weights.
    """
    model.train()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    start = time.perf_counter()
    for index, batch in enumerate(batches):
        began = time.perf_counter()
        if schedule is not None:
            for group in optimizer.param_groups:
                group["lr"] = schedule(index)
        optimizer.zero_grad()
        nats, count = summed_loss(model, batch)
        mean, lr = nats / count, float(optimizer.param_groups[0]["lr"])
        value, tokens = mean.item(), count.item()
        if not math.isfinite(value):
            yield StepRecord(index + 1, value, lr, math.nan, 0.0, time.perf_counter() - start)
            return
        mean.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, math.inf if max_norm is None else max_norm).item()
        optimizer.step()
        now = time.perf_counter()
        yield StepRecord(index + 1, value, lr, norm, tokens / max(now - began, 1e-9), now - start)


@torch.no_grad()
def evaluate(model, batches: Iterable[dict]) -> float:
    """Mean nats per counted label over all of `batches`, each token weighing the same; every module's mode is as
    before afterwards.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        sums = [summed_loss(model, batch) for batch in batches]
    finally:
        for module, mode in modes:
            module.training = mode
    total, count = sum(float(nats) for nats, _ in sums), sum(int(n) for _, n in sums)
    return total / count if count else math.nan


OPTIMIZERS = {
    "adamw": lambda parameters, lr: torch.optim.AdamW(
        parameters, lr=lr, betas=(0.9, 0.95), weight_decay=0.01, fused=True
    ),
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, fused=True),
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9, fused=True),
}


@contextlib.contextmanager
def one_thread():
    """A single torch thread inside: more stall models this small, and the sums would depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generator(*seeds: int) -> torch.Generator:
    """A CPU generator for this tuple of seeds: a stream of its own for weights, batches, samples."""
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 1_000_003 + seed + 1) % 2**63
    return torch.Generator().manual_seed(mixed)


def tiny_model(seed: int = 0, **config) -> GPT:
    """The live demos' model (30k parameters at the default GPTConfig), weights from `seed`."""
    return GPT(GPTConfig(**config), generator(seed, 0))


def tiny_batches(batch_size: int, seed: int = 0, split: str = "train", seq_len: int = 64) -> Iterator[dict]:
    """Endless batches of standard library source; the same seed, the same windows."""
    return text.batches(split, batch_size, seq_len, generator(seed, 1))


def rising(lr: float, warmup: int) -> Callable[[int], float]:
    """A schedule for `train` that rises linearly over the first `warmup` steps and then stays at `lr`."""
    return (lambda step: lr * min(1.0, (step + 1) / warmup)) if warmup else (lambda step: lr)


def tiny_run(
    lr: float = 1e-2,
    batch_size: int = 16,
    steps: int = 200,
    seed: int = 0,
    optimizer: str = "adamw",
    model: torch.nn.Module | None = None,
    warmup: int = 20,
) -> Iterator[StepRecord]:
    """`steps` steps of the tiny model on the standard library's bytes; the same arguments give the same losses.

    The learning rate rises linearly over the first `warmup` steps. Pass `model` to keep it; without, it is
    `tiny_model(seed)`.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer {optimizer!r} is none of {', '.join(OPTIMIZERS)}")
    model = tiny_model(seed) if model is None else model
    batches = itertools.islice(tiny_batches(batch_size, seed, seq_len=model.config.seq_len), steps)
    yield from train(model, batches, OPTIMIZERS[optimizer](model.parameters(), lr), schedule=rising(lr, warmup))
