"""Models trained as one end where each would end alone, and one that diverges takes no other along."""

import itertools
import math

import pytest
import torch

from course.lab import ensembles, training

LRS = {"sgd": [0.01, 0.1, 1.0], "momentum": [0.003, 0.03, 0.1], "adamw": [1e-3, 1e-2, 5e-2]}
SMALL = {"width": 16, "mlp_width": 24, "seq_len": 16, "layers": 2}


def _alone(model, lr, optimizer, batches):
    with training.one_thread():
        records = list(training.train(model, batches, training.OPTIMIZERS[optimizer](model.parameters(), lr)))
    return [record.loss for record in records]


@pytest.mark.parametrize("optimizer", LRS)
def test_every_member_trains_as_it_would_alone(optimizer):
    batches = list(itertools.islice(training.tiny_batches(4, seq_len=16), 25))
    models = [training.tiny_model(seed, **SMALL) for seed in range(3)]
    together = ensembles.Ensemble(models, LRS[optimizer], optimizer)
    losses = list(zip(*together.train(batches), strict=True))
    for k, lr in enumerate(LRS[optimizer]):
        assert losses[k] == pytest.approx(_alone(models[k], lr, optimizer, batches), abs=1e-4)
        for mine, theirs in zip(together.member(k).parameters(), models[k].parameters(), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-4)
        assert together.evaluate(batches[0])[k] == pytest.approx(training.evaluate(models[k], batches[:1]), abs=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_three_runs_of_a_sweep_are_those_of_training_one_by_one(optimizer):
    lrs = tuple(ensembles.LRS[optimizer][k] for k in (1, 5, 8))
    *_, found = ensembles.sweep(optimizer, rows=64, sizes=(4, 16, 32), lrs=lrs)
    for size, k in ((4, 0), (16, 1), (32, 2)):
        assert found.losses[size][k] == pytest.approx(ensembles.alone(optimizer, size, lrs[k], 64), abs=1e-4)


def test_a_member_that_diverges_is_frozen_and_told_and_the_others_go_on():
    batches = list(itertools.islice(training.tiny_batches(4, seq_len=16), 12))
    model = training.tiny_model(**SMALL)
    together = ensembles.Ensemble(model, [0.1, 1e30, 0.1], "sgd")
    losses = list(together.train(batches))
    at = together.diverged_at[1]
    assert together.diverged_at == [None, at, None] and 2 <= at <= 12
    assert all(math.isnan(step[1]) for step in losses[at - 1 :]) and math.isnan(together.evaluate(batches[0])[1])
    alone = _alone(model, 0.1, "sgd", batches)
    assert [step[0] for step in losses] == pytest.approx(alone, abs=1e-4) and losses[-1][0] == losses[-1][2]


def test_rows_of_their_own_and_a_decay_of_their_own():
    ids = torch.stack([next(training.tiny_batches(2, seed, seq_len=16))["input_ids"] for seed in range(2)])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    model = training.tiny_model(**SMALL)
    together = ensembles.Ensemble(model, [0.1, 0.1], "adamw", decay=[0.0, 1.0])
    losses = together.step(batch)
    expected = [training.evaluate(model, [{key: rows[k] for key, rows in batch.items()}]) for k in range(2)]
    assert losses == pytest.approx(expected, abs=1e-4)
    norms = [sum(float(p.detach().square().sum()) for p in together.member(k).parameters()) for k in range(2)]
    assert norms[1] < 0.9 * norms[0]


def test_what_it_cannot_do_it_says():
    model = training.tiny_model(**SMALL)
    with pytest.raises(ValueError, match="lion"):
        ensembles.Ensemble(model, [0.1], "lion")
    with pytest.raises(ValueError, match="1 models"):
        ensembles.Ensemble([model], [0.1, 0.2])
    batch = next(training.tiny_batches(2, seq_len=16))
    batch["attention_mask"][0, -1] = 0
    with pytest.raises(ValueError, match="padding"):
        ensembles.Ensemble(model, [0.1]).step(batch)


def test_a_sweep_is_the_same_with_any_number_of_threads_and_knows_its_best():
    maps = [list(ensembles.sweep("sgd", rows=32, sizes=(4, 32), lrs=(0.1, 1.0, 30.0), threads=n))[-1] for n in (1, 2)]
    assert torch.equal(*(torch.tensor(one.losses[4]).nan_to_num(-1) for one in maps))
    assert maps[0].done == 1 and maps[0].best(4) in (0, 1)
    assert ensembles.Sweep("sgd", (1.0,), 1, losses={2: [math.nan]}).best(2) is None
