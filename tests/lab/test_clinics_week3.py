"""Each patient's number gives it away, treatment works, and the audits' measurements are what the lesson says."""

import contextlib
import math
import textwrap

import pytest
import torch

from course.lab import precision, training
from course.lab.clinics import week3 as clinics
from course.lab.clinics import week3_audits as audits
from course.lab.demos import week3 as demos
from course.lab.demos import week3_cost


@pytest.fixture(scope="module")
def patients():
    return {run.name: run for run in clinics.week3_patients()}


def middle(values):
    return sorted(values)[len(values) // 2]


def share(run):
    moved = [one for one in run.moved if one]
    return sum(moved) / len(moved)


def test_every_patient_learns_less_than_a_healthy_run_and_none_ends_in_nan(patients):
    for run in patients.values():
        assert run.last > clinics.sound().last + 0.05 and all(map(math.isfinite, run.losses))


def test_the_norm_before_unscaling_is_too_large_by_the_scale(patients):
    assert {name: 1e4 < middle(run.norms) < math.inf for name, run in patients.items()} == {
        "A": True, "B": False, "C": False}  # fmt: skip
    assert 1e-2 < middle(clinics.sound().norms) < 10


def test_the_stuck_scale_leaves_most_steps_out_from_its_overflow_on(patients):
    moved = patients["B"].moved
    assert all(moved[:20]) and sum(share == 0 for share in moved[-40:]) > 30
    assert patients["B"].scale > clinics.sound().scale and sum(share == 0 for share in clinics.sound().moved) < 15
    assert all(patients["C"].moved)


def test_wide_spacing_leaves_most_weights_where_they_are(patients):
    assert share(patients["C"]) < 0.1 < 0.5 < share(clinics.sound())
    assert next(patients["C"].model.parameters()).dtype is torch.bfloat16


def test_treatment_is_judged_by_measurement(capsys, monkeypatch):
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: print(alt))
    clinics.discharge(A=clinics.healthy, C=clinics._c)
    said = capsys.readouterr().out
    assert "patient A falls" in said and said.count("still sick") == 1 and said.count("   well\n") == 1


def test_patient_c_is_mended_by_autocast():
    def mended(model, batch, optimizer, scaler):
        with torch.autocast("cpu", torch.bfloat16):
            loss = training.loss(model, batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach(), norm

    assert abs(clinics.fine_tune(mended).last - clinics.sound().last) < 0.02


def test_the_table_names_every_patient(capsys, monkeypatch, patients):
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: None)
    clinics.consult()
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[2:]] == ["A", "B", "C", "healthy"] and len({len(row) for row in rows}) == 1


def test_adamw_hides_the_wrong_order():
    assert abs(clinics.order_under_adamw()) < 0.02


def test_half_with_adamw_dies_whatever_the_rate_and_the_clipping_and_lives_with_a_larger_eps():
    for changes in ({}, {"lr": 1e-5}, {"max_norm": 1.0}):
        assert audits.half_run(**changes) == "dead at step 2"
    assert audits.half_run(eps=1e-4).startswith("alive")


def test_as_many_weights_die_as_the_mean_square_has_zeros(capsys):
    audits.post_mortem()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2][-1] == rows[3][-1] == rows[4][-1] == "0" and rows[4][-2] == rows[5][-1] != "0"


def plain_step(model, loss, optimizer, scale):
    optimizer.zero_grad()
    (loss * scale).backward()
    for parameter in model.parameters():
        parameter.grad /= scale
    optimizer.step()
    return loss.item()


def test_float16_has_a_healthy_range_of_scales_with_two_ends_and_bfloat16_has_none(monkeypatch):
    said = []
    monkeypatch.setattr(audits.plots, "show", lambda figure, alt: said.append(alt))
    losses, plain = audits.sweep(plain_step, (-20, 0, 16, 20))
    assert losses[-20] == pytest.approx(math.log(259), abs=1e-3) and math.isnan(losses[20])
    assert losses[0] == pytest.approx(plain, abs=0.03) and losses[16] == pytest.approx(plain, abs=0.03)
    assert audits.trained_at(plain_step, 2.0**20, torch.bfloat16) == pytest.approx(plain, abs=0.05)
    assert "2^20 dead" in said[0] and "nan" not in said[0]


def test_a_scaler_finds_its_place(monkeypatch):
    monkeypatch.setattr(audits.plots, "show", lambda figure, alt: None)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**22, growth_interval=10)
    assert 12 <= audits.dynamic(scaler, steps=30) <= 20


def test_operators_answer_as_measured_and_cuda_as_listed(capsys):
    audits.operators()
    rows = {line[:34].strip(): line[34:].split() for line in capsys.readouterr().out.splitlines()}
    assert rows["matrix product"] == ["float16", "16", "bits"] and rows["cross-entropy"] == ["float32", "float32"]
    assert rows["softmax"][0] == audits.softmax_dtype().removeprefix("torch.") and rows["softmax"][1] == "float32"


@pytest.mark.parametrize("name", precision.FORMATS)
def test_patterns_and_spacings_are_torch_s(name):
    form = precision.FORMATS[name]
    for value in (1.0, 1.5, 0.1, 0.02, 3e-5, 300.0):
        stored, gap = form.stored(value), form.spacing(value)
        assert len(form.pattern(value)) == form.bits
        assert form.stored(stored + gap) == stored + gap and form.stored(stored + 0.49 * gap) == stored
    assert form.pattern(-1.0)[0] == "1" and form.pattern(1.0)[1:] == form.pattern(-1.0)[1:]


def test_a_number_beyond_the_range_has_no_spacing():
    assert math.isnan(precision.FORMATS["float16"].spacing(1e6))
    assert precision.FORMATS["float16"].spacing(0.0) == 2.0**-24


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_is_saved_is_told_apart(dtype):
    """A linear layer on 8 rows: its input is saved as it is computed with, and its weight is a copy only where cast."""

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.head = torch.nn.Embedding(259, 16), torch.nn.Linear(16, 259, bias=False)

        def forward(self, input_ids, attention_mask):
            return type("Output", (), {"logits": self.head(self.embedding(input_ids))})

    batch = next(training.tiny_batches(1, seq_len=8))
    saved, size = precision.saved_bytes(Model(), batch, dtype), dtype.itemsize
    assert saved.copies == (0 if size == 4 else 259 * 16 * size)
    # the input of the head, the log-softmax in float32, the targets, the ids, and three numbers of the loss
    assert 0 <= saved.activations - (8 * 16 * size + 8 * 259 * 4 + 8 * 8 + 8 * 8) <= 64


def test_mixed_precision_keeps_weights_gradients_and_state_and_takes_more_for_one_row():
    plain, mixed = (precision.cost(dtype, 1, 128) for dtype in (torch.float32, torch.bfloat16))
    assert plain[:3] == mixed[:3] and plain.state == 2 * plain.weights and plain.gradients == plain.weights
    assert plain.copies == 0 < mixed.copies < plain.weights / 2 and mixed.activations < plain.activations
    assert mixed.bytes > plain.bytes
    plain, mixed = (precision.cost(dtype, 16, 128) for dtype in (torch.float32, torch.bfloat16))
    assert 0.5 < mixed.bytes / plain.bytes < 0.9


def test_autocast_to_float32_is_none():
    assert isinstance(precision.autocast(torch.float32), contextlib.nullcontext)


def test_where_the_words_of_the_cost_break_does_not_depend_on_the_times():
    panel = week3_cost.speed_and_memory()
    costs = [precision.cost(dtype, 16, 256) for dtype in (torch.float32, torch.bfloat16, torch.float16)]
    broken = [
        textwrap.fill(panel.draw((16, 256, [cost._replace(seconds=seconds) for cost in costs]))[1], 100).split("\n")
        for seconds in (0.001, 12.3456)
    ]
    assert broken[0][:-1] == broken[1][:-1] and "12,345.6\u00a0ms" in broken[1][-1]


def test_the_opening_says_which_way_died():
    panel = demos.sixteen_bits(steps=4)
    panel.run_to_end()
    assert "at step 2 it is not a number" in panel.words
    panel.controls["way"].value = list(demos.WAYS.values())[2]
    panel.run_to_end()
    assert "not a number" not in panel.words and "step 4 of 4" in panel.words


def test_the_histogram_s_shares_are_those_of_a_cast():
    panel, found = demos.gradient_histogram(), demos.gradients("logits", True)
    found = found[found != 0]
    lost = (found.half() == 0).double().mean().item()
    assert f"{100 * lost:.3g} % becomes 0" in panel.words and lost > 0.3
    assert "0 % becomes 0" in panel.draw((0, ("logits", True), "bfloat16"))[1]
