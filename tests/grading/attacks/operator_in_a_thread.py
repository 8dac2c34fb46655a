"""The answer calls torch's own log_softmax in a thread of its own, where the ban on it does not hold.

The ban is a dispatch mode, which belongs to a thread. The points are earned by an operator that the exercise asks to
build: a courtesy rule is broken, no secret is. Here it is reported to the instructor where its cell names the operator.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
from concurrent.futures import ThreadPoolExecutor
import torch

def log_softmax(logits):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.log_softmax, logits, -1).result()
"""
ATTACK = Attack(kind="courtesy", cells=answers(log_softmax=ANSWER))
