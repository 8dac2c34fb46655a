"""The dimensions of Llama-like models, and the numbers that follow from them alone.

Each function takes a `Shape` or any configuration with its fields under transformers' names.
"""

from typing import NamedTuple


class Shape(NamedTuple):
    """What the ledger needs of a configuration, under transformers' names."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tie_word_embeddings: bool = False
    model_type: str = "llama"  # "qwen2" has biases on q, k and v


# As the models' published configurations give them.
KNOWN_SHAPES = {
    "SmolLM2-135M": Shape(576, 1536, 30, 9, 3, 49152, True),
    "Qwen2.5-0.5B": Shape(896, 4864, 24, 14, 2, 151936, True, "qwen2"),
    "TinyLlama-1.1B": Shape(2048, 5632, 22, 32, 4, 32000),
    "Llama-3.2-1B": Shape(2048, 8192, 16, 32, 8, 128256, True),
    "Qwen2.5-1.5B": Shape(1536, 8960, 28, 12, 2, 151936, True, "qwen2"),
    "SmolLM2-1.7B": Shape(2048, 8192, 24, 32, 32, 49152, True),
    "Qwen2.5-3B": Shape(2048, 11008, 36, 16, 2, 151936, True, "qwen2"),
    "Llama-3.2-3B": Shape(3072, 8192, 28, 24, 8, 128256, True),
    "Llama-2-7B": Shape(4096, 11008, 32, 32, 32, 32000),
    "Mistral-7B": Shape(4096, 14336, 32, 32, 8, 32000),
    "Qwen2.5-7B": Shape(3584, 18944, 28, 28, 4, 152064, False, "qwen2"),
    "Llama-3-8B": Shape(4096, 14336, 32, 32, 8, 128256),
    "Llama-2-13B": Shape(5120, 13824, 40, 40, 40, 32000),
    "Qwen2.5-14B": Shape(5120, 13824, 48, 40, 8, 152064, False, "qwen2"),
    "Qwen2.5-32B": Shape(5120, 27648, 64, 40, 8, 152064, False, "qwen2"),
    "Llama-3-70B": Shape(8192, 28672, 80, 64, 8, 128256),
    "Qwen2.5-72B": Shape(8192, 29568, 80, 64, 8, 152064, False, "qwen2"),
}


def widths(config):
    """(of a head, of all queries, of all keys)"""
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return head, head * config.num_attention_heads, head * config.num_key_value_heads


def linear_sizes(config):
    """[(inputs, outputs)] of a layer: q, k, v, o, gate, up, down."""
    h, f, (_, q, k) = config.hidden_size, config.intermediate_size, widths(config)
    return [(h, q), (h, k), (h, k), (q, h), (h, f), (h, f), (f, h)]


def unquantized(config):
    """Numbers in the embedding, the head, the norms and the biases."""
    h, f, (_, q, k) = config.hidden_size, config.intermediate_size, widths(config)
    qwen2, llama = getattr(config, "model_type", "") == "qwen2", getattr(config, "attention_bias", False)
    biases = q + 2 * k if qwen2 else (q + 2 * k + h) * bool(llama)
    biases += (2 * f + h) * bool(getattr(config, "mlp_bias", False))
    return (
        config.vocab_size * h * (2 - bool(config.tie_word_embeddings)) + h + config.num_hidden_layers * (2 * h + biases)
    )


def adapter_parameters(config, rank: int) -> int:
    """Numbers in all A (rank x inputs) and B (outputs x rank) of a model."""
    return config.num_hidden_layers * rank * sum(into + out for into, out in linear_sizes(config))


def parameters(config) -> int:
    """Numbers in the base model."""
    return unquantized(config) + config.num_hidden_layers * sum(into * out for into, out in linear_sizes(config))
