"""The training loop, from top to bottom, in one process or in several."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from transformers import get_scheduler

from course.lab.qlora.base import SetupError
from course.lab.qlora.checkpoint import Checkpoint


@dataclass(frozen=True)
class Config:
    """What a run does; the adapters' own settings stand in `add_lora`."""

    lr: float = 5e-3  # the peak
    epochs: int = 1
    micro_batch_size: int = 8  # examples that one forward pass sees
    accumulation_steps: int = 1  # micro-batches in one update, over all processes
    max_norm: float = 1.0  # of the gradient of all adapters together
    schedule: str = "linear"  # a name of transformers.get_scheduler
    warmup: float = 0.05  # share of the updates
    weight_decay: float = 0.0
    optimizer: str = "adamw"  # or "adamw8bit", "paged_adamw32bit": bitsandbytes' own
    dtype: torch.dtype = torch.bfloat16  # of autocast; float32 switches it off
    group_by_length: bool = True
    seed: int = 0
    evaluate_every: int = 0  # updates; 0: never
    checkpoint_every: int = 0  # updates; 0: never


class Record(NamedTuple):
    """One update; `loss` and `grad_norm` were measured before it."""

    step: int  # 1 for the first
    loss: float  # nats per label that counts, over the whole batch of all processes
    lr: float
    grad_norm: float  # before clipping
    tokens: int  # labels that counted
    seconds: float  # since the run began, earlier parts of a resumed run included
    skipped: int  # updates skipped so far, for a loss or gradient that was not finite
    held_out_loss: float | None = None


def summed_loss(model, batch) -> torch.Tensor:
    """The sum of -ln p in nats over the labels that count; position t predicts label t+1.

    The head is applied only where a label counts: masked prompts and padding cost no logits.
    """
    causal_lm = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal_lm.get_decoder()(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])[0]
    labels = batch["labels"][:, 1:]
    counts = labels != -100
    logits = causal_lm.get_output_embeddings()(hidden[:, :-1][counts])
    return F.cross_entropy(logits.float(), labels[counts], reduction="sum")


def train(model, updates, config: Config, *, held_out=(), folder=None) -> Iterator[Record]:
    """Takes one optimizer step for each of `updates` (lists of micro-batches) and yields its Record.

    The run waits whenever nobody asks for the next record. With a `folder` and `config.checkpoint_every`, it goes on
    from the folder's checkpoint, and its losses are those of a run that was never stopped. `held_out` are the batches
    of `evaluate`. Under torch.distributed each process computes its share of an update's micro-batches. Raises
    SetupError if nothing in the model trains, or the checkpoint is of another run.
    """
    device, rank, world = next(model.parameters()).device, _rank(), _world()
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise SetupError("nothing in this model trains: give it adapters with add_lora first.")
    optimizer = _optimizer(parameters, config)
    schedule = get_scheduler(config.schedule, optimizer, math.ceil(config.warmup * len(updates)), len(updates))
    scaler = torch.amp.GradScaler(device.type, enabled=config.dtype == torch.float16)
    checkpoint = Checkpoint(folder, model, config, len(updates), optimizer=optimizer, schedule=schedule, scaler=scaler)
    done, skipped, before = checkpoint.resume()
    began = time.perf_counter()

    for step in range(done, len(updates)):
        model.train()
        micro_batches = updates[step]
        tokens = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in micro_batches)
        total = torch.zeros((), device=device)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(hash((config.seed, step, rank)))  # a resumed run then drops out what an unbroken one does
            for batch in micro_batches[rank::world]:
                batch = {name: tensor.to(device) for name, tensor in batch.items()}
                with torch.autocast(device.type, config.dtype, enabled=config.dtype != torch.float32):
                    nats = summed_loss(model, batch)
                scaler.scale(nats / max(tokens, 1)).backward()  # every token weighs the same, whatever its micro-batch
                total += nats.detach()
        if world > 1:
            _add_up([total, *_gradients(parameters)])

        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(parameters, config.max_norm).item()
        lr = optimizer.param_groups[0]["lr"]
        loss = total.item() / max(tokens, 1)
        if math.isfinite(norm) and math.isfinite(loss) and tokens:
            scaler.step(optimizer)
            schedule.step()
        else:
            skipped += 1
        scaler.update()  # halves the scale where a scaled gradient overflowed
        optimizer.zero_grad(set_to_none=True)

        evaluate_now = config.evaluate_every and (step + 1) % config.evaluate_every == 0
        held_out_loss = evaluate(model, held_out, config.dtype) if evaluate_now else None
        seconds = before + time.perf_counter() - began
        yield Record(step + 1, loss, lr, norm, tokens, seconds, skipped, held_out_loss)
        if config.checkpoint_every and (step + 1) % config.checkpoint_every == 0:
            checkpoint.save(step + 1, skipped, seconds)  # after its record was taken: what is logged twice is the same


@torch.no_grad()
def evaluate(model, batches, dtype=torch.bfloat16) -> float:
    """Mean nats per label that counts over all of `batches`, every token weighing the same; NaN if none counts.

    Computed in eval mode and under autocast to `dtype`; the model's mode is as before afterwards.
    """
    device, was_training = next(model.parameters()).device, model.training
    nats, tokens = 0.0, 0
    try:
        model.eval()
        for batch in batches:
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                nats += summed_loss(model, batch).item()
            tokens += int((batch["labels"][:, 1:] != -100).sum())
    finally:
        model.train(was_training)
    return nats / tokens if tokens else math.nan


def _optimizer(parameters, config):
    options = {"lr": config.lr, "weight_decay": config.weight_decay}
    if config.optimizer == "adamw":
        return torch.optim.AdamW(parameters, **options)
    from bitsandbytes import optim

    kinds = {"adamw8bit": optim.AdamW8bit, "paged_adamw32bit": optim.PagedAdamW32bit}
    if config.optimizer not in kinds:
        raise SetupError(f"optimizer {config.optimizer!r} is none of adamw, {', '.join(kinds)}")
    return kinds[config.optimizer](parameters, **options)


def _rank():
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def _world():
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _gradients(parameters):
    """Every gradient, zeros where this process had no micro-batch."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return [parameter.grad for parameter in parameters]


def _add_up(tensors):
    """Sums each tensor over all processes, in place. Each loss was divided by the tokens of the whole batch, so that
    the sum of gradients, not their mean, is the gradient.
    """
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, summed in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(summed.view_as(tensor))
