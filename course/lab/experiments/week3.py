"""Week 3: does the precision of the computation cost loss, and does that of the weights?"""

import contextlib
import itertools

import torch

from course.lab import training
from course.lab.experiments import Experiment
from course.lab.experiments.week2 import held_out

STEPS = 100


def _run(settings, seed):
    """fp32; bf16 autocast over weights in fp32; or everything in bf16, the weights and what is added to them too."""
    low = settings["precision"] != "fp32"
    model = training.tiny_model(seed)
    if settings["precision"] == "bf16 weights":
        model.to(torch.bfloat16)
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), settings["lr"])
    around = torch.autocast("cpu", torch.bfloat16) if low else contextlib.nullcontext()
    with training.one_thread():
        for batch in itertools.islice(training.tiny_batches(16, seed), STEPS):
            with around:
                loss = training.loss(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return training.evaluate(model.float(), [held_out()])


PRECISION = Experiment(
    id="week3.precision_cost",
    question="Does training with bfloat16 end at another held-out loss than training in float32?",
    factor="precision",
    choices={"precision": ("fp32", "bf16 autocast", "bf16 weights"), "lr": (1e-3, 1e-2)},
    run=_run,
)
