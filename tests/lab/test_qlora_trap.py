"""An eval forward must not spoil the 4-bit weights, as bitsandbytes' repacking for some CPUs does.

"real" is that repacking itself, on a CPU that has it; "faked" shifts the bytes, and shows the same anywhere.
"""

import pytest
import torch
from bitsandbytes.nn import modules as bnb_modules

from course.lab import qlora
from tests.lab import qlora_bench as bench

DTYPE = torch.bfloat16


@pytest.fixture(params=["faked", pytest.param("real", marks=pytest.mark.needs("avx512_bf16"))])
def repacking(request, monkeypatch):
    if request.param == "faked":
        monkeypatch.setattr(bnb_modules, "has_avx512bf16", lambda: True)
        monkeypatch.setattr(
            bnb_modules,
            "_convert_weight_packed_for_cpu",
            lambda data, state: (data.flatten().roll(7).view_as(data), state),
        )
    return request.param


def unguard(model):
    """What load_base prevents."""
    switched = [module for module in model.modules() if hasattr(module, "support_avx512bf16_for_cpu")]
    assert switched
    for module in switched:
        module.support_avx512bf16_for_cpu = True
    return model


def cosine_after_eval(model, reference):
    batch = bench.random_batch(24, 9)
    qlora.evaluate(model, [batch], DTYPE)
    pair = [bench.gradients(one, batch, dtype=DTYPE) for one in (model, reference)]
    return torch.nn.functional.cosine_similarity(*pair, dim=0).item()


def test_gradients_after_an_evaluation_are_those_of_the_dequantized_weights(tiny, repacking):
    reference = qlora.add_lora(bench.dense(qlora.load_base(tiny, dtype=DTYPE)[0]), r=4, alpha=8)
    guarded = cosine_after_eval(bench.adapted(tiny, DTYPE)[0], reference)
    unguarded = cosine_after_eval(unguard(bench.adapted(tiny, DTYPE)[0]), reference)
    print(f"\ncosine ({repacking}): {guarded:.6f} with the guard, {unguarded:.3f} without")
    assert guarded >= 0.999
    assert unguarded < 0.9, "without the guard nothing goes wrong here, so this test shows nothing"


def test_a_run_with_evaluations_has_the_losses_of_one_without(tiny, repacking):
    def run(guard=True, **settings):
        model, tokenizer = bench.adapted(tiny, DTYPE)
        config = qlora.Config(micro_batch_size=4, dtype=DTYPE, **settings)
        model = model if guard else unguard(model)
        return bench.losses(model, bench.updates(tokenizer, config, 32), config, held_out=[bench.random_batch(20, 11)])

    without = run()
    assert run(evaluate_every=2) == without
    assert run(evaluate_every=2, guard=False) != without, "without the guard nothing goes wrong here"


def test_an_adapter_loaded_or_added_later_finds_the_guard_in_place(tiny, repacking, tmp_path):
    model, tokenizer = bench.adapted(tiny, DTYPE, B=0.1)
    qlora.export(model, tokenizer, tmp_path / "adapter")
    loaded = qlora.load_adapter(qlora.load_base(tiny, dtype=DTYPE)[0], tmp_path / "adapter", trainable=True)
    batch = bench.random_batch(24, 9)
    before = bench.gradients(loaded, batch, dtype=DTYPE)
    qlora.evaluate(loaded, [batch], DTYPE)
    assert torch.equal(bench.gradients(loaded, batch, dtype=DTYPE), before)
