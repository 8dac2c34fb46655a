"""week6.lr_range_test: a learning rate, read off a range test; judged by runs that were trained at it."""

import functools
import math

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform

_KNOWN_BY = 30  # the first losses of a test tell which one it is
_SLACK = 1.01  # on the ends of what is accepted: a rate is read off between two measured ones


def _suggest_probe(target, inputs):
    """A case is a handful of tests, of different optimizers, so that no single rate is right for all of them."""
    return {name: target(list(test["lrs"]), list(test["losses"])) for name, test in inputs.items()}


@functools.cache
def _recorded():
    """{optimizer: [(test, lowest and highest accepted rate)]} of real range tests; NaN where the file has null."""
    from course.lab import recordings

    recording, found = recordings.load("range_tests"), {"adamw": [], "sgd": [], "momentum": []}
    config = recording.header["config"]
    for row in recording.rows:
        optimizer = config["settings"][row["setting"]]["optimizer"]
        losses = [math.nan if loss is None else loss for loss in row["losses"]]
        test = {"lrs": config["lrs"][optimizer], "losses": losses}
        found[optimizer].append((test, tuple(config["accepted"][row["setting"]])))
    return found


@functools.cache
def _bounds():
    """{the first losses: (first rate, lowest and highest accepted rate)}."""
    pairs = [pair for tests in _recorded().values() for pair in tests]
    return {tuple(test["losses"][:_KNOWN_BY]): (test["lrs"][0], *bounds) for test, bounds in pairs}


def _suggest_cases(rng):
    def drawn(optimizer):
        tests = _recorded()[optimizer]
        return [tests[k][0] for k in torch.randperm(len(tests), generator=rng).tolist()]

    def case(name, tests):
        """In any order, under names that say nothing, the rates of each in a unit of its own."""
        inputs = {}
        for number, place in enumerate(torch.randperm(len(tests), generator=rng).tolist(), 1):
            unit = 10 ** uniform(rng, -2, 2)
            lrs = [float(f"{unit * lr:.6g}") for lr in tests[place]["lrs"]]
            inputs[f"test {number}"] = {"lrs": lrs, "losses": tests[place]["losses"]}
        return Case(name, inputs)

    def ended(test, tail):
        """The test with other losses in place of its last ones; what comes before the lowest stays."""
        finite = [loss for loss in test["losses"] if math.isfinite(loss)]
        place = max(finite.index(min(finite)) + 4, 76 - len(tail))
        losses = (finite + [finite[0]] * 80)[:place] + tail
        return test | {"losses": (losses + [losses[-1]] * 80)[: len(test["lrs"])]}

    adamw, sgd, momentum = drawn("adamw"), drawn("sgd"), drawn("momentum")
    for number in range(max(len(sgd), len(momentum))):
        tests = adamw[3 * number : 3 * number + 3] + sgd[number : number + 1] + momentum[number : number + 1]
        yield case(f"recorded tests ({number + 1})", tests)
    tests = adamw[:2] + momentum[:1] + sgd[:1]
    yield case("ends in NaN", [ended(test, [math.nan]) for test in tests])
    yield case("ends in inf, then NaN", [ended(test, [9.0 + integer(rng, 0, 9), math.inf, math.nan]) for test in tests])
    spike = [round(uniform(rng, 40, 60), 2), round(uniform(rng, 60, 80), 2), 9.5, 7.3, 7.1, 7.0]
    yield case("blows up, and comes half of the way back", [ended(test, spike) for test in adamw[2:4] + momentum[1:2]])


def _worth(inputs, got):
    """None where a run at each suggested rate ends within the margin of the best, else the first that does not."""
    if not isinstance(got, dict) or set(got) != set(inputs):
        return "the answer's reply cannot be read"
    for name, test in inputs.items():
        rate = got[name].item() if isinstance(got[name], torch.Tensor) and got[name].numel() == 1 else got[name]
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            return f"{name}: one rate is asked for, a float"
        if not math.isfinite(rate):
            return f"{name}: {rate} is no learning rate"
        first, low, high = _bounds()[tuple(test["losses"][:_KNOWN_BY])]
        unit = test["lrs"][0] / first
        for bad, far in ((rate < low * unit / _SLACK, "small"), (rate > high * unit * _SLACK, "large")):
            if bad:
                return f"{name}: {rate:.4g} is too {far}, a run at it ends more than 0.05 nat above the best one"
    return None


# --- wrong answers ----------------------------------------------------------------------------------------------------


def _finite(losses):
    lost = [k for k, loss in enumerate(losses) if not math.isfinite(loss)]
    return losses[: lost[0]] if lost else losses


def _ema(losses):
    mean, smooth = 0.0, []
    for count, loss in enumerate(losses, 1):
        mean = 0.8 * mean + 0.2 * loss
        smooth.append(mean / (1 - 0.8**count))
    return smooth


def _mean5(losses):
    return [sum(window) / len(window) for window in (losses[max(0, k - 2) : k + 3] for k in range(len(losses)))]


def _falls(losses):
    return [losses[k] - losses[k + 1] for k in range(len(losses) - 1)]


def _where(values, pick=max):
    return values.index(pick(values))


def _lowest(smooth):
    return lambda lrs, losses: lrs[_where(smooth(_finite(losses)), min)]


def _down(smooth):
    return smooth[: _where(smooth, min) + 1]


def _fraction(part):
    return lambda lrs, losses: lrs[_where(_ema(_finite(losses)), min)] * part


def _first_nan(lrs, losses):
    bad = [k for k, loss in enumerate(losses) if math.isnan(loss)]
    return lrs[bad[0]] if bad else lrs[_where(_falls(_down(_ema(losses))))]


def _not_cut(smooth):
    return lambda lrs, losses: lrs[_where(_falls(smooth(_finite(losses))))]


def _unsmoothed(lrs, losses):
    return lrs[_where(_falls(_down(_finite(losses))))]


def _per_unit(lrs, losses):
    falls = _falls(_down(_ema(_finite(losses))))
    return lrs[_where([fall / (lrs[k + 1] - lrs[k]) for k, fall in enumerate(falls)])]


def _last_finite(lrs, losses):
    return lrs[len(_finite(losses)) - 1]


def _first_above(lrs, losses):
    smooth = _ema(_finite(losses))
    lowest = _where(smooth, min)
    return lrs[next((k for k in range(lowest, len(smooth)) if smooth[k] > smooth[0]), len(smooth) - 1)]


def _rises(lrs, losses):
    return lrs[_where(_falls(_ema(_finite(losses))), min)]


def _place(lrs, losses):
    return _where(_falls(_down(_ema(_finite(losses)))))


def _first_fall(lrs, losses):
    smooth = _ema(_finite(losses))
    return lrs[next((k for k, loss in enumerate(smooth) if loss < smooth[0] - 0.1), 0)]


def _middle(lrs, losses):
    return math.sqrt(lrs[0] * lrs[-1])


LR_RANGE_TEST = Exercise(
    id="week6.lr_range_test",
    title="Suggest a learning rate",
    points=3,
    minutes=20,
    why="One short run instead of a sweep of long ones. What such a suggestion is worth, only the long ones tell.",
    oracle="recorded runs of the same models at many rates: those within 0.05 nat of the best are accepted",
    defines="suggest_lr",
    cases=_suggest_cases,
    probe=_suggest_probe,
    accepts=_worth,
    misconceptions=(
        *(
            Misconception(
                "the lowest loss",
                _lowest(smooth),
                "You suggest the rate at which the loss is lowest. There the test is about to turn: what was learnt "
                "was learnt at smaller rates, and a whole run at this one is often unstable.",
            )
            for smooth in (_ema, _mean5, lambda losses: losses)
        ),
        *(
            Misconception(
                "a fixed part of the lowest",
                _fraction(part),
                "A fixed part of the rate with the lowest loss fits one optimizer and misses the next. Look at how the "
                "curve falls, not only at where it ends.",
            )
            for part in (0.1, 0.5, 1 / 3)
        ),
        Misconception(
            "NaN taken for the lowest",
            _first_nan,
            "Your rate is the first at which the loss is NaN. `argmin` of numpy and torch takes NaN for the smallest "
            "number: cut the losses before the first that is not finite.",
        ),
        *(
            Misconception(
                "the way back after a blow-up",
                _not_cut(smooth),
                "The steepest fall of the whole curve comes after an explosion, where the loss drops back from far "
                "above. Look no further than the lowest point.",
            )
            for smooth in (_ema, _mean5)
        ),
        Misconception(
            "not smoothed",
            _unsmoothed,
            "You take the steepest step of the raw losses: that is the luckiest pair of batches. Smooth first.",
        ),
        Misconception(
            "per unit of learning rate",
            _per_unit,
            "You divide each fall by the distance of the two rates, which is tiny at the left end. The rates rise by a "
            "factor: from entry to entry is one step of it.",
        ),
        *(
            Misconception(
                "just before it diverges",
                answer,
                "You suggest the largest rate that the test survived. Each rate had a single step there; a run of "
                "hundreds does not survive it.",
            )
            for answer in (_last_finite, _first_above)
        ),
        Misconception(
            "the steepest rise",
            _rises,
            "You found the steepest *rise*: that is where the run blows up. Mind the sign of the slope.",
        ),
        Misconception(
            "the place instead of the rate",
            _place,
            "You return the number of an entry. Which rate stands there?",
        ),
        Misconception(
            "the first fall",
            _first_fall,
            "You suggest the first rate at which anything is learnt. It works, slowly: within the same steps larger "
            "rates get further.",
        ),
        Misconception(
            "the middle of the range",
            _middle,
            "You never look at the losses. The middle of the range says what the tester expected, not what was seen.",
        ),
    ),
)
