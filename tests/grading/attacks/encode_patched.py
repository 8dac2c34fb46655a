"""The learner replaces autograde.wire.encode: whatever an answer returns is described as NaN, or as nothing.

A tolerant comparison takes NaN for equal to everything, or skips a value that is None. Here NaN passes only where NaN
is right, and an odd description is a wrong answer.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from autograde import wire

count, plain = [0], wire.encode

def nan_or_nothing(value, depth=0):
    if isinstance(value, dict) or depth:  # the inputs, which are compared with what was sent
        return plain(value, depth)
    count[0] += 1
    return [{"plain": float("nan")}, {"plain": None}, {}, {"list": []}, {"dict": []}][count[0] % 5]

wire.encode = nan_or_nothing
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
