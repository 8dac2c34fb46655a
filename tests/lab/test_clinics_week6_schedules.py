"""The log's facts, the schedules' names, the rates that a patient's updates use, and that treatment heals."""

import math

import pytest
import torch

from course.lab import training
from course.lab.clinics import week6_rates as rates
from course.lab.clinics import week6_schedules as clinics
from course.lab.demos import week6_schedules as demos


def cosine(step, total):
    if step < rates.WARMUP:
        return rates.PEAK * step / rates.WARMUP
    progress = (step - rates.WARMUP) / (total - rates.WARMUP)
    return rates.LOW + (rates.PEAK - rates.LOW) * (1 + math.cos(math.pi * progress)) / 2


def test_the_log_fits_one_cosine_and_the_story_gives_it_three_lengths():
    fits = [n for n in range(300, 3000) if all(abs(cosine(s, n) - lr) < 0.5e-6 for s, lr in rates.LOG.items())]
    assert fits == [1146, 1147]
    lengths = [rates.length_by_the_story(step, rates.LOG[step]) for step in (231, 241, 251)]
    assert lengths == pytest.approx([275.4, 286.7, 298.0], abs=0.1)
    for (step, lr), length in zip(list(rates.LOG.items())[3:], lengths, strict=True):
        share = (step / length - 0.8) / 0.2
        assert rates.LOW + (rates.PEAK - rates.LOW) * (1 + math.cos(math.pi * share)) / 2 == pytest.approx(lr)


def test_the_log_and_a_schedule_are_drawn_in_words_too(monkeypatch):
    alts = []
    monkeypatch.setattr(rates.plots, "show", lambda figure, alt: alts.append(alt))
    rates.draw_log()
    rates.draw_log(lambda step: cosine(step, 1146))
    assert "Yours" not in alts[0] and "5.0e-07" in alts[1] or "4." in alts[1]
    lines = rates.in_text(lambda step: 1 - step / 100, 100, columns=11, rows=4).split("\n")
    assert len(lines) == 7 and lines[0].endswith("|**") and lines[4].rstrip().endswith("*") and lines[6].endswith("100")


@pytest.mark.parametrize("name", clinics.SCHEDULES)
def test_get_scheduler_does_what_transformers_does_under_the_same_name(name):
    optimization = pytest.importorskip("transformers.optimization")
    got, want = [], []
    for seen, make in ((got, clinics.get_scheduler), (want, optimization.get_scheduler)):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
        scheduler = make(name, optimizer, num_warmup_steps=4, num_training_steps=12)
        for _ in range(15):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    assert got == pytest.approx(want)


def with_clock(run, clock, inside=False, micro_batches=1):
    for _ in range(run.updates):
        for batch in run.batches(micro_batches):
            (training.loss(run.model, batch) / micro_batches).backward()
            if inside:
                clock.step()
        run.step()
        if not inside:
            clock.step()


def a(run, inside=True):
    with_clock(run, clinics.get_scheduler("linear", run.optimizer, 10, run.updates), inside, 4)


def b(run, name="constant"):
    with_clock(run, clinics.get_scheduler(name, run.optimizer, 20, run.updates))


def c(run, times=2):
    with_clock(run, torch.optim.lr_scheduler.CosineAnnealingLR(run.optimizer, run.updates // times))


CURED = {
    "A": lambda run: a(run, inside=False),
    "B": lambda run: b(run, "constant_with_warmup"),
    "C": lambda run: c(run, 1),
}


def test_each_disease_shows_in_the_rates_that_were_used():
    first, second, third = clinics.treated("A", a), clinics.treated("B", b), clinics.treated("C", c)
    assert not (first.well or second.well or third.well)
    resting = sum(lr == 0 for lr in first.lrs)
    assert first.updates * 3 / 4 <= resting + 1 <= first.updates * 3 / 4 + 3
    assert second.lrs == [clinics.PEAKS["B"]] * second.updates
    assert third.lrs[60] < 1e-6 < third.lrs[-1] and third.losses[-1] > min(third.losses)


@pytest.mark.parametrize("name", CURED)
def test_treatment_heals_and_helps(name):
    sick, well = clinics.treated(name, {"A": a, "B": b, "C": c}[name]), clinics.treated(name, CURED[name])
    assert well.well and well.losses[-1] < sick.losses[-1]


def test_the_discharge_says_who_is_well_and_names_the_disease_only_then(capsys, monkeypatch):
    alts = []
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: alts.append(alt))
    clinics.discharge(A=a, B=b, C=CURED["C"])
    said = capsys.readouterr().out
    assert said.count("sick") == 2 and "cosine rises" in said and "micro-batches" not in said
    assert "nan" not in said + alts[0] and "patient A" in alts[0]


def test_a_loop_without_end_is_stopped():
    def endless(run):
        while True:
            run.step()

    with pytest.raises(RuntimeError, match="120 were asked for"):
        clinics.treated("A", endless)


def test_accumulate_leaves_the_gradient_of_all_counted_tokens():
    model, micro_batches = training.tiny_model(), [next(training.tiny_batches(2, seed)) for seed in range(2)]
    micro_batches[0]["labels"][:, 20:] = -100
    reported = clinics.accumulate(model, iter(micro_batches))
    got = model.head.weight.grad.clone()
    model.zero_grad()
    whole = {key: torch.cat([one[key] for one in micro_batches]) for key in micro_batches[0]}
    loss = training.loss(model, whole)
    loss.backward()
    assert reported == pytest.approx(loss.item(), abs=1e-5)
    torch.testing.assert_close(got, model.head.weight.grad)


def test_decay_shrinks_an_unseen_token_by_the_budget_alone():
    for lr, decay in ((1e-2, 0.1), (1e-3, 1.0)):
        left, loss = rates.decayed(lr, decay, steps=20)
        assert left == pytest.approx((1 - 1e-3) ** 20, rel=1e-5) and math.isfinite(loss)


def test_a_range_test_rises_by_one_factor_and_stops_when_it_diverges():
    tested = list(rates.range_test(30, rows=2, low=1e-4, high=1e-1))
    assert len(tested) == 30 and tested[0][1] == pytest.approx(math.log(259), abs=1e-4)
    assert {round(b[0] / a[0], 4) for a, b in zip(tested, tested[1:], strict=False)} == {round(1000 ** (1 / 29), 4)}
    assert len(list(rates.range_test(40, rows=2, optimizer="sgd", high=1e6))) < 40


def test_what_was_claimed_of_the_rates_holds():
    assert rates.epochs_until(2.5, 0.003)[0] == 7  # the lesson says so
    assert rates.epochs_until(2.5, 0.01)[0] < 7 and rates.epochs_until(2.5, 0.1)[0] is None


@pytest.mark.parametrize("shape", demos.SHAPES)
def test_every_shape_keeps_to_the_peak_and_rises_first(shape):
    shares = demos.rates(shape, 100, 10)
    assert len(shares) == 100 and all(0 <= share <= 1 + 1e-12 for share in shares) and max(shares) > 0.95
    assert shares[0] < 0.1 and shares[0] < shares[5] < shares[9]
