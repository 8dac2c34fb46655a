"""What autograd keeps for the backward pass of the course's GPT, in bytes: measured, and predicted from the sizes."""

from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from course.lab import training
from course.lab.gpt import GPTConfig, Output
from course.lab.peak import PeakMemory


def with_checkpoints(model, use_reentrant: bool = False, checkpointed: Callable | None = None) -> Callable:
    """The GPT `model` with every block under a checkpoint; the same parameters, the same contract.

    `checkpointed(block, x, cos, sin, allowed)` does it; without one, torch's own of the given kind.
    """

    def torchs(block, *inputs):
        return checkpoint(block, *inputs, use_reentrant=use_reentrant)

    def forward(input_ids, attention_mask=None):
        length, allowed = input_ids.shape[1], None
        if attention_mask is not None and not attention_mask.all():
            seen = torch.ones(length, length, dtype=torch.bool).tril()
            allowed = seen & attention_mask[:, None, None, :].bool() | torch.eye(length, dtype=torch.bool)
        x = model.embedding(input_ids)
        for block in model.blocks:
            x = (checkpointed or torchs)(block, x, model.cos[:length], model.sin[:length], allowed)
        return Output(model.head(model.norm(x)))

    return forward


def kept_bytes(function: Callable, but=()) -> int:
    """Bytes of the tensors that `function()` leaves to autograd for the backward pass, each storage counted once.

    `but`: tensors that are there anyway, such as a model's parameters, and do not count.
    """
    anyway, seen = {_key(tensor) for tensor in but}, {}

    def pack(tensor):
        seen[_key(tensor)] = tensor  # held until the end, so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = function()
    sizes = {key: tensor.untyped_storage().nbytes() for key, tensor in seen.items() if key not in anyway}
    del result
    return sum(sizes.values())


def measured(model, ids: torch.Tensor, checkpoints: bool) -> int:
    """Bytes kept after the forward pass of `ids` (B, T), the loss not included."""
    run = with_checkpoints(model) if checkpoints else model
    return kept_bytes(lambda: run(input_ids=ids).logits, but=[*model.parameters(), *model.buffers(), ids])


def block_numbers(config: GPTConfig) -> int:
    """Numbers that one block keeps for each token: 12 widths, 4 MLP widths, one per head, and two for the norms.

    Two norms keep their input, its normed form and the normed form times the weight (3 widths each) and 1 / RMS;
    attention keeps queries, keys (both turned), the product of which q, k and v are parts (3 widths), its output, and
    a number per head; the MLP keeps gate and up, silu(gate) and their product.
    """
    return 12 * config.width + 4 * config.mlp_width + config.heads + 2


def predicted(config: GPTConfig, tokens: int, checkpoints: bool) -> int:
    """The same in bytes of float32, from the sizes alone: with checkpoints a block keeps its input and nothing else."""
    per_block = config.width if checkpoints else block_numbers(config)
    last_norm = 3 * config.width + 1
    return 4 * tokens * (config.layers * per_block + last_norm)


def operations(model, batch, checkpoints: bool) -> int:
    """Floating point operations in the matrix products of one forward and backward pass, as torch counts them."""
    run = with_checkpoints(model) if checkpoints else model
    with FlopCounterMode(display=False) as counter, training.one_thread():
        training.loss(run, batch).backward()
    model.zero_grad()
    return counter.get_total_flops()


def peak(model, micro_batches, checkpoints: bool) -> int:
    """Bytes held at the worst moment of one accumulated gradient, beyond the weights: all there is, logits included."""
    run = with_checkpoints(model) if checkpoints else model
    model.zero_grad()
    with training.one_thread(), PeakMemory() as memory:
        for batch in micro_batches:
            (training.loss(run, batch) / len(micro_batches)).backward()
    model.zero_grad()
    return memory.peak


def _key(tensor):
    return tensor.untyped_storage()._cdata
