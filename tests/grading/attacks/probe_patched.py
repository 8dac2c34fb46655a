"""The learner finds autograde.probe in the kernel and lets `answer` return replies that he hopes are right.

Whoever grades in the learner's process has to trust what its own functions say there. Here the replies are values that
are compared outside: zeros are zeros, whoever sends them.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import base64
from autograde import probe

def hopeful(target, source, messages, rules=None):
    zero = {"tensor": ["float32", [4, 7], base64.b64encode(bytes(4 * 4 * 7)).decode()]}
    replies = []
    for message in messages:
        first = message["dict"][0][1]
        replies.append({"value": first if "tensor" in first else zero, "score": 1.0, "passed": True, "status": "right"})
    return replies

probe.answer = hopeful
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
