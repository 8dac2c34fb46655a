"""Week 6, batch size and landscape: rules along a map, a batch driven by noise, averages, scales, slices, descent."""

import copy
import math

import pytest
import torch

from course.lab import ensembles, training
from course.lab.clinics import week6_batch as clinics
from course.lab.demos import week6_landscape as landscape

LRS = (0.1, 0.2, 0.4, 0.8)


def _scaled(lr, base, size, rule="linear"):
    return lr * size / base if rule == "linear" else lr * (size / base) ** 0.5


@pytest.fixture
def a_map(monkeypatch):
    found = ensembles.Sweep("sgd", LRS, 768, 1.0)
    found.losses = {2: [2.5, 3.0, 3.5, 4.0], 4: [3.0, 2.5, 2.6, math.nan], 8: [3.5, 3.0, 2.5, math.nan]}
    found.losses[16] = [3.5, 2.5, math.nan, math.nan]
    for kind in ("sgd", "adamw"):
        monkeypatch.setitem(clinics.FINISHED, (kind, ensembles.ROWS), found)
    return found


def test_a_loss_between_two_rates_of_the_map_and_none_beyond_it(a_map):
    assert clinics.at_rate(a_map, 2, 0.1) == 2.5 and clinics.at_rate(a_map, 2, 0.8) == 4.0
    assert clinics.at_rate(a_map, 2, 0.1 * 2**0.5) == pytest.approx(2.75)
    assert clinics.at_rate(a_map, 4, 0.4) == pytest.approx(2.6)  # its neighbour that diverged does not count
    assert math.isnan(clinics.at_rate(a_map, 4, 0.5)) and math.isnan(clinics.at_rate(a_map, 2, 1.0))


def test_where_a_rule_breaks_and_what_it_costs(a_map, capsys):
    assert clinics.breaks_at("sgd", _scaled) == 16
    assert clinics.breaks_at("sgd", lambda lr, base, size: lr) == 4
    assert clinics.breaks_at("adamw", lambda lr, base, size: lr if size == 2 else [0.2, 0.4, 0.2][size // 8]) is None
    assert "lost" in clinics.rates_table(_scaled)
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 8 and shown[3].split() == "linear rule costs 0.00 0.00 0.00 lost".split()


def test_a_driven_batch_doubles_when_the_noise_is_above_it_and_waits_in_between():
    choose, sizes = clinics.driven(lambda small, big, b_small, b_big: 5.0 * (len(small) == 16)), []
    for _ in range(60):
        sizes.append(choose(sizes, [1.0] * len(sizes), [1.0] * len(sizes)))
    assert sizes == [4] * 16 + [8] * 44
    loss, used = clinics.batch_run(lambda *_: 6, 20)
    assert used == [6, 6, 6, 2] and 3 < loss < 6


def test_a_run_in_two_halves_is_the_run_in_one(monkeypatch):
    monkeypatch.setattr(ensembles, "held_out", lambda: next(training.tiny_batches(4, 7, "val", 32)))
    loss, _ = clinics.batch_run(lambda *_: 4, 8)
    model, rows = training.tiny_model(**clinics.CONFIG), training.tiny_batches(1, seq_len=32)
    optimizer = training.OPTIMIZERS["sgd"](model.parameters(), 0.3)
    batches = [
        {key: torch.cat([row[key] for row in four]) for key in four[0]}
        for four in [[next(rows) for _ in range(4)] for _ in range(2)]
    ]
    list(training.train(model, batches, optimizer))
    assert loss == pytest.approx(training.evaluate(model, [ensembles.held_out()]), abs=1e-4)


def test_decay_times_rate_leaves_about_the_share_that_the_product_says():
    found = clinics.equal_products(product=0.05, updates=10)
    assert len(found) == 4 and all(0.5 < left < 0.75 for _, _, left in found.values())  # e^-0.5 is 0.61


def test_averages_are_taken_of_the_constant_run_alone():
    def no_memory(average, model, decay):
        average.load_state_dict(copy.deepcopy(model.state_dict()))

    found = clinics.averaged(no_memory, 0.01, decays=(0.9,), updates=4)
    assert found["average 0.9"] == found["constant"] != found["falling"]


def test_first_weights_are_scaled_and_gains_are_not():
    found = clinics.initial_scales(updates=2)
    assert set(found) == {"adamw", "sgd"}
    losses, ends = found["sgd"]
    assert losses[4][0] > losses[2][0] > losses[0][0] > 5.5 and len(ends) == 5


def test_rescaling_leaves_the_function_and_slices_filter_by_filter_alone():
    ids = next(training.tiny_batches(2, seq_len=32))["input_ids"]
    model = landscape.trained(3)
    before = model(ids).logits.detach()
    assert torch.allclose(landscape.rescaled(model, 5.0)(ids).logits, before, atol=1e-4)
    (raw, same, _), (other, also, _) = landscape._slices(3, 1.0, 0), landscape._slices(3, 5.0, 0)
    assert same == pytest.approx(also, abs=1e-3) and raw != pytest.approx(other, abs=0.1)


def test_a_descent_starts_at_guessing_and_ends_where_it_diverges():
    steps = list(landscape.descent(0.2, 4, 2))
    assert [step for step, _, _ in steps] == [0, 2, 4] and steps[0][1] == pytest.approx(math.log(259))
    *_, last = landscape.descent(1e6, 40, 2)
    assert math.isnan(last[1])
