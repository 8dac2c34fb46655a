"""The answer returns a dict of a million keys, each with a list.

It is a cache that was returned by mistake, and a grader that sorts, compares or shows it takes minutes and gigabytes.
Here a reply has a size.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
KEYS = {str(number): [number] for number in range(1_000_000)}

def cross_entropy(logits, targets, ignore_index=-100):
    return KEYS

def log_softmax(logits):
    return {str(number): number for number in range(20_000)}
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
