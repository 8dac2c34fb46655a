"""Week 6: is warmup needed, and does the learning rate grow with the batch or with its root?"""

import itertools

from course.lab import training
from course.lab.experiments import Experiment
from course.lab.experiments.week2 import finished

STEPS = 150
ROWS = 800  # read by every run of the scaling experiment, whatever its batch
BASE = {"sgd": (0.3, 4), "adamw": (5e-3, 4)}  # (learning rate, batch size) from which both rules start


def _warmup_run(settings, seed):
    model = training.tiny_model(seed)
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), settings["lr"])
    batches = itertools.islice(training.tiny_batches(16, seed), STEPS)
    return finished(model, batches, optimizer, schedule=training.rising(settings["lr"], settings["warmup"]))


IS_WARMUP_NEEDED = Experiment(
    id="week6.is_warmup_needed",
    question="At this peak learning rate: does a warmup of 50 steps end at another held-out loss?",
    factor="warmup",
    choices={"warmup": (0, 50), "lr": (3e-3, 1e-2, 3e-2, 1e-1)},
    run=_warmup_run,
)


def scaled_lr(rule: str, optimizer: str, batch_size: int) -> float:
    """The learning rate that `rule` ("linear" or "sqrt") gives a batch, from the optimizer's BASE."""
    lr, base = BASE[optimizer]
    ratio = batch_size / base
    return lr * (ratio if rule == "linear" else ratio**0.5)


def _scaling_run(settings, seed):
    """ROWS rows in batches of `batch_size`, at the learning rate of the rule."""
    size, kind = settings["batch_size"], settings["optimizer"]
    model = training.tiny_model(seed)
    optimizer = training.OPTIMIZERS[kind](model.parameters(), scaled_lr(settings["rule"], kind, size))
    return finished(model, itertools.islice(training.tiny_batches(size, seed), ROWS // size), optimizer)


SCALING_RULE = Experiment(
    id="week6.scaling_rule",
    question="For a batch this much larger: does the linear rule end at another held-out loss than the root?",
    factor="rule",
    choices={"rule": ("linear", "sqrt"), "optimizer": tuple(BASE), "batch_size": (8, 16, 32, 64)},
    run=_scaling_run,
)
