"""Answers to verdict whose worth is known, for `autograde audit`."""

import math
import statistics

import numpy as np
import torch

from autograde.audit import right, wrong
from course.lab import experiments
from course.lab.experiments import interval, t95


@right("week2.verdict")
def by_the_lab_s_interval(a, b, margin=0.03):
    a, b, sizes = [x for x in a if x is not None], [x for x in b if x is not None], (len(a), len(b))
    lost = {name for name, arm, n in zip("AB", (a, b), sizes, strict=True) if len(arm) <= n / 2}
    if lost:
        return {("A",): "B", ("B",): "A"}.get(tuple(sorted(lost)), "unresolved")
    low, high = interval(a, b)
    if low > 0:
        return "B"
    if high < 0:
        return "A"
    return "same" if low >= -margin and high <= margin else "unresolved"


@right("week2.verdict")
def by_the_lab_s_rule(a, b, margin=0.03):
    return sorted(experiments.admitted(a, b, margin))[0]


@right("week2.verdict")
def same_comes_first(a, b, margin=0.03):
    """Where an interval is clear of 0 and within the margin, either word is right."""
    found = experiments.admitted(a, b, margin)
    return "same" if "same" in found else found.pop()


@right("week2.verdict")
def with_numpy(a, b, margin=0.03):
    x, y = (np.array([np.nan if v is None else v for v in arm]) for arm in (a, b))
    lost = [np.isnan(arm).mean() >= 0.5 for arm in (x, y)]
    if lost[0] != lost[1]:
        return "BA"[lost.index(True)]
    if all(lost):
        return "unresolved"
    e = np.array([np.nanvar(arm, ddof=1) / np.isfinite(arm).sum() for arm in (x, y)])
    df = e.sum() ** 2 / (e**2 / [np.isfinite(x).sum() - 1, np.isfinite(y).sum() - 1]).sum()
    d, r = np.nanmean(x) - np.nanmean(y), t95(float(df)) * np.sqrt(e.sum())
    if d - r > 0 or d + r < 0:
        return "B" if d > 0 else "A"
    return "same" if max(abs(d - r), abs(d + r)) <= margin else "unresolved"


@right("week2.verdict")
def with_torch(a, b, margin=0.03):
    def summary(arm):
        kept = torch.tensor([x for x in arm if x is not None], dtype=torch.float64)
        return kept.mean(), kept.var() / max(len(kept), 1), len(kept) - 1, 2 * len(kept) <= len(arm)

    (mean_a, ea, na, lost_a), (mean_b, eb, nb, lost_b) = summary(a), summary(b)
    match (lost_a, lost_b):
        case (True, True):
            return "unresolved"
        case (True, False):
            return "B"
        case (False, True):
            return "A"
    reach = t95(((ea + eb) ** 2 / (ea**2 / na + eb**2 / nb)).item()) * (ea + eb).sqrt()
    difference = mean_a - mean_b
    if difference.abs() > reach:
        return ["A", "B"][int(difference > 0)]
    return ["unresolved", "same"][int(difference.abs() + reach <= margin)]


class _Arm:
    def __init__(self, losses):
        self.kept = list(filter(lambda x: x is not None, losses))
        self.lost = len(losses) - len(self.kept) >= len(self.kept)

    @property
    def mean(self):
        return statistics.fmean(self.kept)

    @property
    def error(self):
        return statistics.stdev(self.kept) ** 2 / len(self.kept)


@right("week2.verdict")
def by_arms_as_objects(a, b, margin=0.03):
    one, two = _Arm(a), _Arm(b)
    if one.lost or two.lost:
        return "unresolved" if one.lost is two.lost else "B" if one.lost else "A"
    total = one.error + two.error
    freedom = total**2 / sum(arm.error**2 / (len(arm.kept) - 1) for arm in (one, two))
    half = math.sqrt(total) * t95(freedom)
    low, high = one.mean - two.mean - half, one.mean - two.mean + half
    return "B" if low > 0 else "A" if high < 0 else "same" if -margin <= low < high <= margin else "unresolved"


@wrong("week2.verdict", "the winner has the higher loss")
def a_difference_the_other_way_round(a, b, margin=0.03):
    word = sorted(experiments.admitted(a, b, margin))[0]
    lost = min(sum(x is not None for x in arm) * 2 - len(arm) for arm in (a, b)) <= 0
    return word if lost else {"A": "B", "B": "A"}.get(word, word)


@wrong("week2.verdict")
def intervals_of_each_arm_that_do_not_overlap(a, b, margin=0.03):
    a, b = ([x for x in arm if x is not None] for arm in (a, b))
    ends = []
    for arm in (a, b):
        if len(arm) < 2:
            return "unresolved"
        reach = t95(len(arm) - 1) * statistics.stdev(arm) / math.sqrt(len(arm))
        ends.append((statistics.mean(arm) - reach, statistics.mean(arm) + reach))
    (low_a, high_a), (low_b, high_b) = ends
    if high_a < low_b:
        return "A"
    return "B" if high_b < low_a else "same"


@wrong("week2.verdict")
def the_best_run_wins(a, b, margin=0.03):
    best = [min((x for x in arm if x is not None), default=math.inf) for arm in (a, b)]
    return "same" if abs(best[0] - best[1]) <= margin else "A" if best[0] < best[1] else "B"


@wrong("week2.verdict")
def a_larger_sample_s_margin_of_two_sigmas(a, b, margin=0.03):
    a, b = ([x for x in arm if x is not None] for arm in (a, b))
    if min(len(a), len(b)) < 2:
        return "unresolved"
    d = statistics.mean(a) - statistics.mean(b)
    return ("B" if d > 0 else "A") if abs(d) > 2 * statistics.stdev(a + b) else "same"


@wrong("week2.verdict", "means within the margin")
def rounds_both_means(a, b, margin=0.03):
    def lost(arm):
        return 2 * sum(x is not None for x in arm) <= len(arm)

    if lost(a) or lost(b):
        return "unresolved" if lost(a) and lost(b) else "B" if lost(a) else "A"
    mean_a, mean_b = (statistics.mean([x for x in arm if x is not None]) for arm in (a, b))
    if mean_a > mean_b + margin:
        return "B"
    return "A" if mean_b > mean_a + margin else "same"
