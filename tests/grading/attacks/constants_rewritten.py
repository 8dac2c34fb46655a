"""The notebook writes into the interpreter's own objects by ctypes: the float 0.0 and the integer 1 change their value.

CPython keeps one object for each small number, so comparisons and counts all over the process go wrong, and often it
crashes. A verdict that is computed there is anything. Here it is computed elsewhere.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import ctypes

    nothing = 0.0
    ctypes.memmove(id(nothing) + 16, (ctypes.c_double * 1)(1e300), 8)
    for small in (7, 14, 28, 100):
        ctypes.memmove(id(small) + 24, (ctypes.c_uint32 * 1)(1), 4)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
