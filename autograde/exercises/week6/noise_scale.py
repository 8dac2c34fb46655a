"""week6.noise_scale: how many examples it takes until the gradient's signal is as large as its noise."""

import math

import numpy as np
import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform


def _noise_cases(rng):
    def case(name, small, big, sizes, edge=False):
        inputs = {"grad_sq_small": small, "grad_sq_big": big, "b_small": sizes[0], "b_big": sizes[1]}
        return Case(name, inputs, edge=edge)

    def measured(signal, noise, sizes, draws, width):
        """Squared norms of mean gradients that are drawn from their own distribution, in `width` dimensions."""
        lists = []
        for size in sizes:
            gradient = torch.randn(draws, width, generator=rng) * math.sqrt(noise / size / width)
            gradient[:, 0] += math.sqrt(signal)
            lists.append([float(f"{x:.5g}") for x in gradient.square().sum(1).tolist()])
        return lists

    small, big = integer(rng, 2, 6), integer(rng, 40, 90)
    signal, noise = uniform(rng, 1, 2), uniform(rng, 5, 20)
    yield case("one draw each", *measured(signal, noise, (small, big), 1, 200), (small, big))
    sizes = integer(rng, 1, 3), integer(rng, 20, 30)
    yield case("a dozen draws", *measured(uniform(rng, 0.5, 1), noise, sizes, 12, 100), sizes)
    sizes = integer(rng, 6, 9), integer(rng, 11, 14)
    yield case("batch sizes close together", *measured(uniform(rng, 5, 8), noise, sizes, 10, 200), sizes)
    # Draws in which the signal of one pair is next to nothing, or below 0: averages of ratios are far off.
    sizes = 4, integer(rng, 32, 38)
    pairs = [(uniform(rng, 3, 4), uniform(rng, 1, 1.5)) for _ in range(4)] + [(uniform(rng, 9, 10), 0.9)]
    yield case("in one draw the big batch sees hardly any signal", *map(list, zip(*pairs, strict=True)), sizes)
    small_first = [uniform(rng, 4, 6), uniform(rng, 0.5, 0.7)]
    yield case("draws of different sizes", small_first, [uniform(rng, 0.8, 0.9), uniform(rng, 1.9, 2.5)], (8, 64))
    sizes = integer(rng, 16, 32), integer(rng, 1000, 4000)
    tiny = [float(f"{1e-6 * uniform(rng, 5, 6):.4g}") for _ in range(3)]
    yield case("late in training: tiny gradients", tiny, [float(f"{x / 9:.4g}") for x in tiny], sizes)
    yield case("a negative S", [uniform(rng, 1, 2)] * 2, [uniform(rng, 2.2, 3), uniform(rng, 2.2, 3)], (2, 5))
    lists = [uniform(rng, 9, 12), uniform(rng, 8, 9)], [uniform(rng, 0.3, 0.5), uniform(rng, 0.2, 0.3)]
    yield case("all noise: the signal comes out below 0", *lists, (2, 16), edge=True)
    yield case("a signal of exactly 0", [2.0, 6.0], [1.0, 3.0], (1, 2), edge=True)
    yield case("a signal of 0 and no noise", [0.0, 0.0], [0.0, 0.0], (4, 32), edge=True)


def _expected(inputs):
    """Two equations, [[1, 1/b]] @ (|G|², S) = mean squared norm, by numpy's solver."""
    small, big = np.mean(inputs["grad_sq_small"]), np.mean(inputs["grad_sq_big"])
    signal, noise = np.linalg.solve([[1, 1 / inputs["b_small"]], [1, 1 / inputs["b_big"]]], [small, big])
    return float(noise / signal) if signal > 1e-12 * big else math.nan


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _mean(values):
    return sum(values) / len(values)


def _signal(small, big, b_small, b_big):
    return (b_big * big - b_small * small) / (b_big - b_small)


def _noise(small, big, b_small, b_big):
    return (small - big) / (1 / b_small - 1 / b_big)


def _ratio(noise, signal):
    return noise / signal if signal > 0 else math.nan


def _from_means(noise=_noise, signal=_signal, ratio=_ratio):
    """An answer that averages first; some of its parts replaced."""

    def noise_scale(grad_sq_small, grad_sq_big, b_small, b_big):
        means = _mean(grad_sq_small), _mean(grad_sq_big), b_small, b_big
        return ratio(noise(*means), signal(*means))

    return noise_scale


def _mean_of_ratios(kept):
    def noise_scale(grad_sq_small, grad_sq_big, b_small, b_big):
        ratios = []
        for small, big in zip(grad_sq_small, grad_sq_big, strict=True):
            signal = _signal(small, big, b_small, b_big)
            if kept(signal):
                ratios.append(_noise(small, big, b_small, b_big) / signal)
        return _mean(ratios) if ratios else math.nan

    return noise_scale


def _ratio_of_roots(grad_sq_small, grad_sq_big, b_small, b_big):
    means = [_mean([math.sqrt(x) for x in draws]) ** 2 for draws in (grad_sq_small, grad_sq_big)]
    return _ratio(_noise(*means, b_small, b_big), _signal(*means, b_small, b_big))


def _median(grad_sq_small, grad_sq_big, b_small, b_big):
    means = [sorted(draws)[len(draws) // 2] for draws in (grad_sq_small, grad_sq_big)]
    return _ratio(_noise(*means, b_small, b_big), _signal(*means, b_small, b_big))


def _first_draw(grad_sq_small, grad_sq_big, b_small, b_big):
    means = grad_sq_small[0], grad_sq_big[0], b_small, b_big
    return _ratio(_noise(*means), _signal(*means))


def _nan_to(value):
    return lambda noise, signal: noise / signal if signal > 0 else value


NOISE_SCALE = Exercise(
    id="week6.noise_scale",
    title="The gradient noise scale",
    points=2,
    minutes=12,
    why="Below it, twice the batch saves nearly half of the steps; far above it, twice the batch is twice the bill.",
    oracle="the two equations of McCandlish et al. 2018, appendix A, solved by numpy.linalg.solve",
    cases=_noise_cases,
    expected=_expected,
    tolerance=Tolerance(rtol=1e-4, atol=1e-9),
    misconceptions=(
        *(
            Misconception(
                "ratios averaged",
                _mean_of_ratios(kept),
                "You divide for every pair of draws and average the quotients. A draw whose signal comes out near 0 "
                "or below then decides everything. What has to be averaged before the one division?",
            )
            for kept in (lambda signal: signal > 0, lambda signal: signal != 0)
        ),
        *(
            Misconception(
                "the biased ratio",
                _from_means(signal=signal),
                "You take a measured squared norm for |G|². Even a big batch's gradient holds noise, S / b of it: its "
                "squared norm is too large on average. Solve the two equations for |G|² as well.",
            )
            for signal in (lambda small, big, b_small, b_big: big, lambda small, big, b_small, b_big: small)
        ),
        Misconception(
            "the noise of the small batch alone",
            _from_means(noise=lambda small, big, b_small, b_big: (small - big) * b_small),
            "Your S takes the big batch for free of noise. It has some too, only less: what does the difference of the "
            "two squared norms hold, written out?",
        ),
        Misconception(
            "noise of one batch, not of one example",
            _from_means(noise=lambda small, big, b_small, b_big: small - big),
            "Your S is a difference of squared norms as it stands. S belongs to one example: by what has that "
            "difference to be divided?",
        ),
        Misconception(
            "upside down",
            _from_means(ratio=lambda noise, signal: signal / noise if noise != 0 and signal > 0 else math.nan),
            "You return |G|² / S. More noise has to give a larger noise scale, and its unit is examples.",
        ),
        Misconception(
            "weights of the batch sizes swapped",
            _from_means(signal=lambda small, big, b_small, b_big: _signal(small, big, b_big, b_small)),
            "Your |G|² weighs the small batch more heavily. Multiply each equation by its own batch size, then "
            "subtract: what falls out?",
        ),
        *(
            Misconception(
                "no NaN",
                _from_means(ratio=ratio),
                "Where |G|² comes out at 0 or below, a number is no answer: the draws are too few to see the signal "
                "through the noise. What does the docstring ask for there?",
            )
            for ratio in (
                _nan_to(0.0),
                _nan_to(math.inf),
                lambda noise, signal: noise / signal if signal != 0 else math.nan,
                lambda noise, signal: noise / max(signal, 1e-12),
            )
        ),
        Misconception(
            "negative noise cut off",
            _from_means(ratio=lambda noise, signal: _ratio(max(noise, 0.0), signal)),
            "You replace a negative S by 0. It is an honest estimate from too few draws: hidden, nobody would know.",
        ),
        Misconception(
            "norms averaged, not their squares",
            _ratio_of_roots,
            "You average the norms and square afterwards. The equations hold for the mean of the *squared* norms.",
        ),
        Misconception(
            "the median",
            _median,
            "You take the median of the draws. The equations hold for means: it is the *average* squared norm "
            "that is |G|² + S / b.",
        ),
        Misconception(
            "the first draw alone",
            _first_draw,
            "You look at the first draw of each list only. One draw is noisy, which is why there are lists of them.",
        ),
    ),
)
