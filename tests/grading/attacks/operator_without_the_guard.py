"""The notebook replaces autograde.guard.refusals by a context that refuses nothing, and calls the library.

Also courtesy: what it patches is in its own process, and the values that it earns points for are right.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import contextlib
import torch
from autograde import guard

guard.refusals = lambda rules: contextlib.nullcontext()
guard.Rules.library = ()

def log_softmax(logits):
    return torch.log_softmax(logits, -1)

def cross_entropy(logits, targets, ignore_index=-100):
    rows = logits.reshape(-1, logits.shape[-1])
    return torch.nn.functional.cross_entropy(rows, targets.reshape(-1), ignore_index=ignore_index)
"""
ATTACK = Attack(kind="courtesy", cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
