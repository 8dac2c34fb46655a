"""The notebook looks for the seed of the cases: in the generator it is handed, in the global state, in small numbers.

An answer that knows the seed can draw the same cases as the grader and knows their order and their results. Here the
seed of the cases never enters the kernel; what `sample` gets is a number of the case.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

def log_softmax(logits):
    for seed in range(3000):
        drawn = torch.randn(4, 7, generator=torch.Generator().manual_seed(seed))
        if logits.shape == drawn.shape and torch.equal(drawn, logits):
            print("LEAK: the cases are drawn from seed", seed)
            return drawn
    return logits * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
