"""What every experiment with a verdict is graded by: the lab report that the answer returns, on the learner's own runs.

One run of each arm, drawn by the seed, is made again here from the report's settings and name: runs that never
happened are noticed. No code of the learner's takes part in that.
"""

import functools
import json
import math
from statistics import stdev

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer
from course.lab import experiments

ARMS, RUNS, PREDICTION = "one factor varied", "the verdict follows from your own runs", "a prediction beforehand"
_FINE = {
    ARMS: {"arms": "differ in the factor alone"},
    RUNS: {
        "runs": "eight in each arm",
        "A, one run again": "as reported",
        "B, one run again": "as reported",
        "verdict": "follows",
    },
    PREDICTION: {"prediction": "there"},
}


def experiment_exercise(experiment, report: dict, confounded: dict, seconds: float, **words) -> Exercise:
    """The exercise of an experiment.

    report: a right lab report, of real runs; the known mistakes are made from it. confounded: one of real runs too,
    whose arms differ in two settings. seconds: what the repeated runs cost on a laptop. words: title, points, minutes
    and why.
    """

    @functools.lru_cache(maxsize=1024)
    def run(settings, seed):
        return experiments.rounded(experiment.run(json.loads(settings), seed))

    def observe(inputs, seen):
        return _observed(experiment, run, inputs, seen)

    return Exercise(
        id=experiment.id,
        oracle=f"two of your own runs, made again in about {seconds:g} s",
        cases=_cases,
        probe=_report,
        observe=observe,
        expected=lambda inputs: _FINE[inputs["part"]],
        misconceptions=tuple(_misconceptions(experiment, report, confounded)),
        is_report=True,
        **words,
    )


def _cases(rng):
    number = integer(rng, 0, experiments.SEEDS - 1)
    yield Case(ARMS, {"part": ARMS}, weight=4)
    yield Case(RUNS, {"part": RUNS, "run": number}, weight=4)
    yield Case(PREDICTION, {"part": PREDICTION}, weight=2, edge=True)


def _report(target, inputs):
    return target()


def _observed(experiment, run, inputs, report):
    """What one part of a report is like, in words: those of _FINE where nothing is wrong with it."""
    if not isinstance(report, dict):
        return report
    if inputs["part"] == PREDICTION:
        there = report.get("prediction") in experiments.WORDS
        return {"prediction": "there" if there else f"none of {', '.join(experiments.WORDS)}"}
    losses = {name: _losses(report.get(f"losses {name}")) for name in "AB"}
    if inputs["part"] == ARMS:
        ran = None not in losses.values()  # without a run there is no experiment, and no point for its arms
        return {"arms": _arms(experiment, report.get("A"), report.get("B")) if ran else "were not run"}
    if None in losses.values():
        return _FINE[RUNS] | {"runs": f"not {experiments.SEEDS} losses in each arm, None where one diverged"}
    follows = report.get("verdict") in experiments.admitted(*losses.values(), near=experiments.NEAR)
    return _FINE[RUNS] | {
        **{f"{arm}, one run again": _again(experiment, run, inputs["run"], report, arm, losses[arm]) for arm in "AB"},
        "verdict": "follows" if follows else "does not follow from these losses",
    }


def _arms(experiment, a, b):
    if experiment.faults_of(a) or experiment.faults_of(b):
        return "not written with the settings of this experiment"
    differ = [name for name in experiment.choices if a[name] != b[name]]
    if differ == [experiment.factor]:
        return "differ in the factor alone"
    return "differ in more than the factor, or in something else" if differ else "are alike"


def _losses(arm):
    """Eight numbers as floats, None where a run diverged; None in place of all where they are no such thing."""
    arm = arm.tolist() if isinstance(arm, torch.Tensor) else arm
    if not isinstance(arm, list) or len(arm) != experiments.SEEDS:
        return None
    arm = [loss.item() if isinstance(loss, torch.Tensor) and loss.numel() == 1 else loss for loss in arm]
    arm = [None if isinstance(loss, float) and not math.isfinite(loss) else loss for loss in arm]
    numbers = all(loss is None or isinstance(loss, float) and 0 <= loss < 1e6 for loss in arm)
    return arm if numbers else None


def _again(experiment, run, number, report, name, losses):
    """One run made again, which agrees within .02 nats or three standard deviations of its arm: machines round
    differently, and in an arm of which some runs diverged any of them may.
    """
    learner, settings = report.get("learner"), report.get(name)
    if not isinstance(learner, str) or len(learner) > 200 or experiment.faults_of(settings):
        return "cannot be run: the name or the settings are not there"
    found, said = run(json.dumps(settings), experiments.seeds(learner, experiment.id)[number]), losses[number]
    finite = [loss for loss in losses if loss is not None]
    if found is None or said is None:
        return "as reported" if found is said or 0 < len(finite) < len(losses) else "another loss than reported"
    allowed = max(0.02, 3 * stdev(finite) if len(finite) > 1 else 0.0)
    return "as reported" if abs(found - said) <= allowed else "another loss than reported"


def _misconceptions(experiment, report, confounded):
    """The known mistakes, made from right reports by changing what they say."""

    def mistaken(name, hint, **changes):
        changes = {key.replace("_", " "): value for key, value in changes.items()}
        return Misconception(name, lambda: {**report, **changes}, hint)

    a, losses, n = report["A"], report["losses A"], experiments.SEEDS
    yield Misconception(
        "two factors varied",
        lambda: confounded,
        f"Your arms differ in more than {experiment.factor}. If they end differently, which of the two did it?",
    )
    yield mistaken(
        "nothing varied",
        "Both arms have the same settings: whatever you find between them is chance.",
        B=a,
        losses_B=losses,
        verdict=_allowed(losses, losses)[0],
    )
    yield mistaken(
        "settings left out",
        f"Write every setting of each arm, as the run printed it: {', '.join(experiment.choices)}. Only then can "
        "somebody repeat your run.",
        A={experiment.factor: a[experiment.factor]},
        B={experiment.factor: report["B"][experiment.factor]},
    )
    yield mistaken(
        "a verdict against the losses",
        "Your losses do not say that. What does your `verdict` say of them: where does the interval lie, where are 0 "
        "and the margin?",
        verdict=next(word for word in experiments.WORDS if word not in _allowed(losses, report["losses B"])),
    )
    yield mistaken(
        "too few runs",
        f"{n} runs of each arm belong into the report, those of all your seeds.",
        losses_A=losses[: n // 2],
        losses_B=report["losses B"][: n // 2],
    )
    yield mistaken(
        "runs that did not happen",
        "One of your runs, made again with these settings and your seed, ends elsewhere. Are these the losses that "
        "were printed, in that order, under the name with which they were run?",
        losses_A=[1.0 + i / 1000 for i in range(n)],
        losses_B=[1.5 + i / 1000 for i in range(n)],
        verdict="A",
    )
    yield mistaken(
        "no prediction",
        "A prediction is missing. Right or wrong does not count, having written it before the run does.",
        prediction=None,
    )


def _allowed(a, b):
    return sorted(experiments.admitted(a, b, near=experiments.NEAR))
