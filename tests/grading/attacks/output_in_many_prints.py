"""A debugging print in the innermost loop: a hundred thousand short lines, flushed one by one.

Each line is a message with a header, a signature and an id in Jupyter, so the front end and nbclient choke on a few
megabytes of text. Here nobody listens.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import sys

def log_softmax(logits):
    for number in range(100_000):
        print("step", number, flush=True)
    return logits * 0

for number in range(100_000):
    print("step", number, file=sys.stderr, flush=True)
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
