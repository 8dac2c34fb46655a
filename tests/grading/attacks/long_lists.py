"""The answers return lists of numbers instead of tensors, tens of thousands of them, and lists of lists.

A comparison that makes a tensor of whatever came takes a microsecond or a millisecond for each item, for each known
mistake it is compared with. Here a length that cannot be right is told before anything is made of it.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    return [0.0] * 20_000

def cross_entropy(logits, targets, ignore_index=-100):
    return [[[[[[1] * 4] * 4] * 4] * 4] * 4] * 20

def sample(logits, temperature, top_k, generator):
    return [0] * 100_000
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
