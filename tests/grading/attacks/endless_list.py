"""A list subclass says that it has three items and yields twenty million.

A comparison that iterates over the learner's list takes for ever, and the memory of whoever collects the items fills.
Here the kernel that collects them is stopped by its limits, and the other answers get a kernel of their own.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
class Endless(list):
    def __len__(self):
        return 3

    def __iter__(self):
        for _ in range(20_000_000):
            yield 1.0

def log_softmax(logits):
    return Endless([1.0])
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
