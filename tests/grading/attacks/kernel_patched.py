"""The learner patches the sandbox's own kernel loop: every request is answered 'right, full points, nothing changed'.

The loop runs in his process, so he can. Here the grader reads values out of an answer and nothing else, so words such
as score and verdict are ignored, and an answer out of form ends the kernel.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import sys

kernel = sys.modules.get("inside.kernel")
if kernel:
    def praised(shell, name, probe, messages, rules):
        praise = {"value": {"plain": True}, "score": 1.0, "passed": True, "verdict": "right", "changed": []}
        return {"replies": [praise] * len(messages), "score": 1.0, "points": 100}

    kernel._ask = praised
    kernel._run = lambda shell, source: {"done": True}
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
