"""week1.initial_loss: the loss of a model that knows nothing."""

import math

import torch
import torch.nn.functional as F

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer


def _initial_loss_cases(rng):
    yield Case("the 259 ids of the byte tokenizer", {"vocab_size": 259})
    yield Case("119 ids", {"vocab_size": 119})
    yield Case("a small vocabulary", {"vocab_size": integer(rng, 5, 60)})
    yield Case("a large vocabulary", {"vocab_size": integer(rng, 30_000, 130_000)})
    yield Case("two tokens", {"vocab_size": 2})
    yield Case("one token: nothing to guess", {"vocab_size": 1}, edge=True)


def _loss_of_equal_logits(inputs):
    return F.cross_entropy(torch.zeros(1, inputs["vocab_size"], dtype=torch.float64), torch.tensor([0]))


INITIAL_LOSS = Exercise(
    id="week1.initial_loss",
    title="The loss of a model that knows nothing",
    points=1,
    minutes=3,
    why="A run that does not start near this number has a bug before its first step.",
    oracle="torch.nn.functional.cross_entropy of equal logits",
    cases=_initial_loss_cases,
    expected=_loss_of_equal_logits,
    misconceptions=(
        Misconception(
            "negative",
            lambda vocab_size: math.log(1 / vocab_size),
            "{got} is the logarithm of the probability. Can a loss be below zero?",
        ),
        Misconception(
            "logarithm to base 2",
            lambda vocab_size: math.log2(vocab_size),
            "{got} is in bits. PyTorch's losses are in nats: which logarithm gives them?",
        ),
        Misconception(
            "the probability, not the loss",
            lambda vocab_size: 1 / vocab_size,
            "{got} is the probability of the right token. What does the loss make of a probability?",
        ),
        Misconception(
            "logarithm to base 10",
            lambda vocab_size: math.log10(vocab_size),
            "{got} comes from a logarithm to base 10. Which base has the cross-entropy?",
        ),
        Misconception(
            "the number of choices",
            lambda vocab_size: float(vocab_size),
            "{got} is the number of equally likely choices: that is the perplexity. The loss is made from it by one "
            "function.",
        ),
        Misconception(
            "averaged over the vocabulary",
            lambda vocab_size: math.log(vocab_size) / vocab_size,
            "The loss looks at the right token alone; there is no average over the vocabulary in it.",
        ),
    ),
)
