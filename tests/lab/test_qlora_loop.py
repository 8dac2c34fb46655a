"""Every token weighs the same, what is not finite is skipped, and a resumed run is the run that was never stopped."""

import inspect
import math

import pytest
import torch
import torch.nn.functional as F

from course.lab import qlora
from tests.lab import qlora_bench as bench

FP32 = torch.float32
LENGTHS = (4, 8, 16, 64)


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    pass


def plain_config(**changes):
    """No clipping, no warmup, one learning rate."""
    settings = {
        "lr": 1e-2,
        "max_norm": 1e9,
        "warmup": 0.0,
        "schedule": "constant",
        "dtype": FP32,
        "micro_batch_size": 4,
    }
    return qlora.Config(**settings | changes)


def supervised(batch):
    return int((batch["labels"][:, 1:] != -100).sum())


# The loss


@pytest.mark.parametrize("B", [0.0, 0.1], ids=["as the base", "trained"])
def test_summed_loss_is_the_cross_entropy_of_all_logits_over_the_labels_that_count(tiny, B):
    model, tokenizer = bench.adapted(tiny, quantize=False, B=B)
    batch = qlora.collate(bench.features(tokenizer, 6), tokenizer.pad_token_id)
    assert (batch["attention_mask"] == 0).any() and (batch["labels"] == -100).any()
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    expected = F.cross_entropy(logits[:, :-1].reshape(-1, 4096), batch["labels"][:, 1:].reshape(-1), reduction="sum")
    assert qlora.summed_loss(model, batch).item() == pytest.approx(expected.item(), rel=1e-5)
    if not B:
        base, _ = qlora.load_base(tiny, dtype=FP32, quantize=False)
        assert qlora.summed_loss(base, batch).item() == pytest.approx(expected.item(), rel=1e-5)


def test_summed_loss_has_the_gradients_of_that_cross_entropy(tiny):
    model, tokenizer = bench.adapted(tiny, quantize=False, B=0.1)
    batch = qlora.collate(bench.features(tokenizer, 6), tokenizer.pad_token_id)
    mine = bench.gradients(model, batch, "lora_")
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    F.cross_entropy(logits[:, :-1].reshape(-1, 4096), batch["labels"][:, 1:].reshape(-1), reduction="sum").backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in bench.of_kind(model).values()])
    assert (mine - expected).norm() < 1e-5 * expected.norm()


def test_evaluate_weighs_tokens_restores_the_mode_and_keeps_no_graph(tiny):
    model, tokenizer = bench.adapted(tiny, dropout=0.5, B=0.1)
    batches = [bench.random_batch(40, seed=1), bench.random_batch(3, 2, seed=2)]
    before = bench.values(model)
    for mode in (False, True):
        model.train(mode)
        value = qlora.evaluate(model, iter(batches), FP32)
        assert model.training is mode and qlora.evaluate(model, batches, FP32) == value, "dropout was on"
    assert isinstance(value, float) and all(p.grad is None for p in model.parameters())
    assert bench.apart(bench.values(model), before) == 0
    with torch.no_grad():
        sums = [qlora.summed_loss(model.eval(), batch).item() for batch in batches]
    assert value == pytest.approx(sum(sums) / 42, rel=1e-6)
    means = [total / supervised(batch) for total, batch in zip(sums, batches, strict=True)]
    assert abs(value - sum(means) / 2) > 1e-3, "these batches do not tell the two apart"
    assert math.isnan(qlora.evaluate(model, []))


# One update


def test_an_update_of_short_and_long_micro_batches_is_that_of_one_batch(tiny, monkeypatch):
    """By plain gradient descent, so that the adapters' change is the gradient; Adam would hide its length."""
    monkeypatch.setattr(torch.optim, "AdamW", lambda parameters, lr, weight_decay: torch.optim.SGD(parameters, lr=lr))

    def change(micro_batches):
        model, _ = bench.adapted(tiny, B=0.1)
        before = bench.values(model)
        (record,) = qlora.train(model, [micro_batches], plain_config())
        return {name: now - before[name] for name, now in bench.values(model).items()}, record

    apart = [bench.random_batch(length, seed=length) for length in LENGTHS]
    rows = [batch["input_ids"][0].tolist() for batch in apart]
    together = qlora.collate([{"input_ids": row, "labels": row} for row in rows], 0)
    (split, record), (whole, other) = change(apart), change([together])
    assert bench.apart(split, whole) <= 1e-5
    assert record.loss == pytest.approx(other.loss, abs=1e-5) and record.tokens == other.tokens == sum(LENGTHS) - 4
    assert record.grad_norm == pytest.approx(other.grad_norm, rel=1e-5)

    model, _ = bench.adapted(tiny, B=0.1)
    of_means = sum(bench.gradients(model, batch, "lora_") / supervised(batch) for batch in apart) / len(apart)
    true = torch.cat([-tensor.flatten() / 1e-2 for tensor in whole.values()])
    error = ((of_means - true).norm() / true.norm()).item()
    print(f"\nmean of means: the gradient is off by {error:.0%} of its length; weighted by tokens by", end=" ")
    mine = torch.cat([-tensor.flatten() / 1e-2 for tensor in split.values()])
    print(f"{((mine - true).norm() / true.norm()).item():.1e}")
    assert error > 0.1, "a mean of means would pass this test"


def test_checkpointing_changes_no_gradient(tiny):
    batch = bench.random_batch(20, 9)
    with_it, without = (bench.gradients(bench.adapted(tiny, B=0.1, checkpointing=c)[0], batch) for c in (True, False))
    assert without.norm() > 0.1
    assert (with_it - without).norm() <= 1e-6 * without.norm()


def test_a_run_learns_and_trains_nothing_but_the_adapters(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = qlora.Config(lr=2e-2, epochs=12, micro_batch_size=8, dtype=FP32)
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if "lora_" not in name}
    losses = bench.losses(model, bench.updates(tokenizer, config, 32), config)
    assert losses[0] == pytest.approx(math.log(4096), abs=2)
    assert losses[-1] < losses[0] - 3
    assert all(torch.equal(p, frozen[name]) for name, p in model.named_parameters() if "lora_" not in name)


@pytest.mark.parametrize("optimizer", ["adamw", "adamw8bit", "paged_adamw32bit"])
@pytest.mark.filterwarnings("ignore:Paged optimizers")
def test_every_optimizer_lowers_the_loss(tiny, optimizer):
    model, tokenizer = bench.adapted(tiny, r=16)  # so that some tensors have the 4096 numbers that 8 bits need
    config = plain_config(optimizer=optimizer)
    batch = bench.updates(tokenizer, config)[0]
    losses = bench.losses(model, [batch] * 12, config)
    assert losses[-1] < losses[0] - 1


def test_warmup_climbs_from_zero_to_the_peak_and_falls_to_zero_again(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = qlora.Config(lr=1e-3, micro_batch_size=4, warmup=0.25, dtype=FP32)
    rates = [record.lr for record in qlora.train(model, bench.updates(tokenizer, config), config)]
    expected = [k / 4 for k in range(4)] + [(16 - k) / 12 for k in range(4, 16)]
    assert rates == pytest.approx([1e-3 * share for share in expected])


# What is not finite


def spoil(model, by):
    """Every prediction, from now on, times `by`; returns what takes it back."""
    head = model.get_base_model().get_output_embeddings()
    return head.register_forward_hook(lambda module, inputs, output: output * by)


@pytest.mark.parametrize("by", [math.nan, math.inf])
def test_an_update_that_is_not_finite_is_skipped_as_if_it_had_not_been_asked_for(tiny, by):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config(max_norm=1.0)
    batches = bench.updates(tokenizer, config)[:6]
    run = qlora.train(model, batches, config)
    records = [next(run), next(run)]
    before, hook = bench.values(model), spoil(model, by)
    records.append(next(run))
    hook.remove()
    assert bench.apart(bench.values(model), before) == 0
    records += run
    assert [record.skipped for record in records] == [0, 0, 1, 1, 1, 1]
    assert not math.isfinite(records[2].loss) or not math.isfinite(records[2].grad_norm)

    other, _ = bench.adapted(tiny)
    left = [record.loss for record in records if record.step != 3]
    assert left == bench.losses(other, batches[:2] + batches[3:], config), "the optimizer's state has changed"


def test_a_skipped_update_takes_no_step_of_the_schedule(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config(schedule="linear")
    run = qlora.train(model, bench.updates(tokenizer, config)[:4], config)
    next(run)
    hook = spoil(model, math.nan)
    skipped = next(run)
    hook.remove()
    assert next(run).lr == skipped.lr > next(run).lr


def test_an_update_without_a_label_that_counts_is_skipped(tiny):
    model, _ = bench.adapted(tiny)
    batch = bench.random_batch(9)
    masked = batch | {"labels": torch.full_like(batch["labels"], -100)}
    before = bench.values(model)
    records = list(qlora.train(model, [[masked], [batch]], plain_config()))
    assert [(r.tokens, r.skipped) for r in records] == [(0, 1), (8, 1)]
    assert records[1].loss > 1 and bench.apart(bench.values(model), before) > 0


def test_in_float16_an_overflow_halves_the_scale_and_the_run_goes_on(tiny, monkeypatch):
    scalers = []

    class Kept(torch.amp.GradScaler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            scalers.append(self)

    monkeypatch.setattr(torch.amp, "GradScaler", Kept)
    model, tokenizer = bench.adapted(tiny, torch.float16)
    config = plain_config(dtype=torch.float16, max_norm=1.0)
    run = qlora.train(model, bench.updates(tokenizer, config, 48), config)
    next(run)
    (scaler,) = scalers
    scale, before, hook = scaler.get_scale(), bench.values(model), spoil(model, math.inf)
    skipped = next(run)
    hook.remove()
    assert scaler.get_scale() == scale / 2 and skipped.skipped == 1
    assert bench.apart(bench.values(model), before) == 0
    rest = list(run)
    assert all(math.isfinite(record.loss) and record.skipped == 1 for record in rest)
    assert rest[-1].loss < rest[0].loss
    assert {parameter.dtype for parameter in bench.of_kind(model).values()} == {FP32}


def test_in_float16_the_norm_that_clips_is_that_of_the_unscaled_gradient(tiny):
    def norm(dtype):
        model, tokenizer = bench.adapted(tiny, dtype)
        config = plain_config(dtype=dtype)
        return next(qlora.train(model, bench.updates(tokenizer, config), config)).grad_norm

    assert norm(torch.float16) == pytest.approx(norm(FP32), rel=0.02)


# The generator


def test_nothing_is_computed_until_a_record_is_asked_for(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config()
    before = bench.values(model)
    run = qlora.train(model, bench.updates(tokenizer, config), config)
    assert bench.apart(bench.values(model), before) == 0
    first = next(run)
    assert first.step == 1 and bench.apart(bench.values(model), before) > 0


def test_a_run_that_is_closed_early_leaves_a_model_to_use(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config(evaluate_every=1)
    batches, held_out = bench.updates(tokenizer, config), [bench.random_batch(9)]
    run = qlora.train(model, batches, config, held_out=held_out)
    held_out_loss = [next(run), next(run)][-1].held_out_loss
    run.close()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert qlora.evaluate(model, held_out, FP32) == held_out_loss
    assert len(bench.losses(model, batches, config)) == len(batches)


def test_evaluations_come_when_asked_for(tiny):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config(evaluate_every=3)
    run = qlora.train(model, bench.updates(tokenizer, config)[:7], config, held_out=[bench.random_batch(9)])
    assert [record.step for record in run if record.held_out_loss is not None] == [3, 6]


def test_the_loop_is_short_enough_to_read():
    assert len(inspect.getsource(qlora.train).splitlines()) <= 100


@pytest.mark.parametrize(
    ("changes", "say"),
    [({"optimizer": "lion"}, "adamw8bit"), ({"checkpoint_every": 5}, "folder")],
)
def test_settings_that_cannot_be_are_refused(tiny, changes, say):
    model, tokenizer = bench.adapted(tiny)
    config = plain_config(**changes)
    with pytest.raises(qlora.SetupError, match=say):
        next(qlora.train(model, bench.updates(tokenizer, config), config))
