"""week3.next_scale: the rule that moves the loss scale."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer


def _rule_probe(target, inputs):
    scale, clean_steps, found_infs, *rule = inputs.values()
    trace = []
    for found_inf in found_infs:
        trace.append(target(scale, clean_steps, found_inf, *rule))
        if not isinstance(trace[-1], tuple | list) or len(trace[-1]) != 2:
            break
        scale, clean_steps = trace[-1]
    return trace


def _rule_cases(rng):
    names = (
        "scale",
        "clean_steps",
        "found_inf of each iteration",
        "growth_factor",
        "backoff_factor",
        "growth_interval",
    )

    def case(name, scale, clean_steps, found_infs, *rule, **options):
        found_infs = [mark == "x" for mark in found_infs]  # x: an overflow
        return Case(name, dict(zip(names, (scale, clean_steps, found_infs, *rule), strict=False)), **options)

    def scale():
        return 2.0 ** integer(rng, 8, 18)

    yield case("a clean iteration", scale(), integer(rng, 3, 1500), ".")
    yield case("the first clean iteration", scale(), 0, ".")
    yield case("the one before the last", scale(), 1998, ".")
    yield case("the last of the interval", scale(), 1999, ".")
    yield case("an overflow", 65536.0, integer(rng, 3, 1500), "x")
    yield case("an overflow at once", scale(), 0, "x")
    yield case("an overflow in the last of the interval", scale(), 1999, "x")
    interval = integer(rng, 4, 9)
    yield case("other factors, growth", scale(), interval - 1, ".", 1.5, 0.25, interval)
    yield case("other factors, clean", scale(), interval - 2, ".", 1.5, 0.25, interval)
    yield case("other factors, overflow", scale(), interval - 2, "x", 1.5, 0.25, interval)
    yield case("growth after every iteration", scale(), 0, ".", 4.0, 0.75, 1)
    yield case("a scale below 1", 0.5, integer(rng, 1, 9), "x")
    yield case("a run", 65536.0, 0, "xx...x..........x...."[: integer(rng, 16, 20)], 2.0, 0.5, 3)


def _by_torch(inputs):
    """The operator that GradScaler.update calls."""
    scale, clean_steps, found_infs, *rule = inputs.values()
    scale, count = torch.tensor(scale), torch.tensor(clean_steps, dtype=torch.int32)
    trace = []
    for found_inf in found_infs:
        torch._amp_update_scale_(scale, count, torch.tensor(float(found_inf)), *(rule or (2.0, 0.5, 2000)))
        trace.append([scale.item(), count.item()])
    return trace


def _rule(
    overflow=lambda scale, count, growth, backoff: (scale * backoff, 0),
    full=lambda count, interval: count == interval,
    grown=lambda scale, count, growth, backoff: (scale * growth, 0),
    clean=lambda scale, count: (scale, count),
):
    """The rule with its choices open; `count` counts this iteration. The defaults are right."""

    def next_scale(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        if found_inf:
            return overflow(scale, clean_steps + 1, growth_factor, backoff_factor)
        if full(clean_steps + 1, growth_interval):
            return grown(scale, clean_steps + 1, growth_factor, backoff_factor)
        return clean(scale, clean_steps + 1)

    return next_scale


def _overflow_counts_as_clean(
    scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000
):
    if found_inf:
        scale = scale * backoff_factor
    if clean_steps + 1 == growth_interval:
        return scale * growth_factor, 0
    return scale, clean_steps + 1


def _fixed_factors(scale, clean_steps, found_inf, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
    return _rule()(scale, clean_steps, found_inf)


NEXT_SCALE = Exercise(
    id="week3.next_scale",
    title="The rule that moves the scale",
    points=1,
    minutes=8,
    why="Nobody knows the best scale beforehand, and it changes during a run: this rule finds it again and again.",
    oracle="torch.amp.GradScaler.update",
    cases=_rule_cases,
    probe=_rule_probe,
    expected=_by_torch,
    tolerance=Tolerance(rtol=1e-6, atol=0.0),
    library=("aten._amp_update_scale_",),
    misconceptions=(
        Misconception(
            "the count goes on after an overflow",
            _rule(overflow=lambda scale, count, growth, backoff: (scale * backoff, count - 1)),
            "After an overflow you keep the count. Growth asks for clean iterations *in a row*: what is the count "
            "worth after one that was not?",
        ),
        Misconception(
            "an overflow counts as clean",
            _overflow_counts_as_clean,
            "A skipped iteration raises your count as a clean one does, and the scale may grow right after it had to "
            "shrink.",
        ),
        *(
            Misconception(
                "the count goes on after growth",
                _rule(grown=lambda scale, count, growth, backoff, less=less: (scale * growth, count - less)),
                "After growth your count is not 0. When would the scale grow the next time?",
            )
            for less in (0, 1)
        ),
        Misconception(
            "growth one iteration late",
            _rule(full=lambda count, interval: count > interval),
            "Your scale grows too late. Does the count that you compare include this iteration?",
        ),
        Misconception(
            "growth one iteration early",
            _rule(full=lambda count, interval: count + 1 >= interval),
            "Your scale grows too early. Is this iteration counted twice?",
        ),
        Misconception(
            "growth at every clean iteration",
            _rule(full=lambda count, interval: True),
            "Your scale grows after every clean iteration. What is `growth_interval` for?",
        ),
        Misconception(
            "no growth",
            _rule(full=lambda count, interval: False),
            "Your scale never grows. After an unlucky start it would stay low for the whole run.",
        ),
        Misconception(
            "no backoff",
            _rule(overflow=lambda scale, count, growth, backoff: (scale, 0)),
            "After an overflow your scale is what it was: the next iteration would overflow as well.",
        ),
        Misconception(
            "divided by the backoff factor",
            _rule(overflow=lambda scale, count, growth, backoff: (scale / backoff, 0)),
            "After an overflow your scale is larger than before: a factor below 1 is to be multiplied by.",
        ),
        Misconception(
            "the factors exchanged",
            _rule(
                overflow=lambda scale, count, growth, backoff: (scale * growth, 0),
                grown=lambda scale, count, growth, backoff: (scale * backoff, 0),
            ),
            "An overflow means that the scale is too large. Which factor makes it smaller?",
        ),
        Misconception(
            "the growth factor inverted",
            _rule(overflow=lambda scale, count, growth, backoff: (scale / growth, 0)),
            "You shrink the scale by the growth factor. There is a factor of its own for that.",
        ),
        Misconception(
            "the arguments not used",
            _fixed_factors,
            "Your factors and your interval are always the usual ones. The caller may choose others.",
        ),
        Misconception(
            "the scale alone",
            lambda scale, clean_steps, found_inf, *rule: _rule()(scale, clean_steps, found_inf, *rule)[0],
            "You return the scale without the count. The next iteration needs both.",
        ),
    ),
)
