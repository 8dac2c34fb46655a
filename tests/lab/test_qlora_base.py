"""A base in NF4 with adapters that begin as nothing, and one line that says what to do where it cannot be had."""

import json
import os
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from peft.tuners.lora import LoraLayer
from transformers import AutoModelForCausalLM

from course.lab import memory, qlora
from tests.lab import qlora_bench as bench

SHAPE = SimpleNamespace(
    hidden_size=64,
    intermediate_size=192,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    vocab_size=4096,
    tie_word_embeddings=False,
)


def linears(model):
    """{name: layer} of all linear layers but the head."""
    return {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and "lm_head" not in n}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_every_linear_layer_but_the_head_is_nf4_with_double_quantization(tiny, dtype):
    model, tokenizer = qlora.load_base(tiny, dtype=dtype)
    found = linears(model)
    assert len(found) == 14 and len(tokenizer) == 4096
    for layer in found.values():
        state = layer.weight.quant_state
        assert type(layer) is Linear4bit and state.quant_type == "nf4"
        assert state.nested and state.state2 is not None and state.blocksize == 64
        assert layer.compute_dtype == dtype and layer.weight.dtype == torch.uint8
    assert type(model.lm_head) is torch.nn.Linear
    assert {p.dtype for p in model.parameters() if p.dtype != torch.uint8} == {dtype}
    assert not any(p.requires_grad for p in model.parameters())


def test_without_quantization_every_weight_is_the_files(tiny):
    model, _ = qlora.load_base(tiny, dtype=torch.float32, quantize=False)
    assert not any(isinstance(m, Linear4bit) for m in model.modules())
    expected = AutoModelForCausalLM.from_pretrained(tiny).state_dict()
    assert bench.apart(model.state_dict(), expected) == 0
    assert not any(p.requires_grad for p in model.parameters())


def test_the_bytes_of_the_base_are_those_of_the_ledger(tiny):
    model, _ = qlora.load_base(tiny)
    seen = sum(p.numel() * p.element_size() for n, p in model.named_parameters() if p.dtype == torch.uint8)
    ledger = memory.ledger(SHAPE, tokens=8)
    assert seen == ledger.base_weights_4bit
    rest = [p for p in model.parameters() if p.dtype != torch.uint8]
    assert sum(2 * p.numel() for p in rest) == pytest.approx(ledger.unquantized_weights, rel=1e-3)


def test_adapters_are_on_every_layer_but_the_head_and_begin_as_nothing(tiny):
    base, _ = qlora.load_base(tiny, dtype=torch.float32)
    batch = bench.random_batch(20, 7)
    ids = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        before = base(**ids).logits
    model = qlora.add_lora(base, r=4, alpha=12)
    adapted = {n: m for n, m in model.named_modules() if isinstance(m, LoraLayer)}
    assert len(adapted) == 14 and not any("lm_head" in name for name in adapted)
    A, B = bench.of_kind(model, "lora_A"), bench.of_kind(model, "lora_B")
    assert len(A) == len(B) == 14
    assert all(p.dtype == torch.float32 and p.requires_grad for p in (*A.values(), *B.values()))
    assert all(p.shape[0] == 4 and p.abs().min() >= 0 and p.std() > 0 for p in A.values())
    assert not any(p.any() for p in B.values())
    assert {layer.scaling["default"] for layer in adapted.values()} == {3.0}
    assert sum(p.requires_grad for p in model.parameters()) == 28
    with torch.no_grad():
        assert torch.equal(model(**ids).logits, before)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_adapters_are_float32_on_a_base_of_16_bits(tiny, dtype):
    model, _ = bench.adapted(tiny, dtype)
    assert {p.dtype for p in bench.of_kind(model).values()} == {torch.float32}


def test_the_seed_alone_decides_the_adapters_and_no_global_generator_moves(tiny):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one = bench.values(bench.adapted(tiny, seed=1)[0])
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(6)
    assert bench.apart(bench.values(bench.adapted(tiny, seed=1)[0]), one) == 0
    assert bench.apart(bench.values(bench.adapted(tiny, seed=2)[0]), one) > 0


# What cannot be had


def refusal(*arguments, **options):
    with pytest.raises(qlora.SetupError) as caught:
        qlora.load_base(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def no_weights_read(monkeypatch):
    """Whoever reads weights before the check fails the test."""

    def reading(*_, **__):
        pytest.fail("weights were read before the check")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", reading)


@pytest.fixture
def copied(tiny, tmp_path):
    """A base of its own, to be damaged."""
    return shutil.copytree(tiny, tmp_path / "base")


def test_a_hub_name_without_a_network_is_refused_within_seconds(tmp_path):
    """A closed port refuses at once, as a machine without a network does; nothing leaves this machine."""
    code = """
import time
from course.lab import qlora
start = time.perf_counter()
try:
    qlora.load_base("somebody/some-model")
except qlora.SetupError as error:
    print(time.perf_counter() - start, error, sep="|")
"""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    unreachable = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=bench.ROOT,
        env=environment | unreachable,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    seconds, _, message = line.partition("|")
    assert float(seconds) < 10
    assert "somebody/some-model" in message and "no network" in message and "qlora.shipped()" in message


def test_a_hub_name_is_refused_where_the_hub_is_switched_off(monkeypatch, no_weights_read):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "no model somebody/some-model" in refusal("somebody/some-model")


@pytest.mark.parametrize("name", ["no/such/folder", "/nowhere", "a b"])
def test_a_path_that_is_not_there_is_refused_at_once(name, no_weights_read):
    start = time.perf_counter()
    assert f"no model {name}" in refusal(name)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "empty"])
def test_a_damaged_weight_file_is_named_before_it_is_read(copied, damage, no_weights_read):
    file = copied / "model.safetensors"
    data = file.read_bytes()
    file.write_bytes({"truncated": data[:-1000], "overwritten": b"\xff" * 64 + data[64:], "empty": b""}[damage])
    message = refusal(copied)
    assert str(file) in message and "damaged" in message and "fetch it again" in message


def test_a_folder_without_weights_is_refused(copied):
    (copied / "model.safetensors").unlink()
    assert str(copied) in refusal(copied)


@pytest.mark.parametrize("damage", ["absent", "not JSON", "of no model"])
def test_a_folder_without_a_config_is_refused(copied, damage, no_weights_read):
    file = copied / "config.json"
    file.unlink() if damage == "absent" else file.write_text("{" if damage == "not JSON" else "{}", encoding="utf-8")
    assert str(copied) in refusal(copied)


def test_a_folder_without_a_tokenizer_is_refused(copied, no_weights_read):
    for name in bench.TOKENIZER:
        (copied / name).unlink()
    assert str(copied) in refusal(copied)


def test_a_tokenizer_without_pad_is_refused_with_what_to_do(copied, no_weights_read):
    file = copied / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    del settings["pad_token"]
    file.write_text(json.dumps(settings), encoding="utf-8")
    message = refusal(copied)
    assert "PAD" in message and "pad_token" in message and str(copied) in message


def test_a_gpu_that_is_too_small_is_refused_with_what_would_fit(tiny, monkeypatch, no_weights_read):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (100_000, 200_000))
    message = refusal(tiny, "cuda:0")
    assert "GiB" in message and "cuda:0" in message and memory.what_fits(100_000) in message


def test_a_gpu_that_is_large_enough_is_not_refused(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (10**9, 10**9))
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", lambda *_, **__: (_ for _ in ()).throw(KeyError))
    with pytest.raises(KeyError):
        qlora.load_base(tiny, "cuda:0")
