"""The ledger says what is measured, to 5 percent; its known anchors; and the measuring itself."""

import dataclasses
import re
import time

import pytest
import torch
from torch import nn

from course.lab import memory_check
from course.lab.memory import ledger, what_fits
from course.lab.memory_check import TOLERANCE, Case, errors, predict
from course.lab.peak import PeakMemory, static_bytes
from course.lab.shapes import KNOWN_SHAPES, Shape, adapter_parameters, parameters

GIB = 2**30
SEVEN_B = KNOWN_SHAPES["Llama-2-7B"]
SMALL = [case for case in memory_check.CASES if case.hidden < 512]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_the_ledger_is_within_5_percent_of_the_measurement(case):
    predicted, measured, off = errors(case)
    assert max(map(abs, off.values())) < TOLERANCE, (off, measured.at_peak[:10])
    assert predicted.static == measured.static  # to the byte: 4-bit weights, constants, the optimizer's state
    assert predicted.adapters == 4 * measured.adapter_parameters
    assert sum(one.bytes for one in measured.at_peak) == measured.peak


def test_enough_different_cases_are_measured():
    assert len(SMALL) >= 8
    for name in (
        "checkpointing",
        "as_on_cuda",
        "optimizer",
        "supervised",
        "padding",
        "rank",
        "layers",
        "micro_batches",
        "attention",
    ):
        assert len({getattr(case, name) for case in SMALL}) > 1, name


def test_the_measurement_tells_settings_apart():
    case = Case(layers=4, sequence=128)
    predicted, measured, _ = errors(case)
    for name, other in {
        "checkpointing": True,
        "as_on_cuda": True,
        "attention": "sdpa",
        "optimizer": "adamw8bit",
        "quantized": False,
        "batch": 1,
        "dtype": torch.float32,
    }.items():
        wrong = predict(dataclasses.replace(case, **{name: other}), measured._replace(labels=100)).total
        assert abs(wrong / (measured.static + measured.peak) - 1) > TOLERANCE, name


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_more_of_anything_takes_more(checkpointing, device):
    settings = {"sequence": 64, "checkpointing": checkpointing, "device": device}
    for values in ([ledger(SEVEN_B, tokens, **settings).total for tokens in (64, 128, 512, 2048, 8192)],
                   [ledger(SEVEN_B, 512, rank=rank, **settings).total for rank in (1, 4, 16, 64, 256)],
                   [ledger(SEVEN_B, 512, supervised=n, **settings).total for n in (0, 64, 256, 512)],
                   [ledger(SEVEN_B._replace(num_hidden_layers=n), 512, **settings).total for n in (1, 2, 8, 32, 80)],
                   ):  # fmt: skip
        assert values == sorted(values)
        assert values[0] < values[-1]


def test_checkpointing_saves_memory_where_the_input_is_long():
    for tokens in (512, 4096):
        plain, checkpointed = (ledger(SEVEN_B, tokens, checkpointing=on) for on in (False, True))
        assert checkpointed.static == plain.static
        assert checkpointed.worst.bytes < plain.worst.bytes / 4


@pytest.mark.parametrize("name", KNOWN_SHAPES)
def test_the_rows_add_up_to_the_peak_and_the_worst_phase_is_the_largest(name):
    found = ledger(KNOWN_SHAPES[name], 2048, sequence=512, supervised=300, checkpointing=True, optimizer="adamw8bit")
    assert sum(size for _, size in found.rows()) == found.peak == found.total >= found.static
    assert all(phase.bytes <= found.worst.bytes for phase in found.phases)
    assert all(size >= 0 for phase in found.phases for size in vars(phase).values() if not isinstance(size, str))
    assert found.worst.name in str(found)


def test_fewer_labels_make_fewer_logits():
    all_of_them, few = (ledger(KNOWN_SHAPES["Llama-3-8B"], 2048, supervised=n, checkpointing=True) for n in (None, 100))
    assert all_of_them.worst.logits >= 10 * 2048 * 128256
    assert all_of_them.total - few.total > 1.5 * GIB


def test_a_quantized_parameter_takes_4_127_bits():
    found = ledger(SEVEN_B, 512)
    linear = parameters(SEVEN_B) - 2 * 32000 * 4096 - (2 * 32 + 1) * 4096
    taken = found.base_weights_4bit + found.quantization_constants
    assert 8 * taken / linear == pytest.approx(4.127, abs=1e-3)
    assert 3.3e9 < taken < 3.6e9
    without = ledger(SEVEN_B, 512, quantized=False)
    assert without.base_weights_4bit == without.quantization_constants == 0
    assert without.unquantized_weights - found.unquantized_weights == 2 * linear


def test_adapters_of_rank_64_on_a_7b():
    assert adapter_parameters(SEVEN_B, 64) == 159_907_840
    assert ledger(SEVEN_B, 512, rank=64).adapters == 4 * 159_907_840


@pytest.mark.parametrize(
    "name, count",
    {
        "TinyLlama-1.1B": 1_100_048_384,
        "Qwen2.5-1.5B": 1_543_714_304,
        "SmolLM2-1.7B": 1_711_376_384,
        "Llama-2-7B": 6_738_415_616,
        "Mistral-7B": 7_241_732_096,
        "Qwen2.5-7B": 7_615_616_512,
        "Llama-3-8B": 8_030_261_248,
        "Llama-2-13B": 13_015_864_320,
        "Qwen2.5-32B": 32_763_876_352,
        "Llama-3-70B": 70_553_706_496,
    }.items(),
)
def test_the_shapes_have_the_published_number_of_parameters(name, count):
    assert parameters(KNOWN_SHAPES[name]) == count


@pytest.mark.parametrize("optimizer", ["adamw", "adamw8bit", "paged_adamw32bit"])
@pytest.mark.parametrize("rank", [4, 16])
def test_the_optimizer_state_is_what_the_optimizer_keeps(optimizer, rank):
    from bitsandbytes import optim

    # With rank 4 no adapter reaches the 4096 numbers from which bitsandbytes goes to 8 bits, with 16 some do.
    shape = Shape(256, 704, 1, 8, 2, 1000)
    outputs = [(256, 256), (256, 64), (256, 64), (256, 256), (256, 704), (256, 704), (704, 256)]
    adapters = [nn.Parameter(torch.ones(size)) for a, b in outputs for size in ((rank, a), (b, rank))]
    kind = {"adamw": torch.optim.AdamW, "adamw8bit": optim.AdamW8bit, "paged_adamw32bit": optim.PagedAdamW32bit}
    stepper = kind[optimizer](adapters)
    for adapter in adapters:
        adapter.grad = torch.ones_like(adapter)
    stepper.step()
    measured = static_bytes(nn.ParameterList(adapters), stepper) - sum(adapter.nbytes for adapter in adapters)
    assert ledger(shape, 64, rank=rank, optimizer=optimizer).optimizer_state == measured
    assert ledger(shape, 64, rank=rank, optimizer="sgd").optimizer_state == 0


def test_what_fits_names_the_largest_that_the_ledger_admits():
    expected = {1: "SmolLM2-135M", 16: "Qwen2.5-14B", 24: "Qwen2.5-32B", 80: "Qwen2.5-72B"}
    for gib, largest in expected.items():
        told = what_fits(gib * GIB)
        named = [name for name in KNOWN_SHAPES if re.search(rf"{re.escape(name)} \(", told)]
        assert named[-1] == largest
        assert all(ledger(KNOWN_SHAPES[name], 512, checkpointing=True).total <= gib * GIB for name in named)
        if named[-1] != list(KNOWN_SHAPES)[-1]:
            larger = [s for s in KNOWN_SHAPES.values() if parameters(s) > parameters(KNOWN_SHAPES[largest])]
            assert all(ledger(shape, 512, checkpointing=True).total > gib * GIB for shape in larger)


def test_what_fits_says_that_nothing_does():
    assert what_fits(2**26).startswith("Nothing fits in 64.00 MiB: even SmolLM2-135M takes ")


def test_a_plain_object_is_configuration_enough_and_a_slider_can_wait_for_it():
    began = time.perf_counter()
    for tokens in range(1, 101):
        ledger(SEVEN_B, tokens)
    assert (time.perf_counter() - began) / 100 < 5e-3  # a fifth of a millisecond on an idle core


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": "adam"},
        {"dtype": torch.int8},
        {"attention": "flash"},
        {"supervised": 65},
        {"supervised": -1},
        {"sequence": 65},
        {"rank": 0},
        {"tokens": 0},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        ledger(SEVEN_B, **{"tokens": 64, **wrong})


def test_peak_counts_new_storages_and_neither_views_nor_what_was_there():
    old = torch.ones(1000)
    with PeakMemory() as taken:
        view = old.view(10, 100)[:, :50]
        old.add_(1)
        first = view + 1  # 2000 bytes
        second = torch.cat([first, first])  # 4000
        del first
        third = second.double()  # 8000, when the first is gone
        del second, third, old, view
        torch.ones(100)
    assert taken.peak == 12_000
    assert [(one.shape, one.dtype, one.bytes) for one in taken.at_peak] == [
        ((20, 50), torch.float64, 8000),
        ((20, 50), torch.float32, 4000),
    ]


def test_peak_sees_what_autograd_saves_and_the_gradients():
    weight, x = nn.Parameter(torch.ones(100, 100)), torch.ones(50, 100)
    with PeakMemory() as forward:
        y = (x @ weight).exp()  # saves its output
    with PeakMemory() as backward:
        y.sum().backward()
    assert forward.peak == 2 * 50 * 100 * 4
    # The gradients of exp's input and of the weight, two numbers that begin it.
    assert backward.peak == 50 * 100 * 4 + 100 * 100 * 4 + 2 * 4


def test_peak_ends_with_its_block_also_when_that_raises():
    with pytest.raises(ZeroDivisionError), PeakMemory() as taken:
        kept = torch.ones(1000)
        raise ZeroDivisionError
    more = torch.ones(5000)
    assert taken.peak == kept.nbytes < more.nbytes


def test_static_bytes_counts_shared_storages_once():
    model = nn.Sequential(nn.Linear(10, 10, bias=False), nn.Linear(10, 10, bias=False), nn.BatchNorm1d(4))
    model[1].weight = model[0].weight
    assert static_bytes(model) == 10 * 10 * 4 + 4 * 4 * 4 + 8  # the counter of BatchNorm is an int64
