"""Each disease shows in the number that the lesson points to, and treatment brings the healthy curve back."""

import math

import pytest
import torch

from course.lab.clinics import week1 as clinics


@pytest.fixture(scope="module")
def patients():
    return {run.name: run for run in clinics.week1_patients()}


def late(run):
    return sum(run.reported[-20:]) / 20


def test_padding_reports_less_than_is_measured(patients):
    assert late(patients["A"]) < patients["A"].loss_ahead(1) - 0.5


def test_a_double_shift_knows_more_two_bytes_ahead_and_no_other_does(patients):
    assert {name: run.loss_ahead(2) < run.loss_ahead(1) for name, run in patients.items()} == {
        "A": False, "B": True, "C": False}  # fmt: skip


def test_base_two_gives_itself_away_at_the_first_step(patients):
    first = {name: run.reported[0] for name, run in patients.items()}
    assert first == pytest.approx({"A": math.log(259), "B": math.log(259), "C": math.log2(259)}, abs=1e-4)


def test_treatment_is_judged_by_measurement(capsys, monkeypatch):
    monkeypatch.setattr(clinics.plots, "show", lambda figure, alt: print(alt))
    clinics.discharge(A=clinics.healthy, B=clinics._b)
    said = capsys.readouterr().out
    assert "patient A lies on it" in said and said.count("still sick") == 1 and said.count("   well") == 1


def test_perplexity_and_bits_per_byte_rank_the_yardsticks_differently():
    models = clinics.yardsticks()
    perplexity = {one.name: math.exp(one.mean_loss) for one in models}
    bits = {one.name: one.nats / one.bytes / math.log(2) for one in models}
    assert min(perplexity, key=perplexity.get) == "small GPT on bytes" and min(bits, key=bits.get) == "word pairs"
    assert 20 < perplexity["byte frequencies"] < 50 < perplexity["word pairs"]
    assert bits["byte frequencies"] == max(bits.values())


def test_word_pairs_are_a_probability():
    """Over every text made of one known word and what may follow, the probabilities stay below one."""
    source = "a b a c a b "
    total = sum(math.exp(-clinics._word_pairs(source, word).nats) for word in ("a", "b", "c", " ", "z", "q"))
    assert 0 < total < 1


def test_the_coins_reach_their_floor():
    batch = clinics.coin_batch()
    counted = batch["labels"] != -100
    assert counted.sum() == 16 * 5 and torch.equal(batch["labels"][counted], batch["input_ids"][counted])
    losses = clinics.overfit(batch)
    assert losses[-1] == pytest.approx(math.log(2) / 10, rel=0.02) and min(losses) > math.log(2) / 10 - 1e-4
