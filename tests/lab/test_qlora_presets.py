"""A machine gets the largest preset that it holds, and the preset's model fits the memory that it was chosen for."""

import pytest
import torch

from course.lab import hardware, memory, qlora, shapes

GIB = 2**30


def machine(monkeypatch, *found):
    """A machine with GPUs of these bytes and capabilities."""
    gpus = [
        {"name": "GPU", "bytes": int(size), "capability": capability, "bfloat16": capability >= (8, 0)}
        for size, capability in found
    ]
    monkeypatch.setattr(hardware, "gpus", lambda: gpus)


def shape(preset):
    """Of the preset's model: its name between the maker and what it was tuned for."""
    return shapes.KNOWN_SHAPES[preset.model.partition("/")[2].removesuffix("-Instruct")]


@pytest.mark.parametrize(
    ("size", "capability", "name"),
    [
        (14.74 * GIB, (7, 5), "t4-16gb"),  # what a T4 reports
        (15.78 * GIB, (7, 0), "t4-16gb"),
        (31.7 * GIB, (7, 0), "t4-16gb"),  # a V100: much memory, no bfloat16
        (23.5 * GIB, (8, 9), "24gb"),
        (22.2 * GIB, (8, 9), "t4-16gb"),
        (47.5 * GIB, (8, 9), "24gb"),
        (79.1 * GIB, (9, 0), "80gb"),
        (140 * GIB, (9, 0), "80gb"),
        (8 * GIB, (8, 6), "cpu"),
    ],
)
def test_a_machine_gets_the_largest_preset_that_it_holds(monkeypatch, size, capability, name):
    machine(monkeypatch, (size, capability))
    assert qlora.preset_for() is qlora.PRESETS[name]


def test_without_bfloat16_a_preset_computes_in_float16(monkeypatch):
    machine(monkeypatch, (14.74 * GIB, (7, 5)))
    assert qlora.preset_for().dtype == torch.float16
    machine(monkeypatch, (24 * GIB, (8, 6)))
    assert qlora.preset_for().dtype == torch.bfloat16 and "7B" in qlora.preset_for().model


def test_without_a_gpu_it_is_the_base_that_ships_with_the_course(monkeypatch):
    machine(monkeypatch)
    preset = qlora.preset_for()
    assert preset is qlora.PRESETS["cpu"] and preset.model == ""
    monkeypatch.setattr(qlora.presets, "shipped", lambda: "the shipped folder")
    assert preset.source() == "the shipped folder"
    assert qlora.PRESETS["24gb"].source() == "Qwen/Qwen2.5-7B-Instruct"


def test_of_several_gpus_the_first_counts(monkeypatch):
    machine(monkeypatch, (24 * GIB, (8, 6)), (80 * GIB, (9, 0)))
    assert qlora.preset_for() is qlora.PRESETS["24gb"]


def test_a_preset_can_be_named_on_any_machine(monkeypatch):
    machine(monkeypatch)
    assert all(qlora.preset_for(name) is preset for name, preset in qlora.PRESETS.items())


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(qlora.SetupError) as caught:
        qlora.preset_for("48gb")
    assert all(name in str(caught.value) for name in ("48gb", *qlora.PRESETS)) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, preset in qlora.PRESETS.items() if preset.model])
def test_a_presets_model_fits_where_all_labels_count_and_every_row_is_full(name):
    preset = qlora.PRESETS[name]
    ledger = memory.ledger(
        shape(preset),
        tokens=preset.micro_batch_size * preset.max_length,
        sequence=preset.max_length,
        padded=True,
        rank=16,
        optimizer=preset.optimizer,
        checkpointing=preset.checkpointing,
        dtype=preset.dtype,
        accumulating=preset.accumulation_steps > 1,
    )
    print(f"\n{name}: {ledger.peak / GIB:.1f} GiB of {preset.memory / GIB:.0f}")
    assert ledger.peak < 0.9 * preset.memory  # the rest: CUDA's context, and what fragmentation takes


@pytest.mark.parametrize("name", qlora.PRESETS)
def test_every_optimizer_of_a_preset_is_one_of_the_ledgers(name):
    assert qlora.PRESETS[name].optimizer in memory.OPTIMIZERS
