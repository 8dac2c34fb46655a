"""week6.token_lr: the square-root rule, counted in tokens."""

import math

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer
from autograde.exercises.week6.schedules import a_rate


def _token_cases(rng):
    names = ("base_lr", "supervised_tokens", "steps", "epochs", "pretrained_batch_tokens")

    def case(name, *values, **options):
        return Case(name, dict(zip(names, values, strict=True)), **options)

    def tokens():
        return integer(rng, 2, 40) * 100_000 + integer(rng, 1, 99_999)

    yield case("two million tokens in 350 updates", 5e-5, 2e6, 350, 1, 4e6)
    yield case("one epoch", a_rate(rng), tokens(), integer(rng, 200, 900), 1, 4e6)
    yield case("three epochs", a_rate(rng), tokens(), integer(rng, 200, 900), 3, 4e6)
    yield case("many epochs", a_rate(rng), tokens(), integer(rng, 2000, 9000), integer(rng, 6, 12), 5e5)
    yield case("batches as in pretraining", a_rate(rng), 4_000_000, 10, 10, 4_000_000, edge=True)
    yield case("larger batches than in pretraining", a_rate(rng), tokens(), integer(rng, 3, 9), 2, 20_000)
    yield case("small numbers", a_rate(rng), 7, 2, 3, 5)


def _definition(inputs):
    base_lr, tokens, steps, epochs, pretrained = inputs.values()
    return base_lr * (tokens / (steps / epochs) / pretrained) ** 0.5


def _token(per_update=lambda tokens, steps, epochs: tokens * epochs / steps, factor=lambda ratio: math.sqrt(ratio)):
    """The rule with its choices open; the defaults are right."""

    def token_lr(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
        return base_lr * factor(per_update(supervised_tokens, steps, epochs) / pretrained_batch_tokens)

    return token_lr


def _root_of_all(base_lr, supervised_tokens, steps, epochs, pretrained_batch_tokens):
    return math.sqrt(base_lr * supervised_tokens * epochs / steps / pretrained_batch_tokens)


TOKEN_LR = Exercise(
    id="week6.token_lr",
    title="A rate from counted tokens",
    points=1,
    minutes=5,
    why="With masked prompts two batches of as many examples can hold very different numbers of labels.",
    oracle="the definition",
    cases=_token_cases,
    expected=_definition,
    tolerance=Tolerance(rtol=1e-5, atol=1e-12),
    misconceptions=(
        Misconception(
            "epochs upside down",
            _token(lambda tokens, steps, epochs: tokens / (steps * epochs)),
            "You divide by the epochs. A second epoch shows every token once more: does one update then see fewer of "
            "them?",
        ),
        Misconception(
            "one epoch assumed",
            _token(lambda tokens, steps, epochs: tokens / steps),
            "That is right for one epoch. How many tokens does the run see in all, when it passes over the data "
            "several times?",
        ),
        Misconception(
            "tokens of the whole run",
            _token(lambda tokens, steps, epochs: tokens * epochs),
            "You compare all tokens of the run with one batch of the pretraining. What does a single update see?",
        ),
        Misconception(
            "tokens of the data set",
            _token(lambda tokens, steps, epochs: tokens),
            "You compare the whole data set with one batch of the pretraining. What does a single update see?",
        ),
        Misconception(
            "the linear rule",
            _token(factor=lambda ratio: ratio),
            "That is the linear rule. This one grows more slowly than the batch.",
        ),
        Misconception(
            "the ratio inverted",
            _token(factor=lambda ratio: math.sqrt(1 / ratio)),
            "Your batches are smaller than those of the pretraining, and your rate is larger. Which way round is the "
            "fraction?",
        ),
        Misconception(
            "the root of the rate too",
            _root_of_all,
            "You take the square root of the learning rate as well. With batches as in pretraining the rate should be "
            "that of the pretraining.",
        ),
        Misconception(
            "whole tokens only",
            _token(lambda tokens, steps, epochs: tokens * epochs // steps),
            "You round the tokens of an update down. It is a mean, and need not be whole.",
        ),
        Misconception(
            "never above the base rate",
            _token(factor=lambda ratio: min(1.0, math.sqrt(ratio))),
            "You hold the rate at that of the pretraining or below. The rule works in both directions.",
        ),
    ),
)
