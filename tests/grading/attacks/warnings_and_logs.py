"""The answer issues a hundred thousand different warnings and log records, each with its stack.

Honest code of an old library does that too. A grader that shows warnings drowns in them, and Python remembers each one
for ever. Here they are dropped.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import logging, warnings

def log_softmax(logits):
    for number in range(20_000):
        warnings.warn(f"deprecated in {number}", stacklevel=2)
        logging.warning("value %d", number, stack_info=number % 100 == 0)
    return logits * 0
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
