"""What comes out of a run: answers, an adapter on disk, a merged model."""

import copy
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import bitsandbytes.functional as bnb
import torch
from bitsandbytes.nn import Linear4bit
from peft import PeftModel
from torch import nn

from course.lab.qlora.base import SetupError


@torch.no_grad()
def generate(model, tokenizer, questions, max_new_tokens=64, batch_size=32) -> list[str]:
    """The model's greedy answer to each question, put into the chat template; ends at EOS or `max_new_tokens`."""
    device, was_training, answers = next(model.parameters()).device, model.training, []
    try:
        model.eval()
        for start in range(0, len(questions), batch_size):
            prompts = [
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": q}], add_generation_prompt=True, tokenize=False
                )
                for q in questions[start : start + batch_size]
            ]
            # On the left, so that every answer begins where its prompt ends.
            batch = tokenizer(prompts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt")
            output = model.generate(
                input_ids=batch["input_ids"].to(device),
                attention_mask=batch["attention_mask"].to(device),
                max_new_tokens=max_new_tokens,
                do_sample=False,
                use_cache=True,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
            fresh = output[:, batch["input_ids"].shape[1] :]
            answers += [text.strip() for text in tokenizer.batch_decode(fresh, skip_special_tokens=True)]
    finally:
        model.train(was_training)
    return answers


@torch.no_grad()
def merge(model, dtype=torch.bfloat16):
    """A plain model in `dtype` that computes what the adapted one does: every W becomes W + alpha / r * B A.

    A 4-bit W is dequantized first, since the adapter was trained on top of what the 4 bits say, and the sum stays
    unquantized: to round it back to 4 bits would lose most of the adapter. The adapted model is left as it is.
    """
    if not isinstance(model, PeftModel):
        raise SetupError("this model has no adapter to merge: add one with add_lora or load_adapter.")
    merged = _plain_copy(model.get_base_model(), dtype)
    for name, layer in model.get_base_model().named_modules():
        if not hasattr(layer, "lora_A"):
            continue
        weight = merged.get_submodule(name).weight
        total = weight.float()
        for adapter in layer.active_adapters:
            A, B = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
            total += layer.scaling[adapter] * (B.float() @ A.float())
        weight.copy_(total)
    return merged


def _plain_copy(base, dtype):
    """The base without adapters and without 4-bit layers, as a model of its own."""
    config = copy.deepcopy(base.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        plain = type(base)(config)
    plain.to_empty(device=next(base.parameters()).device)
    inside = dict(base.named_modules())
    for name, module in plain.named_modules():
        source = inside[name]
        source = source.base_layer if hasattr(source, "base_layer") else source
        for key, parameter in module.named_parameters(recurse=False):
            parameter.data = _dense(source, key).to(dtype)
        for key, _ in module.named_buffers(recurse=False):
            module._buffers[key] = source._buffers[key].clone()  # rotary frequencies stay in float32
    plain.tie_weights()
    plain.generation_config = copy.deepcopy(base.generation_config)
    return plain.eval()


def _dense(module, key):
    parameter = getattr(module, key)
    if key == "weight" and isinstance(module, Linear4bit):
        return bnb.dequantize_4bit(parameter.data, parameter.quant_state).clone()
    return parameter.detach().clone()


def export(model, tokenizer, folder, facts="") -> Path:
    """Writes the adapter, or a merged model, with its tokenizer and a model card into `folder`, all or nothing.

    `facts` is the card's text. Raises SetupError if the folder is there already: a model is not overwritten unasked.
    """
    folder = Path(folder)
    if folder.exists():
        raise SetupError(f"{folder} exists: name another folder, or remove it first.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        if facts:
            (partial / "README.md").write_text(facts, encoding="utf-8")
        partial.chmod(0o755)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return folder


def load_adapter(model: nn.Module, folder, *, trainable=False):
    """The adapter of `folder` on top of a base from `load_base`. Raises SetupError on an already adapted model."""
    if isinstance(model, PeftModel):
        raise SetupError("this model has an adapter already: load the adapter onto a fresh base.")
    if not (Path(folder) / "adapter_config.json").exists():
        raise SetupError(f"{folder} holds no adapter (adapter_config.json is not there).")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # as in add_lora
        return PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
