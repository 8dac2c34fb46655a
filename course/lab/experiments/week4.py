"""Week 4: does clipping the gradient's norm help?"""

import itertools

from course.lab import training
from course.lab.experiments import Experiment
from course.lab.experiments.week2 import finished

STEPS = 100


def _run(settings, seed):
    model = training.tiny_model(seed)
    optimizer = training.OPTIMIZERS[settings["optimizer"]](model.parameters(), settings["lr"])
    batches = itertools.islice(training.tiny_batches(8, seed), STEPS)
    return finished(model, batches, optimizer, max_norm=settings["max_norm"])


CLIPPING = Experiment(
    id="week4.does_clipping_help",
    question="Does clipping the gradient to norm 1 end at a lower held-out loss?",
    factor="max_norm",
    choices={"max_norm": (None, 1.0), "optimizer": ("momentum", "adamw"), "lr": (1e-2, 1e-1, 1.0)},
    run=_run,
)
