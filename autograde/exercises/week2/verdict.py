"""week2.verdict: which of two groups of runs is better?"""

import math
from statistics import fmean, pvariance, variance

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import uniform
from course.lab import experiments

MARGIN = experiments.MARGIN


def _arm(rng, n, mean, sd):
    """`n` losses with exactly this mean and standard deviation (with n - 1), in a random order."""
    draws = torch.randn(n, generator=rng, dtype=torch.float64)
    return [round(float(x), 6) for x in mean + sd * (draws - draws.mean()) / draws.std()]


def _pair(rng, errors, n=8, sd=0.03, other=None):
    """Two arms whose means lie `errors` standard errors apart, a above b; `other`: (n, sd) of b where it differs."""
    m, sd_b = other or (n, sd)
    b = uniform(rng, 2.0, 3.0)
    apart = errors * math.sqrt(sd**2 / n + sd_b**2 / m)
    return {"a": _arm(rng, n, b + apart, sd), "b": _arm(rng, m, b, sd_b)}


def _verdict_cases(rng):
    yield Case("B is lower by far", _pair(rng, 9.0))
    yield Case("A is lower by far", _pair(rng, -9.0))
    yield Case("nothing to tell apart, measured sharply", _pair(rng, 0.4, sd=0.004))
    yield Case("nothing to tell apart, runs that scatter", _pair(rng, 0.1, sd=0.2))
    yield Case("clear, though the runs overlap", _pair(rng, 4.0, sd=0.06))
    yield Case("four runs an arm, hardly clear of zero", _pair(rng, -2.9, n=4, sd=0.05))
    yield Case("four runs an arm, not clear of zero", _pair(rng, 2.25, n=4, sd=0.05))
    yield Case("few runs that scatter, many that don't", _pair(rng, 2.35, n=16, sd=0.01, other=(4, 0.09)))
    yield Case("many runs that scatter, few that don't", _pair(rng, -2.6, n=16, sd=0.2, other=(4, 0.01)))
    yield Case("the interval leaves the margin by a little", _pair(rng, 0.5, sd=0.028))
    yield Case("a wider margin", {**_pair(rng, 0.5, sd=0.028), "margin": 0.2})
    yield Case("no margin at all", {**_pair(rng, 0.3, sd=0.01), "margin": 0.0})
    yield Case("three runs an arm, not clear of zero", _pair(rng, 2.68, n=3, sd=0.05))
    yield Case("three runs an arm, clear of zero", _pair(rng, 3.0, n=3, sd=0.05))
    yield Case("three runs an arm, one scatters more", _pair(rng, 3.1, n=3, sd=0.05, other=(3, 0.03)))
    lost = _pair(rng, -5.0, sd=0.03)
    yield Case("two runs of A diverged", {**lost, "a": [None, *lost["a"][:6], None]})
    lost = _pair(rng, 6.0, sd=0.03)
    yield Case("half of B diverged", {**lost, "b": [*lost["b"][:4], *[None] * 4]})
    lost = _pair(rng, -6.0, sd=0.03)
    yield Case("half of A diverged", {**lost, "a": [*[None] * 4, *lost["a"][:4]]})
    yield Case("all of A diverged", {**lost, "a": [None] * 8})
    lost = _pair(rng, -6.0, sd=0.03)
    lost = {"a": [*lost["a"][:3], *[None] * 5], "b": [*lost["b"][:4], *[None] * 4]}
    yield Case("most of both diverged", lost)
    nobody = {"a": [None] * 8, "b": [None] * 8}
    yield Case("nobody came to the end", nobody, edge=True)


def _accepts(inputs, got):
    allowed = experiments.admitted(inputs["a"], inputs["b"], inputs.get("margin", MARGIN), near=1e-6)
    return None if isinstance(got, str) and got in allowed else f"returned {got!r}, expected {sorted(allowed)[0]!r}"


def _deciding(reach=None, lost=lambda arm, kept: 2 * len(kept) <= len(arm), rule=None, fill=None):
    """The rule with its choices open.

    reach(a, b): half the width of the interval. rule(difference, reach, margin) → word. lost(arm, finite losses):
    whether an arm has diverged. fill: what stands for a diverged run, None where it is left out.
    """
    reach, rule = reach or _welch, rule or _rule

    def verdict(a, b, margin=MARGIN):
        kept = [[x if x is not None else fill for x in arm if x is not None or fill is not None] for arm in (a, b)]
        gone = [lost(arm, finite) for arm, finite in zip((a, b), kept, strict=True)]
        if any(gone):
            return "unresolved" if all(gone) else "B" if gone[0] else "A"
        return rule(fmean(kept[0]) - fmean(kept[1]), reach(*kept), margin)

    return verdict


def _welch(a, b):
    low, high = experiments.interval(a, b)
    return (high - low) / 2


def _of(spread, times):
    """Half a width from a spread of both arms and the number that it is multiplied by."""
    return lambda a, b: times(a, b) * spread(a, b)


def _t(a, b):
    parts = [variance(arm) / len(arm) for arm in (a, b)]
    total = sum(part**2 / (len(arm) - 1) for part, arm in zip(parts, (a, b), strict=True))
    return experiments.t95(sum(parts) ** 2 / total if total else 1.0)


def _error(a, b, spread=variance):
    return math.sqrt(spread(a) / len(a) + spread(b) / len(b))


def _pooled(a, b):
    shared = ((len(a) - 1) * variance(a) + (len(b) - 1) * variance(b)) / (len(a) + len(b) - 2)
    return math.sqrt(shared * (1 / len(a) + 1 / len(b)))


def _rule(difference, reach, margin):
    if abs(difference) > reach:
        return "B" if difference > 0 else "A"
    return "same" if abs(difference) + reach <= margin else "unresolved"


def _higher_is_better(difference, reach, margin):
    return _rule(-difference, reach, margin)


def _mean_alone(difference, reach, margin):
    return "same" if abs(difference) <= margin else "B" if difference > 0 else "A"


def _lower_mean(difference, reach, margin):
    return "B" if difference > 0 else "A"


def _not_significant_is_same(difference, reach, margin):
    return "same" if abs(difference) <= reach else "B" if difference > 0 else "A"


def _mean_within_the_margin(difference, reach, margin):
    if abs(difference) > reach:
        return "B" if difference > 0 else "A"
    return "same" if abs(difference) <= margin else "unresolved"


VERDICT = Exercise(
    id="week2.verdict",
    title="What do two groups of runs say?",
    points=3,
    minutes=25,
    why="Most claims about training rest on one run each. Eight runs an arm and a rule fixed beforehand seldom err.",
    oracle="Welch's interval with Student's t, by numerical integration",
    cases=_verdict_cases,
    accepts=_accepts,
    misconceptions=(
        Misconception(
            "the lower mean wins",
            _deciding(rule=_lower_mean),
            "You always name a winner. Two groups of runs of the very same settings have different means too: by how "
            "much, and what does the interval say about it?",
        ),
        Misconception(
            "means within the margin",
            _deciding(rule=_mean_alone),
            "You compare the difference of the means with the margin. How sure is that difference? Runs that scatter "
            "widely can have equal means by luck.",
        ),
        Misconception(
            "the winner has the higher loss",
            _deciding(rule=_higher_is_better),
            "These are losses: the arm with the lower mean is the better one. What does a difference above 0 say?",
        ),
        Misconception(
            "not significant taken for equal",
            _deciding(rule=_not_significant_is_same),
            "Where the interval holds 0, you say “same”. It may also hold differences that matter a lot: that nothing "
            "was found does not mean that nothing is there.",
        ),
        Misconception(
            "the mean within the margin taken for equal",
            _deciding(rule=_mean_within_the_margin),
            "You say “same” where the difference itself is within the margin. The whole interval has to be.",
        ),
        Misconception(
            "1.96 for any number of runs",
            _deciding(reach=_of(_error, lambda a, b: 1.96)),
            "1.96 standard errors hold for very many runs. With few, the standard error itself is uncertain: what does "
            "`t95` need to know?",
        ),
        Misconception(
            "variance divided by n",
            _deciding(reach=_of(lambda a, b: _error(a, b, pvariance), _t)),
            "Your intervals are a little too narrow: the variance of a sample divides by the number of runs less one.",
        ),
        Misconception(
            "standard deviation for standard error",
            _deciding(reach=_of(lambda a, b: math.sqrt(variance(a) + variance(b)), _t)),
            "Your intervals are as wide as the scatter of single runs. The mean of eight runs is known better than one "
            "run.",
        ),
        Misconception(
            "one variance for both arms",
            _deciding(reach=_of(_pooled, lambda a, b: experiments.t95(len(a) + len(b) - 2))),
            "You pool the variances of both arms. Where the arm with few runs scatters more than the other, the pooled "
            "one is much too small: Welch keeps them apart.",
        ),
        Misconception(
            "a diverged run left out",
            _deciding(lost=lambda arm, kept: len(kept) < 2),
            "You leave the diverged runs out and judge by the lucky ones. An arm that loses half of its runs has told "
            "you something already.",
        ),
        Misconception(
            "one diverged run condemns an arm",
            _deciding(lost=lambda arm, kept: len(kept) < len(arm)),
            "One diverged run does not decide alone. From which share on does the docstring count an arm as lost?",
        ),
        Misconception(
            "a diverged run averaged",
            _deciding(fill=10.0),
            "You put a large number in the place of a diverged run and average it: the result then depends on the "
            "number that you chose.",
        ),
    ),
)
