"""The answer calls itself without an end; the recursion limit was raised first, 'because it said so in a forum'.

Without the limit the C stack overflows, and the process is gone without a word. Here that is the end of one kernel.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import sys

sys.setrecursionlimit(10**8)

def log_softmax(logits):
    return log_softmax(sorted([logits], key=log_softmax)[0])
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
