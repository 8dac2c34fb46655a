"""Week 5: what does 8-bit state cost, when is the state worth resetting, and what has momentum to do with warmup?"""

import functools
import itertools

import torch

from course.lab import banking, text, training
from course.lab.experiments import Experiment
from course.lab.experiments.week2 import finished

STEPS = 100
_BITS = {"32 bits": 32, "8 bits": 8}


def _eight_bit_run(settings, seed):
    """bitsandbytes' AdamW in both arms, so that nothing but the state's bits differs; small tensors in 8 bits too."""
    import bitsandbytes

    model = training.tiny_model(seed)
    optimizer = bitsandbytes.optim.AdamW(
        model.parameters(),
        lr=settings["lr"],
        betas=(0.9, settings["beta2"]),
        weight_decay=0.01,
        optim_bits=_BITS[settings["state"]],
        min_8bit_size=1,
    )
    return finished(model, itertools.islice(training.tiny_batches(16, seed), STEPS), optimizer)


EIGHT_BIT_STATE = Experiment(
    id="week5.eight_bit_state",
    question="Does AdamW with its moments in 8 bits end at another held-out loss than with 32?",
    factor="state",
    choices={"state": tuple(_BITS), "lr": (3e-3, 1e-2, 3e-2), "beta2": (0.95, 0.999)},
    run=_eight_bit_run,
)


@functools.cache
def _conversations(split):
    """Rows of 64 tokens from the bank's conversations, for training or held out."""
    found = banking.conversations(400) if split == "train" else banking.held_out(100)
    texts = ("".join(f"{said['role']}: {said['content']}\n" for said in row["messages"]) for row in found)
    ids = [token for each in texts for token in text.encode(each)]
    return [ids[start : start + 64] for start in range(0, len(ids) - 64, 64)]


def _conversation_batches(seed, number):
    rows, draws = _conversations("train"), training.generator(seed, 8)
    for _ in range(number):
        yield text.batch([rows[i] for i in torch.randint(len(rows), (16,), generator=draws).tolist()])


def _reset_run(settings, seed):
    """STEPS steps on program text, then `steps_after` on a bank's conversations, the data of the held-out loss."""
    model = training.tiny_model(seed)

    def optimizer():
        return torch.optim.AdamW(model.parameters(), settings["lr"], betas=(0.9, settings["beta2"]), fused=True)

    first = optimizer()
    with training.one_thread():
        for _ in training.train(model, itertools.islice(training.tiny_batches(16, seed), STEPS), first):
            pass
        second = optimizer() if settings["state"] == "reset" else first
        for _ in training.train(model, _conversation_batches(seed, settings["steps_after"]), second):
            pass
        return training.evaluate(model, [text.batch(_conversations("held_out")[:64])])


STATE_RESET = Experiment(
    id="week5.state_reset",
    question="After the data changed: does a fresh optimizer state end at another held-out loss than the old one?",
    factor="state",
    choices={"state": ("kept", "reset"), "steps_after": (10, 50), "lr": (3e-3, 1e-2), "beta2": (0.95, 0.999)},
    run=_reset_run,
)


def _warmup_run(settings, seed):
    """SGD with momentum; the learning rate rises linearly over the first `warmup` steps."""
    model = training.tiny_model(seed)
    optimizer = torch.optim.SGD(model.parameters(), settings["lr"], momentum=settings["momentum"], fused=True)
    batches = itertools.islice(training.tiny_batches(16, seed), STEPS)
    return finished(model, batches, optimizer, schedule=training.rising(settings["lr"], settings["warmup"]))


WARMUP_AND_MOMENTUM = Experiment(
    id="week5.warmup_and_momentum",
    question="Under this momentum and learning rate: does a warmup of 50 steps end at another held-out loss?",
    factor="warmup",
    choices={"warmup": (0, 50), "momentum": (0.0, 0.9, 0.98), "lr": (0.1, 0.3, 1.0)},
    run=_warmup_run,
)
