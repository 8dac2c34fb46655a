"""A base of any shape with random weights, for what its memory and speed are: no download, nothing whole in RAM."""

import torch
from bitsandbytes.nn import Linear4bit, Params4bit
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from course.lab.qlora.base import guard_cpu_repack


def random_base(shape, device="cpu", dtype=torch.bfloat16, seed=0):
    """A frozen LlamaForCausalLM of `shape` (anything with the fields of a LlamaConfig) as `load_base` would give it.

    Each linear layer's weights are drawn on `device` in `dtype`, put into NF4 with double quantization, and dropped
    before the next layer's are drawn: the most that is held above the result is one layer.
    """
    config = LlamaConfig(
        **{name: getattr(shape, name) for name in _FIELDS}, use_cache=False, max_position_embeddings=4096
    )
    generator = torch.Generator(device).manual_seed(seed)
    with torch.device("meta"):
        model = LlamaForCausalLM(config).to(dtype)
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and module is not model.get_output_embeddings():
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, _quantized(module, device, dtype, generator))
        elif isinstance(module, nn.Linear | nn.Embedding):
            module.weight = nn.Parameter(_drawn(module.weight, device, dtype, generator))
        elif isinstance(getattr(module, "weight", None), nn.Parameter):
            module.weight = nn.Parameter(torch.ones(module.weight.shape, device=device, dtype=dtype))  # a norm
    with torch.device(device):
        model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
    model.tie_weights()
    guard_cpu_repack(model)
    model.is_loaded_in_4bit = True  # what peft asks before it adapts a Linear4bit
    return model.requires_grad_(False)


_FIELDS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
    "tie_word_embeddings",
)


def _drawn(like, device, dtype, generator):
    return torch.empty(like.shape, device=device, dtype=dtype).normal_(0.0, 0.02, generator=generator)


def _quantized(linear, device, dtype, generator):
    layer = Linear4bit(
        linear.in_features,
        linear.out_features,
        bias=False,
        compute_dtype=dtype,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    weight = _drawn(linear.weight, device, dtype, generator)
    layer.weight = Params4bit(weight, requires_grad=False, quant_type="nf4", module=layer).to(device)  # quantizes
    return layer
