"""week2.diagnose: what the two curves of a run say."""

import functools
import math

import numpy as np
import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform

WORDS = ("diverged", "overfit", "underfit", "well-fit")


def _diagnose_probe(target, inputs):
    """A case is a handful of runs, of different kinds, so that no single word is right for all of them."""
    return {name: target(run["train_losses"], run["val_losses"]) for name, run in inputs.items()}


@functools.cache
def _recorded():
    """{word: [run]} of real runs on whose word three labelers agree; NaN where the file has null."""
    from course.lab import recordings

    recording, found = recordings.load("curves"), {word: [] for word in WORDS}
    for name, rows in recording.runs().items():
        train, val = ([math.nan if row[key] is None else row[key] for row in rows] for key in ("train", "val"))
        found[recording.header["config"]["labels"][name]].append({"train_losses": train, "val_losses": val})
    return found


@functools.cache
def _labels():
    return {_key(run): word for word, runs in _recorded().items() for run in runs}


def _key(run):
    return repr((run["train_losses"], run["val_losses"]))


def _smooth(losses):
    return np.convolve(losses, np.full(3, 1 / 3), "valid")


def _rule(run):
    train, val = (_smooth(run[key]) for key in ("train_losses", "val_losses"))
    if not (np.isfinite(train).all() and np.isfinite(val).all()) or train[-1] > train.min() + 0.5:
        return "diverged"
    if val[-1] > val.min() + 0.1:
        return "overfit"
    return "underfit" if train[-1] > run["train_losses"][0] / 2 else "well-fit"


def _expected(inputs):
    """The labelers' word for a recorded run, the rule's for one that was made up."""
    return {name: _labels().get(_key(run)) or _rule(run) for name, run in inputs.items()}


def _group(rng, runs):
    """Runs in any order, under names that say nothing."""
    order = torch.randperm(len(runs), generator=rng).tolist()
    return {f"run {chr(65 + k)}": runs[place] for k, place in enumerate(order)}


def _drawn(rng, runs, n=1):
    return [runs[k] for k in torch.randperm(len(runs), generator=rng)[:n].tolist()]


def _falls(run):
    """Over the last quarter, smoothed, in nats."""
    smooth = _smooth(run["train_losses"])
    return smooth[-1 - max(1, len(smooth) // 4)] - smooth[-1]


def _gap(run):
    return run["val_losses"][-1] - run["train_losses"][-1]


def _curve(rng, start, end, n, tail=()):
    """From `start` down to `end` and flat there, then `tail` above it: `n` losses and the tail."""
    fall = [end + (start - end) * 0.4**k for k in range(n)]
    return [round(x, 3) for x in [*fall[:5], *(end + uniform(rng, 0, 0.008) for _ in fall[5:])]] + [
        round(end + x, 3) for x in tail
    ]


def _made(rng, train, val, train_tail=(), val_tail=(), start=(5.557, 5.557)):
    n = integer(rng, 10, 14)
    train_start, val_start = start
    return {
        "train_losses": _curve(rng, train_start, train, n + len(val_tail), train_tail),
        "val_losses": _curve(rng, val_start, val, n + len(train_tail), val_tail),
    }


def _spoilt(run, curve, place, loss):
    """The run with one loss replaced."""
    losses = list(run[curve])
    losses[place] = round(losses[place] + loss, 3) if math.isfinite(loss) else loss
    return run | {curve: losses}


def _diagnose_cases(rng):
    recorded = _recorded()

    def case(name, *runs):
        return Case(name, _group(rng, runs))

    shuffled = [_drawn(rng, recorded[word], 6) for word in WORDS]
    for number, runs in enumerate(zip(*shuffled, strict=True), 1):
        yield case(f"four recorded runs, of each kind one ({number})", *runs)
    well, under = sorted(recorded["well-fit"], key=_falls), sorted(recorded["underfit"], key=_falls)
    flat, steep = _drawn(rng, under[:5]), _drawn(rng, under[-9:])
    yield case("recorded: falling and flat", *flat, *steep, *_drawn(rng, well[-9:]), *_drawn(rng, well[:5]))
    well, under = sorted(recorded["well-fit"], key=_gap), sorted(recorded["underfit"], key=_gap)
    below, above = _drawn(rng, well[:7], 2), _drawn(rng, well[-7:], 2)
    yield case("recorded: validation below training and above it", *below, *above, under[0], under[-1])
    blown_up = [run for run in recorded["diverged"] if math.isfinite(sum(run["train_losses"]))]
    lost = [run for run in recorded["diverged"] if not math.isfinite(sum(run["train_losses"]))]
    yield case("recorded: off the scale and lost", *_drawn(rng, blown_up, 2), *_drawn(rng, lost), *_drawn(rng, well))

    good, learnt = uniform(rng, 2.1, 2.3), uniform(rng, 0.8, 1.2)
    whole = _made(rng, good, good + 0.05)
    lost = [
        _spoilt(whole, curve, integer(rng, 2, 6), loss)
        for curve in ("train_losses", "val_losses")
        for loss in (math.nan, math.inf)
    ]
    yield case("made: one loss that is not finite", whole, *lost)
    end = [_spoilt(whole, "val_losses", -1, math.nan), _spoilt(whole, "train_losses", -1, math.nan)]
    yield case("made: NaN at the end of one curve", whole, *end)
    little, much = [0.3, 0.42, 0.4, 0.41], [0.3, 0.6, 0.61, 0.62]
    yield case(
        "made: how far the training loss came back up",
        _made(rng, good, good + 0.05, little),
        _made(rng, good, good + 0.05, much),
        _made(rng, good, good + 0.05, [0.4, 0.9, 1.3, 1.6]),
    )
    yield case(
        "made: how far the validation loss came back up",
        _made(rng, good, good - 0.2, val_tail=[0.05, 0.08, 0.08, 0.08]),
        _made(rng, good, good - 0.2, val_tail=[0.1, 0.12, 0.13, 0.12]),
        _made(rng, good, good - 0.2, val_tail=[0.2, 0.6, 0.8, 0.9]),
    )
    yield case(
        "made: a gap that stays, a rise without a gap",
        _made(rng, learnt + 0.7, learnt + 1.4),
        _made(rng, good, good - 0.4, val_tail=[0.1, 0.2, 0.25, 0.3]),
    )
    yield case(
        "made: other fresh models",
        _made(rng, uniform(rng, 3.4, 3.8), 3.7, start=(8.0, 8.0)),
        _made(rng, uniform(rng, 4.2, 4.5), 4.4, start=(8.0, 8.0)),
        _made(rng, uniform(rng, 2.15, 2.4), 2.3, start=(4.0, 4.0)),
        _made(rng, uniform(rng, 1.6, 1.85), 1.8, start=(4.0, 4.0)),
    )
    yield case(
        "made: nats, not shares",
        _made(rng, uniform(rng, 0.4, 0.5), 0.9, val_tail=[0.03, 0.06, 0.07, 0.07]),
        _made(rng, uniform(rng, 0.4, 0.5), 0.9, train_tail=[0.2, 0.35, 0.4, 0.4]),
        _made(rng, uniform(rng, 4, 4.2), 5.0, val_tail=[0.1, 0.16, 0.18, 0.17], start=(11.0, 11.0)),
        _made(rng, uniform(rng, 4, 4.2), 5.0, train_tail=[0.4, 0.6, 0.62, 0.63], start=(11.0, 11.0)),
    )
    yield case(
        "made: one curve low, the other high",
        _made(rng, uniform(rng, 2.5, 2.7), 2.9),
        _made(rng, uniform(rng, 2.86, 3.0), 2.6),
    )
    slope = [round(0.1 * k + uniform(rng, 0, 0.02), 3) for k in range(4)]
    yield case(
        "made: past the half at the very end",
        _made(rng, 2.64, 2.8, slope[::-1]),
        _made(rng, 2.64, 2.8, slope),
    )
    rises = [0.1, 0.2, 0.25, 0.3]
    yield case(
        "made: both losses high, one of them rising",
        _made(rng, 3.2, 3.3, val_tail=rises),
        _made(rng, 3.2, 3.3, train_tail=[0.05, 0.1, 0.2, 0.3]),
    )
    yield case(
        "made: one entry out of place",
        _spoilt(whole, "val_losses", -1, 0.2),
        _spoilt(whole, "val_losses", 6, -0.2),
        _spoilt(whole, "train_losses", -1, 1.1),
        _spoilt(whole, "train_losses", 6, -1.1),
        _spoilt(whole, "val_losses", -1, 0.6),
    )
    n = integer(rng, 6, 8)
    steps = [5.557 * 0.75**k for k in range(n)]
    steep = [round(max(x, 5.557 - 0.62 * k), 3) for k, x in enumerate(steps)]
    low = {"train_losses": [round(x, 3) for x in steps[: n - 1] + [1.2]], "val_losses": steep}
    yield case(
        "made: short and steep",
        low,
        {"train_losses": [5.557, 5.5, 5.2, 4.7, 4.1, 3.4], "val_losses": [5.557, 5.5, 5.2, 4.7, 4.1, 3.5]},
    )


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _mean3(losses):
    return [sum(losses[i : i + 3]) / 3 for i in range(len(losses) - 2)]


def _finite(train, val):
    return all(map(math.isfinite, train + val))


def _blew_up(train, val):
    smooth = _mean3(train)
    return smooth[-1] > min(smooth) + 0.5


def _rose(train, val):
    smooth = _mean3(val)
    return smooth[-1] > min(smooth) + 0.1


def _stayed_high(train, val):
    return _mean3(train)[-1] > train[0] / 2


_RULES = {
    "lost": lambda train, val: not _finite(train, val),
    "blew up": _blew_up,
    "rose": _rose,
    "stayed high": _stayed_high,
}
_VERDICTS = {"lost": "diverged", "blew up": "diverged", "rose": "overfit", "stayed high": "underfit"}


def _with(order=tuple(_RULES), **changed):
    """The docstring's rule with some of its lines replaced, or in another order."""
    rules = _RULES | {name.replace("_", " "): rule for name, rule in changed.items()}

    def diagnose(train_losses, val_losses):
        return next((_VERDICTS[name] for name in order if rules[name](train_losses, val_losses)), "well-fit")

    return diagnose


def _still_falls(train, val):
    smooth = _mean3(train)
    return smooth[-1 - max(1, len(smooth) // 4)] > smooth[-1] + 0.02


def _never(train, val):
    return False


def _unsmoothed(margin, curve):
    return lambda *curves: curves[curve][-1] > min(curves[curve]) + margin


def _end_against_entries(margin, curve):
    return lambda *curves: sum(curves[curve][-3:]) / 3 > min(curves[curve]) + margin


def _below_training(train, val):
    return _stayed_high(train, val) or val[-1] < train[-1]


DIAGNOSE = Exercise(
    id="week2.diagnose",
    title="Read the two curves",
    points=2,
    minutes=15,
    why="More data, a larger model or an earlier end: that is read off two curves every day, and mostly by eye.",
    oracle="the words of three labelers for recorded runs; the docstring's rule, in numpy, for curves made up",
    cases=_diagnose_cases,
    probe=_diagnose_probe,
    expected=_expected,
    misconceptions=(
        *(
            Misconception(
                "still falling is underfit",
                answer,
                "You call a run underfit because its training loss still falls. Good runs fall to the end, and a model "
                "that is too small lies flat: not the slope but the level says whether it has learnt its text.",
            )
            for answer in (
                _with(stayed_high=_still_falls),
                _with(stayed_high=lambda train, val: _stayed_high(train, val) or _still_falls(train, val)),
                _with(stayed_high=lambda train, val: _stayed_high(train, val) and _still_falls(train, val)),
            )
        ),
        *(
            Misconception(
                "a gap is overfitting",
                _with(rose=rule),
                "You judge overfitting by the distance between the curves. A gap alone does no harm as long as the "
                "validation loss is as low as it ever was; compare that curve with its own past.",
            )
            for rule in (
                lambda train, val: val[-1] > train[-1],
                lambda train, val: _mean3(val)[-1] > _mean3(train)[-1] + 0.1,
                lambda train, val: _mean3(val)[-1] > _mean3(train)[-1] + 0.3,
            )
        ),
        Misconception(
            "validation below training is underfit",
            _with(stayed_high=_below_training),
            "You expect the training loss below the validation loss. It is an average over steps gone by, with dropout "
            "on; the other is measured now, with dropout off. Either may lie lower in a good run.",
        ),
        *(
            Misconception(
                "only NaN diverges",
                _with(blew_up=rule),
                "A run whose training loss has climbed far back up is no better for being finite. Which line of the "
                "docstring says so?",
            )
            for rule in (_never, lambda train, val: _mean3(train)[-1] > train[0])
        ),
        *(
            Misconception(
                "NaN goes unseen",
                _with(lost=rule),
                "One of the runs has a loss that is NaN or inf, and you do not see it. Every comparison with NaN is "
                "False, so no limit stops it: look for it first, in all entries of both curves.",
            )
            for rule in (
                _never,
                lambda train, val: not math.isfinite(train[-1]),
                lambda train, val: not math.isfinite(train[-1] + val[-1]),
                lambda train, val: not _finite(train, []),
                lambda train, val: any(map(math.isnan, train + val)),
            )
        ),
        *(
            Misconception(
                "not smoothed",
                answer,
                "You compare single entries. One noisy evaluation then makes the verdict: smooth both curves first, as "
                "the docstring says, and take last and lowest from the same smoothed curve.",
            )
            for answer in (
                _with(blew_up=_unsmoothed(0.5, 0), rose=_unsmoothed(0.1, 1)),
                _with(rose=_unsmoothed(0.1, 1)),
                _with(blew_up=_unsmoothed(0.5, 0)),
            )
        ),
        *(
            Misconception(
                "the end smoothed, the lowest not",
                answer,
                "You compare a mean of three entries with a single one. On a curve that falls steeply the mean of the "
                "last three always lies above the last: take last *and* lowest from the smoothed curve.",
            )
            for answer in (
                _with(blew_up=_end_against_entries(0.5, 0), rose=_end_against_entries(0.1, 1)),
                _with(rose=_end_against_entries(0.1, 1)),
            )
        ),
        Misconception(
            "any rise is overfitting",
            _with(rose=lambda train, val: _mean3(val)[-1] > min(_mean3(val))),
            "Any validation loss that is not the lowest makes a run overfit for you. Curves shiver: how far above the "
            "lowest does it have to end?",
        ),
        Misconception(
            "overfitting read off the training loss",
            _with(rose=lambda train, val: _mean3(train)[-1] > min(_mean3(train)) + 0.1),
            "You look for the rise in the training loss. A model that learns its text by heart goes on falling there.",
        ),
        Misconception(
            "underfit read off the validation loss",
            _with(stayed_high=lambda train, val: _mean3(val)[-1] > train[0] / 2),
            "You judge by the validation loss whether the model has learnt its text. Which of the two is measured on "
            "that text?",
        ),
        *(
            Misconception(
                "a fixed level",
                _with(stayed_high=lambda train, val, level=level: _mean3(train)[-1] > level),
                "Your level is a fixed number of nats. A fresh model of a larger vocabulary starts higher: half of "
                "what is asked for?",
            )
            for level in (math.log(259) / 2, 2.5, 3.0)
        ),
        Misconception(
            "half of the smoothed start",
            _with(stayed_high=lambda train, val: _mean3(train)[-1] > _mean3(train)[0] / 2),
            "You take half of the smoothed curve's first number; in the two entries after the fresh model much has "
            "been learnt already. The docstring takes entry 0 itself.",
        ),
        Misconception(
            "underfit before overfit",
            _with(order=("lost", "blew up", "stayed high", "rose")),
            "Where two lines hold you take the later one: the first that holds is the verdict.",
        ),
        Misconception(
            "overfit before diverged",
            _with(order=("lost", "rose", "blew up", "stayed high")),
            "A run that has blown up ends high on both curves, and you call it overfit. The first line that holds is "
            "the verdict.",
        ),
    ),
)
