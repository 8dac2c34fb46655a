"""Slices, sharpness and the noise scale against what can be computed in another way; nothing is left moved."""

import math

import pytest
import torch

from course.lab import landscapes, training


@pytest.fixture
def model(one_thread):
    model = training.tiny_model(0, vocab_size=259, width=8, heads=1, mlp_width=12)
    draws = training.generator(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.3, generator=draws)
    return model


@pytest.fixture
def batch():
    return next(training.tiny_batches(4, seed=3, seq_len=16))


def bits(model):
    return [p.detach().clone().view(torch.int32) for p in model.parameters()]


def same(before, model):
    return all(torch.equal(b, p.detach().view(torch.int32)) for b, p in zip(before, model.parameters(), strict=True))


def test_a_direction_has_the_size_of_the_weights_filter_by_filter(model):
    direction = landscapes.filter_normalised(model, training.generator(5))
    for move, weight in zip(direction, model.parameters(), strict=True):
        if weight.ndim == 1:
            assert not move.any()
        else:
            for one, other in zip(move, weight.detach(), strict=True):
                assert one.norm() == pytest.approx(float(other.norm()), rel=1e-4)
    again = landscapes.filter_normalised(model, training.generator(5))
    assert all(torch.equal(a, b) for a, b in zip(direction, again, strict=True))
    other = landscapes.filter_normalised(model, training.generator(6))
    assert not torch.equal(direction[0], other[0])


def test_a_kernel_is_a_filter():
    model = torch.nn.Conv2d(2, 3, 2)
    move, bias = landscapes.filter_normalised(model, training.generator(0))
    assert torch.allclose(move.flatten(1).norm(dim=1), model.weight.flatten(1).norm(dim=1))
    assert not bias.any()


def test_slices_agree_with_each_other_and_with_the_loss_itself(model, batch):
    def loss_fn(model):
        return training.loss(model, batch)

    before = bits(model)
    first, second = (landscapes.filter_normalised(model, training.generator(seed)) for seed in (1, 2))
    line = landscapes.slice_1d(model, loss_fn, first, [-0.5, 0.0, 0.5])
    assert line[1] == loss_fn(model).item() and line[0] != line[1] != line[2]
    plane = landscapes.slice_2d(model, loss_fn, first, second, [-0.5, 0.0, 0.5], [0.0, 0.25])
    assert plane.shape == (2, 3) and plane[0].tolist() == pytest.approx(line, rel=1e-6)
    across = landscapes.slice_1d(model, loss_fn, second, [0.25])
    assert float(plane[1, 1]) == pytest.approx(across[0], rel=1e-6)
    assert same(before, model) and all(p.grad is None for p in model.parameters())


def test_weights_are_restored_after_an_error(model):
    before, calls = bits(model), []

    def loss_fn(model):
        calls.append(1)
        if len(calls) == 2:
            raise ArithmeticError("stop")
        return 0.0

    with pytest.raises(ArithmeticError, match="stop"):
        landscapes.slice_1d(model, loss_fn, landscapes.filter_normalised(model), [1.0, 2.0, 3.0])
    assert len(calls) == 2 and same(before, model)


def test_the_fast_attention_has_no_second_derivative_and_ours_has(model, batch):
    params = list(model.parameters())
    vector = torch.ones(sum(p.numel() for p in params))
    product = landscapes.hessian_times(lambda: training.loss(model, batch), params, vector)
    assert product.shape == vector.shape and product.isfinite().all() and not product.requires_grad
    with torch.no_grad():  # by the change of the gradient along the vector
        ends = []
        for step in (1e-3, -1e-3):
            with landscapes.restored(model) as start, torch.enable_grad():
                for p, s in zip(params, start, strict=True):
                    p.data = s + step
                gradient = torch.autograd.grad(training.loss(model, batch), params)
            ends.append(torch.cat([g.flatten() for g in gradient]))
    difference = (ends[0] - ends[1]) / 2e-3
    assert float((product - difference).norm() / product.norm()) < 0.02


def bowl(eigenvalues):
    turn, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=training.generator(7)))
    matrix = turn @ torch.tensor(eigenvalues).diag() @ turn.T
    params = [torch.zeros(2, requires_grad=True), torch.ones(len(eigenvalues) - 2, requires_grad=True)]

    def loss_fn():
        flat = torch.cat(params)
        return flat @ matrix @ flat / 2

    return loss_fn, params, matrix


@pytest.mark.parametrize(
    ("eigenvalues", "largest", "modulus"),
    [([-5.0, 3.0, 1.0, 0.5], 3.0, 5.0), ([4.0, -2.0, 1.0], 4.0, 4.0), ([-5.0, -2.0, -1.0], -1.0, 5.0)],
)
def test_sharpness_is_the_largest_signed_eigenvalue(eigenvalues, largest, modulus):
    loss_fn, params, matrix = bowl(eigenvalues)
    found = landscapes.sharpness(loss_fn, params, 60, training.generator(8))
    assert found.value == pytest.approx(largest, rel=1e-3) and found.modulus == pytest.approx(modulus, rel=1e-3)
    assert torch.allclose(matrix @ found.direction, found.value * found.direction, atol=2e-2)


def test_a_plane_has_no_sharpness():
    params = [torch.ones(3, requires_grad=True)]
    assert landscapes.sharpness(lambda: params[0].sum(), params, 3).value == 0.0


def test_gradient_descent_is_stable_below_two_over_the_sharpness():
    loss_fn, params, _ = bowl([6.0, 2.0, 1.0])
    edge = 2 / landscapes.sharpness(loss_fn, params, 60, training.generator(9)).value
    ends = {}
    for factor in (0.95, 1.05):
        with torch.no_grad():
            for p in params:
                p.fill_(1.0)
        for _ in range(300):
            for p, g in zip(params, torch.autograd.grad(loss_fn(), params), strict=True):
                p.data -= factor * edge * g
        ends[factor] = float(torch.cat(params).detach().norm())
    assert ends[0.95] < 0.1 and ends[1.05] > 1e6


class Rows(torch.nn.Module):
    """A loss whose gradient is the mean of the rows themselves."""

    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(width))


def test_the_noise_scale_of_known_signal_and_noise():
    width, draws = 20, training.generator(4)

    def batches():
        while True:
            yield {"input_ids": torch.randn(64, width, generator=draws) + 1.0}

    found = landscapes.noise_scale(
        Rows(width), batches(), small=4, draws=60, loss=lambda m, b: (b["input_ids"] @ m.weight).mean()
    )
    assert found.signal == pytest.approx(width, rel=0.1) and found.noise == pytest.approx(width, rel=0.15)
    assert found.scale == pytest.approx(1.0, rel=0.2) and len(found.small) == len(found.big) == 60


def test_the_noise_scale_leaves_a_model_as_it_was_and_says_what_is_missing(model):
    before = bits(model)
    found = landscapes.noise_scale(model, training.tiny_batches(8, seq_len=16), small=2, draws=3)
    assert found.noise > 0 and (found.scale > 0 or math.isnan(found.scale))
    assert same(before, model) and all(p.grad is None for p in model.parameters())
    with pytest.raises(ValueError, match="no part of 8 rows"):
        landscapes.noise_scale(model, training.tiny_batches(8), small=8)
    with pytest.raises(ValueError, match="1 batches, 4 are needed"):
        landscapes.noise_scale(model, [next(training.tiny_batches(8))], small=2, draws=4)


def test_a_frozen_parameter_has_no_part_in_the_noise(model):
    whole = landscapes.noise_scale(model, training.tiny_batches(8, seq_len=16), small=2, draws=2)
    model.embedding.weight.requires_grad_(False)
    part = landscapes.noise_scale(model, training.tiny_batches(8, seq_len=16), small=2, draws=2)
    assert 0 < sum(part.big) < sum(whole.big)
