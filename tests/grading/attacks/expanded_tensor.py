"""The answer returns a tensor of 10**9 elements that takes four bytes: one number, expanded with stride 0.

To write it out, or to compare it, makes it real: four gigabytes in whichever process does so. Here that process is the
kernel, which may hold less, and the answer is the one that pays.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

def log_softmax(logits):
    return torch.zeros(1).expand(10**9)
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
