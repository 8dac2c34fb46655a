"""Week 2: ten passes over the same text, or one? Batches of 4 rows, or of 32?"""

import functools

import torch

from course.lab import training
from course.lab.experiments import Experiment

ROWS = 128  # of 64 bytes: the whole of the training text


@functools.cache
def held_out() -> dict:
    """64 rows of files that no run trains on; the same for every run of every experiment."""
    return next(training.tiny_batches(64, seed=999, split="val"))


def finished(model, batches, optimizer, **settings) -> float:
    """The held-out loss after training with these `settings` of training.train; NaN or inf where the run diverged."""
    with training.one_thread():
        for record in training.train(model, batches, optimizer, **settings):
            if record.diverged:
                return record.loss
        return training.evaluate(model, [held_out()])


def _batches(seed, batch_size, epochs):
    rows, order = next(training.tiny_batches(ROWS, seed)), training.generator(seed, 7)
    for _ in range(epochs):
        for chosen in torch.randperm(ROWS, generator=order).split(batch_size):
            yield {name: tensor[chosen] for name, tensor in rows.items()}


def _run(settings, seed):
    model = training.tiny_model(seed)
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), settings["lr"])
    return finished(model, _batches(seed, settings["batch_size"], settings["epochs"]), optimizer)


EPOCHS_OR_BATCH = Experiment(
    id="week2.epochs_or_batch",
    question="On the same text, equally often read: do batches of 4 rows end lower than batches of 32?",
    factor="batch_size",
    choices={"batch_size": (4, 32), "epochs": (1, 10), "lr": (3e-3, 1e-2, 3e-2)},
    run=_run,
)
