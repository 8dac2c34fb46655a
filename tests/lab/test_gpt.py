"""The model starts at ln V, looks only backwards, ignores padding and draws from its own generator."""

import math

import pytest
import torch

from course.lab import text, training
from course.lab.gpt import GPT, GPTConfig, rotary, rotate


def model(seed=0, **config):
    return GPT(GPTConfig(zero_head=False, **config), torch.Generator().manual_seed(seed))


def awake(seed=0, **config):
    """A model whose residual branches do something: fresh ones write zero."""
    one = model(seed, **config)
    generator = torch.Generator().manual_seed(seed + 1)
    for weight in one.parameters():
        weight.data.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return one.eval()


def ids(rows, length, seed=0):
    return torch.randint(259, (rows, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("vocab_size", [119, 259])
def test_a_zero_head_starts_at_ln_v(vocab_size):
    fresh = GPT(GPTConfig(vocab_size=vocab_size))
    batch = text.batch(ids(4, 64) % vocab_size)
    assert training.loss(fresh, batch).item() == pytest.approx(math.log(vocab_size), abs=1e-3)


def test_it_has_30_thousand_parameters():
    assert 29_000 < sum(p.numel() for p in GPT().parameters()) < 31_000


@pytest.mark.parametrize("layers", [1, 3])
def test_a_later_token_never_changes_an_earlier_logit(layers):
    one, x = awake(layers=layers), ids(2, 20)
    before = one(x).logits
    for t in (1, 7, 19):
        changed = x.clone()
        changed[:, t] = (changed[:, t] + 1) % 259
        after = one(changed).logits
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.allclose(before[:, t], after[:, t])


def test_it_does_look_backwards():
    one, x = awake(), ids(1, 20)
    changed = x.clone()
    changed[:, 3] = (changed[:, 3] + 1) % 259
    assert not torch.allclose(one(x).logits[:, -1], one(changed).logits[:, -1])


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_real_token_and_makes_no_nan(side):
    one, x = awake(layers=2), ids(1, 12)
    padding = torch.full((1, 5), text.PAD)
    padded = torch.cat([padding, x] if side == "left" else [x, padding], 1)
    mask = (padded != text.PAD).long()
    logits = one(padded, attention_mask=mask).logits
    assert logits.isfinite().all()
    real = logits[:, 5:] if side == "left" else logits[:, :12]
    assert torch.allclose(real, one(x).logits, atol=1e-4)  # rotary positions are relative


def test_a_mask_of_ones_is_no_mask():
    one, x = awake(), ids(2, 9)
    assert torch.equal(one(x).logits, one(x, attention_mask=torch.ones_like(x)).logits)


def test_rotation_depends_on_distance_alone_and_keeps_lengths():
    cos, sin = (table.double() for table in rotary(32, 8))
    q, k = torch.randn(2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    score = [(rotate(q, cos[t + 5], sin[t + 5]) @ rotate(k, cos[t], sin[t])).item() for t in (0, 11, 26)]
    assert score == pytest.approx([score[0]] * 3, abs=1e-5)
    assert rotate(q, cos[9], sin[9]).norm().item() == pytest.approx(q.norm().item(), abs=1e-5)


def test_weights_come_from_the_generator_and_the_global_one_is_left_alone():
    before = torch.get_rng_state()
    first, again, other = model(0), model(0), model(1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.embedding.weight, other.embedding.weight)
    assert all(p.isfinite().all() for p in first.parameters())


def test_an_input_that_is_too_long_is_refused_in_words():
    with pytest.raises(ValueError, match="65 tokens do not fit"):
        model()(ids(1, 65))


def test_generate_repeats_with_its_seed_and_continues_past_the_window():
    one, start = awake(), ids(2, 60)
    first, again = (one.generate(start, 10, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.shape == (2, 70) and torch.equal(first, again) and torch.equal(first[:, :60], start)


def test_top_1_is_greedy():
    one, start = awake(), ids(2, 8)
    assert torch.equal(one.generate(start, 1, top_k=1)[:, -1], one(start).logits[:, -1].argmax(-1))
