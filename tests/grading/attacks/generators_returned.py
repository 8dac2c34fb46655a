"""The answers are written with yield, with async def, and as a lazy map: nothing is computed until someone asks.

A grader that calls list() on the result runs an endless generator in its own time. Here a generator is no plain data.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import itertools

def log_softmax(logits):
    while True:
        yield 0.0

async def cross_entropy(logits, targets, ignore_index=-100):
    return 0.0

def sample(logits, temperature, top_k, generator):
    return itertools.cycle([0])
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
