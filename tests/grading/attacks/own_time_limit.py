"""The answer raises the grader's own TimeLimit and NotImplementedError, to be taken for late, or for not answered.

Words such as 'blank' and 'stopped' decide about deadlines and reminders, and an exception class found in the callers'
modules is as good as theirs. Here either is worth nothing, and the honest answer is asked as ever.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import sys

def log_softmax(logits):
    guard = sys.modules.get("autograde.guard")
    raise guard.TimeLimit if guard else NotImplementedError

def cross_entropy(*args):
    raise NotImplementedError
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
