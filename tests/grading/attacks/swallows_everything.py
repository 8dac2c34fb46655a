"""The answer loops for ever and catches every exception there is, the interrupt and the time limit among them.

`while True: try: ... except: pass` is often an honest mistake, and no exception can end it. Here the kernel is killed
from outside when the time is over, and only this answer pays.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import time

def log_softmax(logits):
    until = time.monotonic() + 600
    while time.monotonic() < until:
        try:
            while time.monotonic() < until:
                pass
        except BaseException:
            pass
    return logits
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
