"""Each disease shows in the number that the lesson points to, treatment heals it, and only treatment."""

import math

import pytest
import torch

from course.lab import activations, gradients, text, training
from course.lab.clinics import week4 as clinics
from course.lab.demos import week4 as demos
from course.lab.gpt import GPT, GPTConfig


@pytest.fixture(scope="module")
def patients():
    return {one.name: one for one in clinics.patients()}


def test_each_disease_has_a_measurement_of_its_own(patients):
    a, b, c, d = (patients[name] for name in "ABCD")
    assert a.length == pytest.approx(4, rel=1e-3) and a.cosine == pytest.approx(1, abs=1e-5) and a.spoilt_at
    assert b.length < 0.5 and b.cosine < 0.95 and b.without == 0 and b.spoilt_at is None
    assert c.length == pytest.approx(1, rel=1e-3) and c.spoilt_at == clinics.EMPTY_AT
    assert d.without == 6 and d.spoilt_at is None and d.held_out > clinics.sound("D").held_out + 0.3
    assert not any(one.well for one in patients.values())


@pytest.mark.parametrize("like", "ABCD")
def test_a_healthy_update_is_well_in_every_setting(like):
    found = clinics.sound(like)
    assert found.well and math.isfinite(found.held_out) and found.reported[-1] < found.reported[0] - 2


def test_the_reports_of_a_and_b_are_right_while_their_gradients_are_not(patients):
    for name, like in (("A", "A"), ("B", "B")):
        assert patients[name].reported[0] == pytest.approx(clinics.sound(like).reported[0], abs=1e-5)


def test_adamw_does_not_notice_a_gradient_four_times_too_long():
    sick, well = clinics.run(clinics.PATIENTS["A"].update, "A", "B"), clinics.sound("B")
    assert sick.length == pytest.approx(4, rel=1e-3) and abs(sick.held_out - well.held_out) < 0.01


def skips(model, micro_batches, optimizer, max_norm=1.0):
    """Patient C, mended at the guard alone."""
    real, optimizer.step = optimizer.step, lambda: None
    try:
        reported = clinics.PATIENTS["C"].update(model, micro_batches, optimizer, max_norm)
    finally:
        del optimizer.step
    if math.isfinite(reported):
        real()
    return reported


def test_patient_c_is_mended_at_the_guard_or_at_the_division(capsys):
    clinics.discharge(C=skips)
    clinics.discharge(C=clinics.healthy)
    said = capsys.readouterr().out
    assert said.count("   well") == 2 and "still sick" not in said


def test_patient_d_is_mended_by_the_other_kind_of_checkpoint(capsys):
    def mended(model, micro_batches, optimizer):
        return clinics.healthy(activations.with_checkpoints(model), micro_batches, optimizer)

    clinics.discharge(D=mended)
    assert "   well" in capsys.readouterr().out


def test_the_consultation_gives_all_and_draws_no_nan(capsys, monkeypatch):
    alts = []
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: alts.append(alt))
    clinics.consult()
    clinics.who_notices()
    said = capsys.readouterr().out
    assert "4.000" in said and f"update {clinics.EMPTY_AT}" in said and "nan" not in said
    assert all("nan" not in alt and "no numbers any more" in alt for alt in alts)


# --- gradients as vectors ---------------------------------------------------------------------------------------------


def test_the_mean_of_the_rows_is_the_gradient_of_the_batch():
    model, ids = gradients.trained(20), next(text.windows("train", 12, 32, training.generator(0, 9)))
    rows = gradients.by_row(model, ids, at_once=8)
    assert rows.shape == (12, sum(p.numel() for p in model.parameters()))
    assert gradients.error(rows.mean(0), gradients.gradient_of(model, text.batch(ids))) < 1e-5


def test_a_trained_model_is_a_copy():
    mine = gradients.trained(5)
    with torch.no_grad():
        mine.head.weight.zero_()
    assert gradients.trained(5).head.weight.abs().sum() > 0


def test_the_whole_batch_holds_every_row_and_pads_as_the_course_does():
    made = gradients.whole(gradients.pieces((4, 9, 2)))
    assert made["input_ids"].shape == (3, 9) and made["attention_mask"].sum(1).tolist() == [4, 9, 2]
    assert torch.equal(made["labels"] == -100, made["attention_mask"] == 0)
    assert torch.equal(made["input_ids"] == text.PAD, made["attention_mask"] == 0)
    assert gradients.counted(made) == 3 + 8 + 1


def test_frozen_parameters_are_no_part_of_the_vector_and_missing_gradients_are_zero():
    model = gradients.trained(0)
    model.embedding.requires_grad_(False)
    assert gradients.gradient(model).numel() == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert not gradients.gradient(model).any()


@pytest.mark.parametrize("way", gradients.WAYS)
def test_every_way_to_clip_leaves_the_share_asked_for(way):
    model = gradients.trained(20)
    training.loss(model, next(training.tiny_batches(4))).backward()
    before = gradients.gradient(model)
    for share in (0.9, 0.3):
        after = gradients.shortened(way, model, share)
        assert float(after.norm() / before.norm()) == pytest.approx(share, rel=1e-3)
    straight = gradients.cosine(after, before)
    assert straight == pytest.approx(1, abs=1e-6) if way == "global norm" else straight < 0.999


def test_no_sync_leaves_one_exchange():
    batches = gradients.pieces((8, 8, 8))
    sent = [gradients.exchanges(training.tiny_model(), batches, no_sync) for no_sync in (False, True)]
    assert sent in ([3, 1], [None, None])  # None: no network interface here, not even its own


# --- activations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [GPTConfig(), GPTConfig(layers=3, width=64, heads=4, mlp_width=80)])
@pytest.mark.parametrize("checkpoints", [False, True])
def test_what_is_kept_is_predicted_to_the_byte(config, checkpoints):
    ids = torch.randint(259, (2, 24), generator=training.generator(1))
    model = GPT(config, training.generator(0))
    assert activations.measured(model, ids, checkpoints) == activations.predicted(config, 48, checkpoints)


def test_checkpoints_change_neither_logits_nor_gradient_and_take_less():
    model = training.tiny_model(layers=2)
    batch = text.batch([text.encode("for i in x:"), text.encode("a = 1")])  # with padding, so with a mask
    plain, again = model(**_inputs(batch)).logits, activations.with_checkpoints(model)(**_inputs(batch)).logits
    assert torch.equal(plain, again)
    true = gradients.gradient_of(model, batch)
    training.loss(activations.with_checkpoints(model), batch).backward()
    assert gradients.error(gradients.gradient(model), true) < 1e-6
    assert 1.1 < activations.operations(model, batch, True) / activations.operations(model, batch, False) < 4 / 3
    assert activations.peak(model, [batch], True) < activations.peak(model, [batch], False)
    assert activations.peak(model, [batch] * 2, False) == activations.peak(model, [batch] * 5, False)


def _inputs(batch):
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


# --- demos ------------------------------------------------------------------------------------------------------------


def test_the_slope_of_the_neuron_is_autograd_s():
    for w, b in ((5.2, -1.5), (4.4, -2.0), (6.5, 1.0)):
        point = torch.tensor([w, b], dtype=torch.float64, requires_grad=True)
        x = torch.tensor(0.5, dtype=torch.float64)
        for _ in range(demos.DEPTH):
            x = torch.sigmoid(point[0] * x + point[1])
        loss = (x - demos.TARGET) ** 2
        (slope,) = torch.autograd.grad(loss, point)
        assert demos.neuron(w, b) == pytest.approx((loss.item(), *slope.tolist()), rel=1e-6, abs=1e-12)


def test_the_clipped_run_stays_where_the_other_is_thrown_away():
    free, clipped = demos.descent(0.3, math.inf, 120), demos.descent(0.3, 1.0, 120)
    assert free[:70] == clipped[:70] and max(norm for *_, norm in free) > 100
    assert free[-1][0] > 20 and clipped[-1][2] < 1e-3


def test_agreement_rises_with_the_rows_and_falls_with_training_and_is_foretold():
    early, late = gradients.rows_of(20, 64), gradients.rows_of(200, 64)
    for rows in (early, late):
        means = [float(gradients.agreement(rows, size).mean()) for size in (1, 4, 16, 64)]
        assert means == sorted(means) and means[-1] == pytest.approx(1, abs=1e-4)
        for size, mean in zip((1, 4, 16), means, strict=False):
            assert abs(gradients.expected_agreement(rows, size) - mean) < 0.15
    assert gradients.agreement(early, 4).mean() > gradients.agreement(late, 4).mean()
