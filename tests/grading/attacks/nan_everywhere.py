"""The answers return NaN, infinity and empty tensors, since a comparison with them is easily true, or never made.

`abs(got - expected) > tolerance` is false for NaN, `all()` of nothing is true, and a mean of nothing has no error.
Here NaN is right only where the library gives NaN, and a corner alone earns nothing.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

def log_softmax(logits):
    return torch.full_like(logits, float("nan"))

def cross_entropy(logits, targets, ignore_index=-100):
    return float("nan")

def sample(logits, temperature, top_k, generator):
    return torch.empty(0, dtype=torch.int64)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
