"""week4.update_steps: how often the optimizer steps."""

import math

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer


def _update_cases(rng):
    def case(name, n_examples, batch_size, accumulation_steps, epochs, **options):
        inputs = {"n_examples": n_examples, "batch_size": batch_size}
        return Case(name, {**inputs, "accumulation_steps": accumulation_steps, "epochs": epochs}, **options)

    batch, steps, epochs = integer(rng, 3, 6), integer(rng, 3, 5), integer(rng, 2, 4)
    full = batch * steps
    updates = integer(rng, 4, 9)
    yield case("everything fits", full * updates, batch, steps, epochs)
    yield case("micro-batches left over in each epoch", full * updates + batch, batch, steps, epochs)
    yield case("left over, all but one", full * updates + batch * (steps - 1), batch, steps, 3)
    yield case("the last micro-batch is smaller", full * updates - integer(rng, 1, batch - 1), batch, steps, epochs)
    yield case("one example left over", full * updates + 1, batch, steps, epochs)
    yield case("one epoch", full * updates + batch + 1, batch, steps, 1)
    yield case("900 examples, batches of 4, 8 at a time", 900, 4, 8, integer(rng, 2, 5))
    yield case("50 examples, one batch of 16 an update", 50, 16, 1, 1)
    yield case("single examples", integer(rng, 20, 40) * 7 + 3, 1, 7, integer(rng, 3, 5))
    yield case("no accumulation", batch * 7 + 1, batch, 1, epochs)
    yield case("an epoch shorter than one update", batch * (steps - 1), batch, steps, epochs + 1)
    yield case("an epoch shorter than one micro-batch", batch - 1, batch, steps, epochs + 5)
    yield case("no examples", 0, batch, steps, epochs, edge=True)
    yield case("no epochs", full * updates, batch, steps, 0, edge=True)


def _enumerated(inputs):
    """The updates of a run that is walked through, micro-batch by micro-batch."""
    n_examples, batch_size, accumulation_steps, epochs = inputs.values()
    updates = 0
    for _ in range(epochs):
        held = 0
        for _ in range(0, n_examples, batch_size):
            held += 1
            if held == accumulation_steps:
                updates, held = updates + 1, 0
        updates += held > 0
    return updates


def _up(a, b):
    return -(-a // b)


def _remainder_dropped(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * (_up(n_examples, batch_size) // accumulation_steps)


def _all_dropped(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * (n_examples // batch_size // accumulation_steps)


def _last_batch_dropped(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * _up(n_examples // batch_size, accumulation_steps)


def _carried_over(n_examples, batch_size, accumulation_steps, epochs):
    return _up(epochs * _up(n_examples, batch_size), accumulation_steps)


def _carried_and_dropped(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * _up(n_examples, batch_size) // accumulation_steps


def _one_stream(n_examples, batch_size, accumulation_steps, epochs):
    return _up(epochs * n_examples, batch_size * accumulation_steps)


def _not_accumulated(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * _up(n_examples, batch_size)


def _one_epoch(n_examples, batch_size, accumulation_steps, epochs):
    return _up(n_examples, batch_size * accumulation_steps)


def _not_rounded(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * n_examples / (batch_size * accumulation_steps)


def _nearest(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * math.floor(n_examples / (batch_size * accumulation_steps) + 0.5)


def _one_too_many(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * (n_examples // (batch_size * accumulation_steps) + 1)


def _at_least_one(n_examples, batch_size, accumulation_steps, epochs):
    return epochs * max(1, _up(n_examples, batch_size) // accumulation_steps)


UPDATE_STEPS = Exercise(
    id="week4.update_steps",
    title="How many updates?",
    points=1,
    minutes=6,
    why="A schedule is laid out over the number of updates. Get it wrong, and the learning rate ends elsewhere.",
    oracle="a walk through the run, micro-batch by micro-batch",
    cases=_update_cases,
    expected=_enumerated,
    misconceptions=(
        Misconception(
            "the remainder is dropped",
            _remainder_dropped,
            "{got} instead of {expected}: the micro-batches left over at the end of an epoch are forgotten. What "
            "happens to their gradients?",
        ),
        Misconception(
            "the remainder and the last batch are dropped",
            _all_dropped,
            "You drop the last, smaller micro-batch of an epoch, and then the micro-batches that are left over.",
        ),
        Misconception(
            "the last batch is dropped",
            _last_batch_dropped,
            "You drop the last micro-batch of an epoch because it is smaller. Here it is used like the others.",
        ),
        Misconception(
            "the remainder waits for the next epoch",
            _carried_over,
            "You let what is left over wait for the next epoch. Here each epoch ends with an update of its own, if "
            "anything is left.",
        ),
        Misconception(
            "it waits, and the last is dropped",
            _carried_and_dropped,
            "You divide all micro-batches of the whole run at once. The count starts anew in each epoch.",
        ),
        Misconception(
            "one endless stream of examples",
            _one_stream,
            "You divide all examples of the whole run at once. No micro-batch and no update reaches across the end of "
            "an epoch.",
        ),
        Misconception(
            "micro-batches counted",
            _not_accumulated,
            "{got} micro-batches pass through the model. How many of them make one update?",
        ),
        Misconception(
            "one epoch only",
            _one_epoch,
            "That is right for one epoch. How many does the run have, and what is left over in each?",
        ),
        Misconception(
            "not rounded",
            _not_rounded,
            "{got} updates? An optimizer steps or does not. Which way is it rounded, and at which point?",
        ),
        Misconception(
            "rounded to the nearest",
            _nearest,
            "You round to the nearest whole number. One micro-batch that is left over is enough for an update.",
        ),
        Misconception(
            "one more in any case",
            _one_too_many,
            "You add an update for what is left over, even where nothing is.",
        ),
        Misconception(
            "at least one, else dropped",
            _at_least_one,
            "You drop what is left over, except where an epoch would get no update at all.",
        ),
    ),
)
