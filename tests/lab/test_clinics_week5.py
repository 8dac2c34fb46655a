"""Each disease shows in one number of the table, treatment heals it, and only treatment; what week 5's demos draw."""

import functools
import math

import pytest
import torch

from course.lab import gradients
from course.lab.clinics import week5 as clinics
from course.lab.clinics import week5_audits as audits
from course.lab.demos import week5 as demos
from course.lab.demos import week5_state as state


@pytest.fixture(scope="module")
def patients():
    return {one.name: one for one in clinics.patients()}


def test_each_disease_has_a_measurement_of_its_own(patients):
    sound = clinics.sound().numbers()
    off = {
        name: [i for i, (one, well) in enumerate(zip(run.numbers(), sound, strict=True)) if abs(one / well - 1) > 0.5]
        for name, run in patients.items()
    }
    assert off["A"] == [0] and off["B"] == [1] and off["D"] == [3]
    assert 80 < patients["C"].norms < 90 and all(run.norms > 99.9 for n, run in patients.items() if n != "C")
    assert not any(clinics.well(run) for run in patients.values())


def test_the_healthy_run_follows_the_recipe():
    sound = clinics.sound()
    assert clinics.well(sound) and sound.last < 0.05 and sound.norms == pytest.approx(100)
    assert sound.embedding == pytest.approx(0.1, abs=0.01) and 0.8 < sound.restart < 1.2


def test_no_held_out_loss_gives_a_patient_away(patients):
    differences = [run.held_out - clinics.sound().held_out for run in patients.values()]
    assert max(map(abs, differences)) < 0.03 and min(differences) < 0 < max(differences)


def frozen_mended(model, batches, schedule):
    optimizer = torch.optim.AdamW(clinics.groups(model))
    rule = [functools.partial(lambda share, n: schedule(n) * share, group["share"]) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 1.0
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rule)
    for batch in batches:
        yield clinics.update(model, batch, optimizer)
        scheduler.step()


def restart_mended(model, batches, schedule):
    optimizer = torch.optim.AdamW(clinics.groups(model))
    for number, batch in enumerate(batches):
        if number == clinics.RESTART:
            saved = optimizer.state_dict()
            optimizer = torch.optim.AdamW(clinics.groups(model))
            optimizer.load_state_dict(saved)
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield clinics.update(model, batch, optimizer)


def norms_mended(model, batches, schedule):
    groups = clinics.groups(model)[::-1]  # in another order, which is no disease
    optimizer = torch.optim.AdamW(groups)
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number) * group["share"]
        yield clinics.update(model, batch, optimizer)


def test_mended_patients_are_well_however_they_are_mended(capsys):
    clinics.discharge(A=frozen_mended, C=norms_mended, D=restart_mended)
    said = capsys.readouterr().out
    assert said.count("   well") == 3 and "still sick" not in said


def test_sick_patients_are_not_discharged(capsys):
    clinics.discharge(B=clinics.PATIENTS["B"], D=clinics.PATIENTS["D"])
    assert capsys.readouterr().out.count("still sick") == 2


def test_the_consultation_shows_all_and_draws_no_nan(capsys, monkeypatch):
    alts = []
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: alts.append(alt))
    clinics.consult()
    said = capsys.readouterr().out
    assert all(f"\n{name} " in said for name in clinics.PATIENTS) and "nan" not in said.lower() + alts[0].lower()


def test_groups_hold_every_parameter_once_and_norms_do_not_decay():
    model = gradients.trained(0)
    groups = clinics.groups(model)
    held = [p for group in groups for p in group["params"]]
    assert len(held) == len({id(p) for p in held}) == len(list(model.parameters()))
    assert all(group["weight_decay"] == 0 for group in groups if any(p.ndim < 2 for p in group["params"]))


def test_the_audit_of_optimizers_draws_what_it_measured_and_says_what_diverged(capsys, monkeypatch):
    alts = []
    monkeypatch.setattr(audits.plots, "show", lambda figure, alt: alts.append(alt))
    monkeypatch.setattr(audits, "RATES", {"sgd": (0.3, 1), "momentum": (0.1, 1e4)})
    audits.draw(updates=40)
    said = capsys.readouterr().out
    assert f"{audits.end('sgd', 1, 40):.3f} at 1" in said and "diverged at 10000" in said and "nan" not in alts[0]
    assert audits.best("momentum", 40) == audits.end("momentum", 0.1, 40)


# --- demos ------------------------------------------------------------------------------------------------------------


def test_a_race_ends_at_the_lowest_point_or_says_that_it_diverged():
    found = demos.race("ravine", 0.1, 0.9, 0.999, 0.0, 200)
    assert found["Adam"] == found["AdamW"] and found["AdamW"][-1][2] < 1e-3 < found["SGD"][-1][2]
    assert found["momentum"][-1][2] < found["SGD"][-1][2]
    wild = demos.race("ravine", 2.1, 0.0, 0.999, 0.0, 200)["SGD"]
    assert len(wild) < 200 and math.isfinite(wild[-1][2])
    panel = demos.optimizers(steps=120)
    panel.controls["lr"].value = 2.1
    panel.run_to_end()
    assert "diverged" in panel.words


def test_runners_meet_the_same_noise_and_decay_parts_adam_from_adamw():
    noisy = demos.race("noisy bowl", 0.1, 0.0, 0.999, 0.0, 30)
    assert noisy["SGD"] == noisy["momentum"]  # without momentum they are one
    parted = demos.race("ravine", 0.1, 0.9, 0.999, 0.3, 80)
    assert parted["Adam"][-1] != parted["AdamW"][-1]


def test_the_first_steps_are_those_of_torch():
    _, lengths = demos.first_steps(0.9, 0.999, 0.3, 50)
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=1.0, eps=0)
    slopes = 1 + 0.3 * torch.randn(50, generator=demos.training.generator(0, 6), dtype=torch.float64)
    for slope, (without, corrected) in zip(slopes, lengths, strict=True):
        before = weight.item()
        weight.grad = slope.view(1)
        optimizer.step()
        assert before - weight.item() == pytest.approx(corrected, rel=1e-9) and without > corrected


@pytest.mark.parametrize("kind, per_weight", [("sgd", 0), ("momentum", 4), ("adamw", 8), ("adamw8bit", 2 + 8 / 256)])
def test_state_is_measured_on_real_optimizers(kind, per_weight):
    assert state.measured(kind, 64) == per_weight * 4096
    assert state.measured("adamw8bit", 48) == state.measured("adamw", 48)
    assert state.measured("adafactor", 64) == 4 * 128


def test_a_prediction_that_fails_is_left_out_and_one_that_works_is_told():
    def blank(n, kind):
        raise NotImplementedError

    assert "predicted" not in state.state_memory(blank).words
    assert "adamw 524,288 (524,288 predicted)" in state.state_memory(lambda n, kind: 8 * n).words


def test_even_codes_keep_v_and_ruin_the_step_while_bitsandbytes_keeps_both():
    errors = {(way, what): state.lost(way, what, 256)[0] for way in state.WAYS for what in state.WHAT}
    assert errors["even codes", "v"] < 0.03 and errors["even codes", "step"] > 100
    assert errors["bitsandbytes", "v"] < 0.01 and errors["bitsandbytes", "step"] < 0.05
    assert int((state.codes() < 1 / 127).sum()) > 30


def test_even_codes_are_off_by_half_a_code_at_most():
    x = torch.randn(1000, generator=demos.training.generator(1))
    for size in (32, 300, 5000):
        got = state.linear(x, size)
        for a, b in zip(x.split(size), got.split(size), strict=True):
            assert (a - b).abs().max() <= a.abs().max() / 254 * 1.001
    assert not state.linear(torch.zeros(10), 4).any()
