"""week6.scale_lr: a learning rate for another batch size, by two rules of thumb."""

import math

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer
from autograde.exercises.week6.schedules import a_rate

RULES = ("linear", "sqrt")


def _scale_probe(target, inputs):
    try:
        return {"rate": target(*inputs.values()), "raised": "nothing"}
    except ValueError:
        return {"rate": 0.0, "raised": "ValueError"}


def _scale_cases(rng):
    def case(name, base_batch, batch, rule, **options):
        inputs = {"base_lr": a_rate(rng), "base_batch": base_batch, "batch": batch, "rule": rule}
        return Case(name, inputs, **options)

    for rule in RULES:
        base = 2 ** integer(rng, 3, 5)
        yield case(f"{rule}, four times the batch", base, 4 * base, rule)
        yield case(f"{rule}, a quarter of the batch", 4 * base, base, rule)
        yield case(f"{rule}, a few more", base, base + integer(rng, 1, 6), rule)
        yield case(f"{rule}, single examples", base, 1, rule)
        yield case(f"{rule}, the same batch", base, base, rule, edge=True)
    for rule in ("cubic", "Linear", ""):
        yield case(f"a rule called {rule!r}", 16, 64, rule, edge=True)


def _definition(inputs):
    base_lr, base_batch, batch, rule = inputs.values()
    if rule not in RULES:
        return {"rate": 0.0, "raised": "ValueError"}
    return {"rate": base_lr * (batch / base_batch) ** (1.0 if rule == "linear" else 0.5), "raised": "nothing"}


def _scaled(linear=lambda ratio: ratio, sqrt=math.sqrt, ratio=lambda base, batch: batch / base, strict=True):
    """The rules with their choices open; the defaults are right."""

    def scale_lr(base_lr, base_batch, batch, rule):
        if strict and rule not in RULES:
            raise ValueError(rule)
        factor = ratio(base_batch, batch)
        return base_lr * (linear(factor) if rule == "linear" else sqrt(factor))

    return scale_lr


def _root_of_all(base_lr, base_batch, batch, rule):
    if rule not in RULES:
        raise ValueError(rule)
    rate = base_lr * batch / base_batch
    return rate if rule == "linear" else math.sqrt(rate)


def _root_of_the_batch(base_lr, base_batch, batch, rule):
    if rule not in RULES:
        raise ValueError(rule)
    return base_lr * (batch if rule == "linear" else math.sqrt(batch)) / base_batch


def _unchanged_if_unknown(base_lr, base_batch, batch, rule):
    return _scaled()(base_lr, base_batch, batch, rule) if rule in RULES else base_lr


def _nothing_if_unknown(base_lr, base_batch, batch, rule):
    return _scaled()(base_lr, base_batch, batch, rule) if rule in RULES else None


SCALE_LR = Exercise(
    id="week6.scale_lr",
    title="Another batch size",
    points=1,
    minutes=5,
    why="The linear rule comes from SGD, the square root is argued for Adam; both break, and your sweep shows where.",
    oracle="the definition",
    cases=_scale_cases,
    probe=_scale_probe,
    expected=_definition,
    tolerance=Tolerance(rtol=1e-5, atol=1e-9),
    misconceptions=(
        Misconception(
            "the ratio inverted",
            _scaled(ratio=lambda base, batch: base / batch),
            "With larger batches your rate falls. A larger batch has a steadier gradient: which way does the rate go?",
        ),
        Misconception(
            "the rules swapped",
            _scaled(linear=math.sqrt, sqrt=lambda ratio: ratio),
            "Each of your rules does what the other is named after.",
        ),
        Misconception(
            "always linear",
            _scaled(sqrt=lambda ratio: ratio),
            "Both of your rules give the same. What does the square root change?",
        ),
        Misconception(
            "always the square root",
            _scaled(linear=math.sqrt),
            "Both of your rules give the same. When is no square root taken?",
        ),
        Misconception(
            "the root of the rate too",
            _root_of_all,
            "You take the square root of the learning rate as well. At the same batch size the rate should not change.",
        ),
        Misconception(
            "the root of one batch alone",
            _root_of_the_batch,
            "You take the square root of the new batch size alone. At the same batch size the rate should not change.",
        ),
        Misconception(
            "the ratio squared",
            _scaled(sqrt=lambda ratio: ratio**2),
            "At four times the batch your 'sqrt' gives sixteen times the rate. Which power undoes a square?",
        ),
        Misconception(
            "whole ratios only",
            _scaled(ratio=lambda base, batch: batch // base),
            "You divide the batch sizes as whole numbers, and a smaller batch gets a rate of 0.",
        ),
        Misconception(
            "never smaller",
            _scaled(ratio=lambda base, batch: max(1.0, batch / base)),
            "For a smaller batch you keep the rate. The rules work in both directions.",
        ),
        *(
            Misconception(
                "an unknown rule is let through",
                answer,
                "A rule that does not exist gets a result without a word. A slip in its name should not pass unseen.",
            )
            for answer in (_scaled(strict=False), _unchanged_if_unknown, _nothing_if_unknown)
        ),
    ),
)
