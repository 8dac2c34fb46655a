"""The answer sleeps an hour in each call, at no cost of processor time.

A limit on processor time never strikes, and a limit on each call multiplies by the cases. Here all the cases of an
exercise share one limit in wall time.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import time

def log_softmax(logits):
    time.sleep(600)
    return logits * 0
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
