"""The answer counts its calls, and asks its stack who calls: right the first time, wrong ever after.

A grader that tries one case, or repeats a case to be sure, believes the first; one that times a first call believes
that. Here every case counts once, and one right case of many is worth its share at the most.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import inspect

calls = {}

def log_softmax(logits):
    caller = inspect.stack()[1].function
    calls[caller] = calls.get(caller, 0) + 1
    if caller not in ("call", "probe", "_answer") and calls[caller] == 1:
        shifted = logits - logits.amax(-1, keepdim=True)
        return shifted - shifted.exp().sum(-1, keepdim=True).log()
    return logits * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
