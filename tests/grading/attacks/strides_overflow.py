"""A forged reply describes an empty tensor whose other sides are so long that its strides overflow.

Zero times anything fits no bytes, so the sizes agree; torch then raises a RuntimeError where a reader expects nothing
worse than a bad format. Here it is a reply that cannot be read, and the rest of the class is graded.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from autograde import wire

plain, long = wire.encode, {"tensor": ["float32", [0, 2**31 - 1, 2**31 - 1, 2**31 - 1], ""]}
wire.encode = lambda value, depth=0: plain(value, depth) if isinstance(value, dict) or depth else long
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
