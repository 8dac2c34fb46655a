"""The answer returns a tensor of two thousand million rows without a column: no bytes at all, and legal.

Who writes such a tensor out as nested lists, to show it in a hint, makes two thousand million empty lists and dies of
memory in the grader's own process. Here a shape is bounded as well as its bytes, and a reader is shown a shape.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

def log_softmax(logits):
    return torch.empty(2**31 - 1, 0)
"""
LOSS = """
def cross_entropy(logits, targets, ignore_index=-100):
    return torch.empty(5_000_000, 0)
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, cross_entropy=LOSS))
