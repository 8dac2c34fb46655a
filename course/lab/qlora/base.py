"""The frozen base in NF4, and the adapters that train on top of it."""

import contextlib
import warnings
from pathlib import Path

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from course.lab import assets, memory


class SetupError(ValueError):
    """Something asked for cannot run; the message is one line that says what is wrong and what to do."""


def shipped() -> Path:
    """The folder of the base model that ships with the course; every file's sha256 is checked once per process."""
    return assets.folder("base_model")


def load_base(name_or_path, device="cpu", dtype=torch.bfloat16, *, quantize=True):
    """The model and the tokenizer in a local folder or under a hub name; returns (model, tokenizer).

    Every linear layer but the head is kept in NF4 with double quantization, computing in `dtype`; what is not
    quantized (embeddings, norms, head) is in `dtype`. With `quantize=False` all of it is in `dtype`. The model is
    frozen. Raises SetupError if there is no such model, a file of it is broken, its tokenizer has no PAD token, or
    `device` is a GPU without the memory for its weights.
    """
    device = torch.device(device)
    if Path(name_or_path).is_dir():
        _check_files(name_or_path)
    else:
        _check_hub(str(name_or_path))
    config = _from_pretrained(AutoConfig, name_or_path)
    tokenizer = _from_pretrained(AutoTokenizer, name_or_path)
    if tokenizer.pad_token_id is None:
        raise SetupError(
            f"the tokenizer of {name_or_path} has no PAD token: set one that the text does not use, "
            "`tokenizer.add_special_tokens({'pad_token': '<pad>'})`, and save it to the model's folder."
        )
    if device.type == "cuda" and quantize:
        _check_fits(name_or_path, config, device)
    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",  # transformers' default is fp4
        bnb_4bit_use_double_quant=True,  # its default is not
        bnb_4bit_compute_dtype=dtype,  # its default is fp32
    )
    model = _from_pretrained(
        AutoModelForCausalLM,
        name_or_path,
        dtype=dtype,
        device_map={"": device},
        # On a CPU torch's fused attention is the slower one at this course's lengths: see `autograde bench qlora`.
        attn_implementation="eager" if device.type == "cpu" else "sdpa",
        quantization_config=nf4 if quantize else None,
    )
    guard_cpu_repack(model)
    model.config.use_cache = False  # training keeps no keys and values; generate asks for them
    return model.requires_grad_(False), tokenizer


def guard_cpu_repack(model):
    """Keeps bitsandbytes from repacking 4-bit weights in place on a CPU with AVX512-BF16.

    There a no-grad forward in eval mode (bitsandbytes 0.50.2) rewrites each weight into another memory layout, which
    a later backward pass or `dequantize_4bit` misreads: the loss looks healthy while the gradient points elsewhere.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def add_lora(model, r=8, alpha=16, dropout=0.0, *, checkpointing=False, seed=0):
    """`model` with LoRA adapters of rank `r` on every linear layer but the head, scaled by alpha / r, in float32.

    A is drawn from `seed`, B is zero: the adapted model begins as the base. `checkpointing` recomputes each layer's
    activations in the backward pass. Hu et al. 2021, arXiv 2106.09685.
    """
    if checkpointing:
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable()
    lora = LoraConfig(r=r, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers 5.23 for a renamed attribute
        torch.manual_seed(seed)
        return get_peft_model(model, lora)


def _from_pretrained(kind, name_or_path, **options):
    try:
        with _no_bar() if Path(name_or_path).is_dir() else contextlib.nullcontext():
            return kind.from_pretrained(name_or_path, **options)
    except (OSError, ValueError) as error:  # a missing, unreachable or unreadable model; one that is not understood
        if isinstance(error, OSError) and not Path(name_or_path).is_dir():
            raise _absent(name_or_path) from error
        raise SetupError(f"{name_or_path} cannot be loaded: {_first_line(error)}") from error


def _absent(name):
    return SetupError(
        f"no model {name}: there is no such folder, and the hub did not give it (no network, or no such name). Name a "
        "local folder; the one that ships with the course is qlora.shipped()."
    )


@contextlib.contextmanager
def _no_bar():
    """A download shows its progress; reading a folder is over before a bar is read."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _check_files(name_or_path):
    """A truncated or overwritten weight file is found before anything is built."""
    for file in sorted(Path(name_or_path).glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise SetupError(f"{file} is damaged ({_first_line(error)}): fetch it again.") from error


def _check_hub(name):
    """Asks the hub once; transformers would try for half a minute to reach one that is not there."""
    try:
        if not isinstance(try_to_load_from_cache(name, "config.json"), str):
            get_hf_file_metadata(hf_hub_url(name, "config.json"), timeout=5)
    except Exception as error:  # whatever it is, the model does not come: offline, refused, no such name, no name
        raise _absent(name) from error


def _check_fits(name_or_path, config, device):
    free, _ = torch.cuda.mem_get_info(device)
    needed = memory.ledger(config, tokens=256, rank=8, checkpointing=True).total
    if needed > free:
        raise SetupError(
            f"{name_or_path} needs about {needed / 2**30:.1f} GiB to fine-tune at the least, and {device} has "
            f"{free / 2**30:.1f} GiB free: {memory.what_fits(free)}"
        )


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
