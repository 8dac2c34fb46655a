"""A cell at the very top loops for ever and swallows every interrupt.

It is run before any answer is, in each attempt: a grader that starts over with the same cells meets it again and
again. Here it is met once.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import time

until = time.monotonic() + 600
while time.monotonic() < until:
    try:
        time.sleep(1)
    except BaseException:
        continue
"""
ATTACK = Attack(cells=answers(), extra=[(None, CELL)])
