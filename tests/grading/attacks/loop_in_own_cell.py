"""Between two answers stands a cell that trains 'until the loss is low', which it never is.

It is the commonest way in which an honest notebook does not end. Here it is interrupted, and the answer below it gets
its points.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import time, torch

until = time.monotonic() + 600
weight = torch.zeros(3, requires_grad=True)
loss = (weight - 1).square().sum()
while loss > 1e-3 and time.monotonic() < until:
    weight.data -= 0 * weight
    loss = (weight - 1).square().sum()
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax-check", CELL)])
