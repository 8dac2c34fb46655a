"""A cell of the learner's own matches a pattern that backtracks for ever: (a+)+$ on thirty-three letters.

The regex engine checks for signals seldom, and an honest learner meets it by cleaning a text. Here the cell is
interrupted, or its kernel ended, and the answers are graded.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import re

re.match(r"(a+)+$", "a" * 33 + "!")
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax", CELL)])
