"""The answer returns 10**100000, exactly.

Formatting it is quadratic, json writes it without complaint, float() of it raises OverflowError, and Python refuses to
print it. Here a number beyond 64 bits is no number that an exercise asks for.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def cross_entropy(logits, targets, ignore_index=-100):
    return 10**100_000
"""
ATTACK = Attack(kind="broken", cells=answers(cross_entropy=ANSWER))
