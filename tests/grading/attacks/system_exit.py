"""A cell and an answer call sys.exit, as a script's last line does.

SystemExit is no Exception, so a runner that catches Exception ends with it, and under stock nbgrader the cells after it
are not run. Here it is the error of one cell, or of one answer.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import sys

def log_softmax(logits):
    sys.exit(0)

sys.exit("done")
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
