"""What a QLoRA run keeps in memory, byte by byte, by arithmetic alone: nothing is built, so a slider can ask it live.

    print(ledger(config, tokens=8 * 256, sequence=256, supervised=300, rank=16, checkpointing=True))

The terms are those of `course.lab.qlora`: NF4 with double quantization (Dettmers et al. 2023, arXiv 2305.14314), LoRA
in float32 on every linear layer but the head (Hu et al. 2021, arXiv 2106.09685), autocast, torch's fused or eager
attention, and logits only where a label counts. Each was read off the tensors that were alive at a measured peak;
`python -m course.lab.memory_check` measures them again. Not in the ledger: what the CUDA context, fragmentation and
the inside of a kernel take, dropout's masks (a dropout of 0 has none), normalized queries and keys (Qwen3).
"""

from dataclasses import dataclass, fields
from math import ceil

import torch

from course.lab.shapes import KNOWN_SHAPES, adapter_parameters, linear_sizes, parameters, unquantized, widths

OPTIMIZERS = ("adamw", "adamw8bit", "paged_adamw32bit", "sgd")


@dataclass(frozen=True)
class Phase:
    """A moment of an update, and the bytes that come and go; what stays throughout stands in the Ledger."""

    name: str
    adapter_gradients: int = 0
    activations: int = 0  # saved for the backward pass
    logits: int = 0  # with their log-softmax and gradients
    workspace: int = 0  # of the computation going on

    @property
    def bytes(self) -> int:
        """All of them together."""
        return self.adapter_gradients + self.activations + self.logits + self.workspace


@dataclass(frozen=True)
class Ledger:
    """Bytes of a run: what stays from update to update, and the phases of an update, the worst of which is the peak."""

    base_weights_4bit: int
    quantization_constants: int
    unquantized_weights: int  # embedding, head, norms, biases; without quantization the linear layers too
    adapters: int
    optimizer_state: int
    phases: tuple[Phase, ...]

    @property
    def static(self) -> int:
        """What is there between two updates."""
        return sum(getattr(self, field.name) for field in fields(self) if field.name != "phases")

    @property
    def worst(self) -> Phase:
        """The phase that takes the most."""
        return max(self.phases, key=lambda phase: phase.bytes)

    @property
    def peak(self) -> int:
        """The most that is held at any moment, what stays included."""
        return self.static + self.worst.bytes

    total = peak

    def rows(self) -> list[tuple[str, int]]:
        """[(name, bytes)], those of the worst phase last; they add up to `peak`."""
        parts = [(self, field.name) for field in fields(self) if field.name != "phases"]
        parts += [(self.worst, field.name) for field in fields(Phase) if field.name != "name"]
        return [(name.replace("_4bit", "_in_4_bits").replace("_", " "), getattr(owner, name)) for owner, name in parts]

    def __str__(self):
        rows = [*self.rows(), (f"peak: {self.worst.name}", self.peak)]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {readable(size):>11}" for name, size in rows)


def ledger(
    config,
    tokens: int,
    *,
    sequence: int | None = None,
    supervised: int | None = None,
    padded: bool = False,
    rank: int = 8,
    optimizer: str = "adamw",
    checkpointing: bool = False,
    dtype: torch.dtype = torch.bfloat16,
    quantized: bool = True,
    accumulating: bool = False,
    device: str = "cuda",
    attention: str | None = None,
) -> Ledger:
    """The Ledger of an update that is not the first, for a Llama-like `config`.

    `config` has hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads,
    vocab_size, tie_word_embeddings and maybe head_dim. `tokens` is what one forward pass sees, padding included, in
    sequences of `sequence` (None: all in one); `padded` says that some of it is padding, for which attention needs a
    mask. `supervised` is how many labels count (None: all). `dtype` is of the unquantized weights and the
    computation, under autocast; float32 stands for no autocast. `accumulating` is for the second micro-batch of an
    update and those after it. `device` is "cuda" or "cpu", which differ in what peft saves and AdamW's workspace;
    `attention` is "sdpa" or "eager" (None: what `qlora.load_base` takes there, eager on a CPU alone). Raises
    ValueError for an unknown optimizer, dtype or attention, or a batch that cannot be.
    """
    sequence = tokens if sequence is None else sequence
    supervised = tokens if supervised is None else supervised
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer {optimizer!r} is none of {', '.join(OPTIMIZERS)}")
    if attention not in (None, "sdpa", "eager"):
        raise ValueError(f"attention is sdpa or eager, not {attention!r}")
    if dtype not in (torch.bfloat16, torch.float16, torch.float32):
        raise ValueError(f"dtype is bfloat16, float16 or float32, not {dtype}")
    if not 1 <= sequence <= tokens or not 0 <= supervised <= tokens or rank < 1:
        raise ValueError(f"no such batch: tokens {tokens}, sequence {sequence}, supervised {supervised}, rank {rank}")

    h, f, layers, V = config.hidden_size, config.intermediate_size, config.num_hidden_layers, config.vocab_size
    head_dim, q, k = widths(config)
    T, r, P = tokens, rank, adapter_parameters(config, rank)
    e = dtype.itemsize  # bytes of a number in the computation
    autocast, cpu = e == 2, torch.device(device).type == "cpu"
    # On a CPU, peft 0.21 asks whether CUDA's autocast is on, hears no, and casts each adapter's input to float32,
    # which the CPU's autocast casts back: every adapter saves a copy of its own instead of sharing.
    copies = autocast and cpu
    eager = attention == "eager" or (attention is None and cpu)
    heads, repeats = config.num_attention_heads, eager or (padded and config.num_key_value_heads > 1)
    cast_adapters = 2 * P if autocast else 0  # autocast's copies of A and B, saved or kept until the forward pass ends

    # What one layer saves.
    per_token = (
        4 * (h + h)  # the inputs of both norms, in float32
        + 4 * 2  # their 1 / RMS
        + e * h * (5 if copies else 2)  # the norms' outputs: inputs of q, k and v, and of gate and up
        + e * q  # queries after the rotation
        + e * q * (not eager or not copies)  # the attention's output; where nobody copies it, the input of o too
        + e * q * copies
        # keys and values; eager attention and SDPA under a mask repeat them for each head (a single one as a view)
        + e * 2 * (q if repeats else k)
        # The scores after the softmax, in float32 and cast; SDPA keeps their log-sum-exp alone.
        + ((4 + e * autocast) * heads * sequence if eager else 4 * heads)
        + e * sequence * (padded and not eager)  # the mask, which SDPA converts to numbers anew in each layer
        + e * 4 * f  # gate, up, silu(gate), and their product, which is the input of down
        + e * 7 * r  # what is between A and B
    )
    layer = T * per_token + cast_adapters // layers
    # What the MLP's share of it is: gone when the backward pass reaches the attention.
    mlp_saved = T * e * (4 * f + 3 * r + h * (2 if copies else 1)) + 2 * 3 * r * (h + f) * autocast

    # What is saved at the end of the forward pass, while a layer is computed backwards, and for the first layer.
    last_norm = T * (4 * h + 4)
    shared = 2 * e * head_dim * sequence  # cos and sin of the rotation
    mask = T * sequence * (e if eager else padded)  # made once; the layers need it until their forward pass is over
    if checkpointing:
        shared += mask
        saved = layers * e * h * T + last_norm + shared  # each layer's input
        # What one layer computes once more; without autocast its first norm's input is the layer's input itself.
        again = layer - (0 if autocast else e * h * T)
        in_last, in_first = saved - last_norm + again, e * h * T + shared + again
    else:
        # The first layer's input needs no gradient: its first norm saves nothing, and the last norm takes its place.
        saved = layers * layer + shared
        in_last, in_first = saved - last_norm, layer - last_norm + shared

    # Backwards in an MLP: the gradient of its output; that of down's input in two parts, together with down's weight
    # dequantized or with their sum, while down's input is gone; the gradients of down's adapter for its copies.
    mlp = e * T * (h + f - r) + e * f * max(h * quantized, T) + r * (h + f) * (2 if autocast else 4)
    if copies:
        # Forwards in an MLP: down's input in float32 beside the product that it was made from, and the residual, the
        # norm's output, down's output, and the incoming gradient before and after scaling; without checkpointing
        # instead of the gradient the adapter's output, before and after scaling, the embedding, the layer's input.
        mlp = max(mlp, T * (6 * f + (10 if checkpointing else 14) * h) + mask * (not checkpointing))

    grads, held = 4 * P, 4 * P * accumulating
    attention_grads = 4 * r * sum(into + out for into, out in linear_sizes(config)[:4])
    # AdamW holds three temporary tensors of the largest adapter's size; on CUDA one for every adapter at once.
    step = {"adamw": 3 * 4 * r * max(h, f, q) if cpu else 4 * P}.get(optimizer, 0)
    # Logits, in float32 too, their log-softmax, the head's input; the embedding and the last norm's output.
    end = e * 2 * h * T + e * h * supervised + (cast_adapters if checkpointing else 0)
    phases = (
        Phase("end of the forward pass", held, saved, (8 + e * autocast) * V * supervised, end),
        # The log-softmax, its gradient and the logits' gradient, all in float32.
        Phase("backward through the loss", held, saved, 12 * V * supervised),
        # Five tensors of its input's size, all in float32.
        Phase("backward through the last norm", held, saved, 0, 20 * h * T),
        Phase("backward in the last layer", held, in_last, 0, mlp),
        Phase("backward in the first layer", max(held, grads * (layers - 1) // layers), in_first, 0, mlp),
        # Gate's weight dequantized, the gradients of gate's output, of its input in two parts, and the residual's.
        Phase(
            "backward after the first MLP",
            max(held, grads - attention_grads),
            in_first - mlp_saved,
            0,
            e * h * f * quantized + e * T * (f + 3 * h),
        ),
        # With checkpointing the loss holds on to the embedding and one layer's input.
        Phase("optimizer step", grads, 2 * e * h * T * checkpointing, 0, step),
    )
    if eager:
        # The scores' gradient after and before the softmax, in float32, for their cast; the residual's gradient. What
        # the MLP, its norm and o had saved is gone.
        gone = mlp_saved + T * (4 * h + 4 + e * (q + r)) + 2 * r * (q + h) * autocast
        scores = T * ((8 - e * autocast) * heads * sequence + e * h)
        above, here = 4 * r * (3 * (h + f) + q + h), grads - attention_grads + 4 * r * (q + h)
        phases += (
            Phase("backward in the last attention", max(held, above), in_last - gone, 0, scores),
            Phase("backward in the first attention", max(held, here), in_first - gone, 0, scores),
        )
    linears = [into * out for into, out in linear_sizes(config)] * layers
    weights, constants = _in_4_bits(linears) if quantized else (0, 0)
    return Ledger(
        base_weights_4bit=weights,
        quantization_constants=constants,
        # Beside the weights, the rotation's frequencies, twice, in float32.
        unquantized_weights=e * (unquantized(config) + (0 if quantized else sum(linears))) + 2 * 4 * (head_dim // 2),
        adapters=4 * P,
        optimizer_state=_optimizer_state(config, rank, optimizer),
        phases=phases,
    )


def what_fits(free_bytes: int, *, tokens: int = 512, rank: int = 8, optimizer: str = "adamw") -> str:
    """Which of KNOWN_SHAPES `free_bytes` are enough to fine-tune, with checkpointing and one sequence at a time."""
    needs = sorted(
        (parameters(shape), name, ledger(shape, tokens, rank=rank, optimizer=optimizer, checkpointing=True).total)
        for name, shape in KNOWN_SHAPES.items()
    )
    how = f"with checkpointing, rank {rank} and one sequence of {tokens} tokens at a time"
    fits = [f"{name} ({readable(size)})" for _, name, size in needs if size <= free_bytes]
    if not fits:
        _, name, least = min(needs, key=lambda need: need[2])
        return f"Nothing fits in {readable(free_bytes)}: even {name} takes {readable(least)} {how}."
    which = "the largest that fits is" if len(fits) == 1 else "the largest that fit are"
    return f"Of the well-known models {which} {' and '.join(fits[-2:])}, {how}."


def readable(size: float) -> str:
    """Bytes in the unit that suits them."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.2f} {unit}"
    return f"{size:.0f} bytes"


def _in_4_bits(linears):
    """(bytes of the 4-bit weights, bytes of their constants) of linear layers with so many weights each."""
    blocks = [ceil(n / 64) for n in linears]  # each with a scale in 8 bits, 256 of which share one in float32
    # A layer keeps the tables of the 16 and the 256 values that codes stand for, and the scales' mean.
    constants = [count + 4 * ceil(count / 256) + 4 * 16 + 4 * 256 + 4 for count in blocks]
    return sum(ceil(n / 2) for n in linears), sum(constants)


def _optimizer_state(config, rank, optimizer):
    sizes = [rank * width for linear in linear_sizes(config) for width in linear]  # A and B of each linear layer
    if optimizer == "sgd":
        return 0
    if optimizer == "adamw":
        return config.num_hidden_layers * sum(8 * n + 4 for n in sizes)  # both moments, a count of steps per tensor
    if optimizer == "paged_adamw32bit":
        return config.num_hidden_layers * sum(8 * n for n in sizes)  # although CUDA may move it to main memory
    # Both moments in 8 bits, a scale in float32 for each block of 256; tensors of less than 4096 stay in float32.
    states = sum(2 * n + 2 * 4 * ceil(n / 256) if n >= 4096 else 8 * n for n in sizes)
    return config.num_hidden_layers * states + 2 * 4 * 256 * any(n >= 4096 for n in sizes)  # two tables of values
