"""The answer prints a hundred megabytes at once, in each of its cases.

The text goes through a pipe, a queue, a notebook file, a database and a page, and each of them holds it whole. Here two
thousand characters of it are kept.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    print("x" * 100_000_000)
    return logits * 0

print("y" * 100_000_000)
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
