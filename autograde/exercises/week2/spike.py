"""week2.spike: how a run takes a few corrupt batches."""

import functools
import math
import statistics

import numpy as np
import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, normal, uniform

KEYS = ("limit", "height", "steps")


def _spike_probe(target, inputs):
    result = target(*inputs.values())
    if not isinstance(result, dict):
        raise TypeError(f"expected a dict, got a {type(result).__name__}")
    keys = ("limit", "height", "steps")
    missing = [key for key in keys if key not in result]
    if missing:
        raise KeyError(f"{missing[0]} is missing from the dict")
    return {key: result[key].item() if hasattr(result[key], "item") else result[key] for key in keys}


def _observed(inputs, seen):
    steps = seen["steps"]
    whole = isinstance(steps, float) and steps.is_integer()
    return {**{key: seen[key] for key in KEYS}, "steps": int(steps) if whole else steps}


@functools.cache
def _recorded():
    """Real runs, each with its five corrupt batches from index 40 on; NaN where the file has null."""
    from course.lab import recordings

    runs = recordings.load("spikes").runs()
    return {name: [math.nan if row["loss"] is None else row["loss"] for row in rows] for name, rows in runs.items()}


def _level(rng, n, at, sd=0.12):
    """`n` losses around `at`, none of them farther off than 1.5 sd."""
    return [round(at + sd * x, 4) for x in normal(rng, n).clamp(-1.5, 1.5).tolist()]


def _generated(rng, clean, before=None, length=5, **options):
    """Inputs of a made-up run around 2.4 with `clean` losses after its corrupt batches."""
    before = before or _level(rng, integer(rng, 24, 32), 2.4)
    corrupt = [uniform(rng, 5, 9) for _ in range(length)]
    losses = [*before, *corrupt, *(round(loss, 4) for loss in clean)]
    return {"losses": losses, "start": len(before), "length": length, **options}


def _spike_cases(rng):
    def fall(n, top):
        """From `top` down to some way above the limit."""
        return [round(3.1 + (top - 3.1) * 0.75**k, 4) for k in range(n)]

    names = list(_recorded())
    chosen = [names[k] for k in torch.randperm(len(names) - 2, generator=rng)[:3].tolist()]
    for name in [*chosen, *names[-2:]]:  # the last two are never back: one stays high, the other leaves the scale
        cut = integer(rng, 0, 12)
        inputs = {"losses": _recorded()[name][cut:], "start": 40 - cut, "length": 5}
        yield Case(f"a recorded run ({name})", inputs)
    name = names[integer(rng, 0, len(names) - 3)]
    inputs = {"losses": _recorded()[name], "start": 40, "length": 5, "window": integer(rng, 25, 35), "hold": 5}
    yield Case("a recorded run, another window and hold", inputs)

    top, n = uniform(rng, 4, 5), integer(rng, 4, 8)
    low = _level(rng, 20, 2.36, sd=0.06)  # below the limit, whatever the spread before
    yield Case("a spike that fades", _generated(rng, fall(n, top) + low))
    yield Case("one corrupt batch", _generated(rng, fall(n, top) + low, length=1))
    dips = [3.3, 2.3, 3.2, 2.4, 2.3, 3.1, 3.0]
    yield Case("lucky batches on the way", _generated(rng, [top, *dips, *low]))
    yield Case("a hold of 1", _generated(rng, [top, *dips, *low], window=20, hold=1))
    yield Case("a hold of 2", _generated(rng, [top, *dips, *low], window=integer(rng, 8, 16), hold=2))
    again = low[:8] + [uniform(rng, 3, 3.4)] + low[8:]
    yield Case("one hard batch long after it", _generated(rng, fall(n, top) + again))
    yield Case("the top comes late", _generated(rng, [3.2, 3.5, top + 1, top, 3.4, *low]))
    yield Case("back at once", _generated(rng, low))
    yield Case("never back", _generated(rng, fall(25, top)))
    yield Case("back just before the end", _generated(rng, fall(n, top) + low[:3]))
    yield Case("the end comes too early", _generated(rng, fall(n, top) + low[:2]))
    yield Case("one clean batch", _generated(rng, [top]))
    trend = [round(3.4 - 0.04 * k + 0.1 * x, 4) for k, x in enumerate(normal(rng, 30).clamp(-1.5, 1.5).tolist())]
    later = _level(rng, 20, uniform(rng, 1.2, 1.4), sd=0.05)
    yield Case("a run that is still falling", _generated(rng, [top, 4.1, 3.9, *later], before=trend))
    yield Case("lower than ever after it", _generated(rng, later, before=trend))
    early = [round(5.5 - 0.3 * k + 0.1 * x, 4) for k, x in enumerate(normal(rng, integer(rng, 6, 9)).tolist())]
    yield Case("near the start of a run", _generated(rng, [8.0, 7.5, *low], before=early))
    short = _level(rng, 2, 2.4, sd=0.3)
    yield Case("two losses before", _generated(rng, [top + 2, *low], before=[short[0], short[1] + 0.2]))
    yield Case("NaN on the way", _generated(rng, [top, math.nan, *low[:2], math.nan, *low]))
    yield Case("NaN to the end", _generated(rng, [top] + [math.nan] * 9))
    yield Case("inf on the way", _generated(rng, [top, math.inf, 3.5, *low]))
    # mean 2 and standard deviation .25, exactly, in every precision
    tie = [2.0, 1.75, 2.25, 2.25, 1.75]
    yield Case("at the limit", _generated(rng, [3.5, 2.5, 2.5, 2.5, 2.75, 2.5, 2.0, 2.0], before=tie, window=5))


def _by_numpy(inputs):
    losses, start, length = np.array(inputs["losses"]), inputs["start"], inputs["length"]
    window, hold = inputs.get("window", 20), inputs.get("hold", 3)
    before, clean = losses[max(0, start - window) : start], losses[start + length :]
    limit = before.mean() + 2 * before.std(ddof=1)
    steps = None
    if len(clean) >= hold:
        held = np.lib.stride_tricks.sliding_window_view(clean <= limit, hold).all(1)
        steps = int(held.argmax()) if held.any() else None
    height = clean.max() - before.mean() if np.isfinite(clean).all() else math.inf
    return {"limit": float(limit), "height": float(height), "steps": steps}


def _before(losses, start, length, window):
    return losses[max(0, start - window) : start]


def _deviations(before, k=2):
    return statistics.mean(before) + k * statistics.stdev(before)


def _height(losses, start, length, mean, limit):
    clean = losses[start + length :]
    return max(clean) - mean if all(map(math.isfinite, clean)) else math.inf


def _steps(losses, start, length, limit, hold):
    clean = losses[start + length :]
    found = [k for k in range(len(clean) - hold + 1) if all(x <= limit for x in clean[k : k + hold])]
    return found[0] if found else None


def _measured(before=_before, limit=_deviations, height=_height, steps=_steps):
    """The right measurement with some of its parts replaced."""

    def spike(losses, start, length, window=20, hold=3):
        past = before(losses, start, length, window)
        bound = limit(past)
        return {
            "limit": bound,
            "height": height(losses, start, length, statistics.mean(past), bound),
            "steps": steps(losses, start, length, bound, hold),
        }

    return spike


def _or(never):
    """Another word for 'not back'; it may depend on the clean losses."""

    def steps(losses, start, length, limit, hold):
        found = _steps(losses, start, length, limit, hold)
        return never(losses[start + length :]) if found is None else found

    return steps


def _first_of(is_back, cut=False):
    """The first clean loss from which on `is_back(loss, limit)` holds `hold` times; `cut`: or up to the end."""

    def steps(losses, start, length, limit, hold):
        clean = losses[start + length :]
        last = len(clean) if cut else len(clean) - hold + 1
        return next((k for k in range(last) if all(is_back(x, limit) for x in clean[k : k + hold])), None)

    return steps


def _two_sided(losses, start, length, window=20, hold=3):
    right = _measured()(losses, start, length, window, hold)
    mean = statistics.mean(_before(losses, start, length, window))
    back = _first_of(lambda loss, limit: abs(loss - mean) <= limit - mean)
    return right | {"steps": back(losses, start, length, right["limit"], hold)}


def _last_time_above(losses, start, length, limit, hold):
    clean = losses[start + length :]
    above = [k for k, loss in enumerate(clean) if not loss <= limit]
    back = above[-1] + 1 if above else 0
    return back if back + hold <= len(clean) else None


def _all_above(losses, start, length, limit, hold):
    if _steps(losses, start, length, limit, hold) is None:
        return None
    return sum(not loss <= limit for loss in losses[start + length :])


def _moved(by):
    """`by(length, hold)` added to the steps."""

    def steps(losses, start, length, limit, hold):
        found = _steps(losses, start, length, limit, hold)
        return None if found is None else found + by(length, hold)

    return steps


def _finite_top(losses, start, length, mean, limit):
    return max((x for x in losses[start + length :] if math.isfinite(x)), default=math.nan) - mean


def _plain_top(losses, start, length, mean, limit):
    return max(losses[start + length :]) - mean


SPIKE = Exercise(
    id="week2.spike",
    title="How high a spike, and how long",
    points=2,
    minutes=18,
    why="'It recovers' is no measurement: only a number of steps says whether clipping or another beta2 helped.",
    oracle="the definition, in numpy",
    cases=_spike_cases,
    probe=_spike_probe,
    observe=_observed,
    expected=_by_numpy,
    misconceptions=(
        Misconception(
            "the corrupt batches in the height",
            _measured(height=lambda losses, start, length, mean, limit: _height(losses, start, 0, mean, limit)),
            "Your height counts the losses on the corrupt batches. Random bytes are hard for every model, hurt or not: "
            "from which batch on does a loss tell how much the model has suffered?",
        ),
        Misconception(
            "the height above the limit",
            _measured(height=lambda losses, start, length, mean, limit: _height(losses, start, length, limit, limit)),
            "You measure the height from the limit. The docstring measures it from where the run was before.",
        ),
        *(
            Misconception(
                "a height without what is not finite",
                _measured(height=height),
                "A clean loss that is NaN or inf is the highest of all, and your height does not show it: `max` knows "
                "no order for NaN. What does the docstring ask for?",
            )
            for height in (_finite_top, _plain_top)
        ),
        Misconception(
            "divided by n",
            _measured(limit=lambda before: statistics.mean(before) + 2 * statistics.pstdev(before)),
            "Your limit is a little low: your standard deviation divides by n, as numpy's does unless told otherwise. "
            "Which divisor does the docstring name?",
        ),
        Misconception(
            "one standard deviation",
            _measured(limit=lambda before: _deviations(before, 1)),
            "Your limit lies one standard deviation above the mean. One loss in six of a healthy run is above that.",
        ),
        Misconception(
            "the variance",
            _measured(limit=lambda before: statistics.mean(before) + 2 * statistics.variance(before)),
            "You add twice the variance. It is measured in nats squared; what is its root called?",
        ),
        Misconception(
            "all that came before",
            _measured(before=lambda losses, start, length, window: losses[:start]),
            "You compare with the whole run so far. In a run that falls that is a higher level with a larger spread: "
            "see `window`.",
        ),
        Misconception(
            "a negative index",
            _measured(before=lambda losses, start, length, window: losses[start - window : start]),
            "Your slice is right as long as there are `window` losses before `start`. What is `losses[-8:12]` when "
            "there are not?",
        ),
        Misconception(
            "the corrupt batches in the window",
            _measured(
                before=lambda losses, start, length, window: losses[max(0, start + length - window) : start + length]
            ),
            "Your window reaches into the corrupt batches: the mean and the spread before are then those of the spike "
            "itself. Where does 'before' end?",
        ),
        Misconception(
            "a single lucky batch",
            _measured(steps=lambda losses, start, length, limit, hold: _steps(losses, start, length, limit, 1)),
            "You stop at the first loss below the limit. On the way back one easy batch does that: see `hold`.",
        ),
        Misconception(
            "counted from the first corrupt batch",
            _measured(steps=_moved(lambda length, hold: length)),
            "Your count begins with the corrupt batches. They last as long for every setting: count the clean ones.",
        ),
        Misconception(
            "counted to the end of the hold",
            _measured(steps=_moved(lambda length, hold: hold - 1)),
            "You count up to the *last* of the losses that have to be in a row. The run was back at the first of them.",
        ),
        Misconception(
            "one step too many",
            _measured(steps=_moved(lambda length, hold: 1)),
            "Your count is one too high: a run that is back at once has 0 clean losses before that.",
        ),
        Misconception(
            "a row that the end cuts short",
            _measured(steps=_first_of(lambda loss, limit: loss <= limit, cut=True)),
            "At the end of the list your slice has fewer than `hold` losses, and `all` of few is True soon. Two good "
            "losses and then nothing: is that `hold` in a row?",
        ),
        Misconception(
            "NaN is back",
            _measured(steps=_first_of(lambda loss, limit: not loss > limit)),
            "A NaN counts as back for you: `NaN > limit` is False. Turn the question round, so that False is the safe "
            "side.",
        ),
        Misconception(
            "too low is not back",
            _two_sided,
            "You ask for a loss near the old mean from both sides. A run that has gone on learning lies far below it, "
            "and you would never call it back.",
        ),
        Misconception(
            "the last time above",
            _measured(steps=_last_time_above),
            "You look for the last loss above the limit in the whole list. A hard batch long afterwards then counts as "
            "part of this spike. From which side do you search?",
        ),
        Misconception(
            "all losses above",
            _measured(steps=_all_above),
            "You count every loss above the limit, wherever it stands. How many come *before* the run is back?",
        ),
        *(
            Misconception(
                "a number for never",
                _measured(steps=_or(never)),
                "A run that is never back gets a number from you: averaged with others it would look like one that "
                "is. What does the docstring ask for?",
            )
            for never in (len, lambda clean: -1, lambda clean: math.inf, lambda clean: math.nan)
        ),
    ),
)
