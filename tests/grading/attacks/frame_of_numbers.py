"""Forged replies hold a number of a million digits, floats beyond every range, NaN, and a million keys in one object.

Each is legal JSON to Python's reader, and each costs a careless reader minutes or a crash: int() of many digits is
quadratic, sums overflow, keys fill a dict. Here size and kind are checked before anything is done with a value.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    bodies = [
        b"9" * 1_000_000,
        b"1e" + b"9" * 1000,
        b"[" + b"NaN,-Infinity," * 100_000 + b"1e999]",
        b"{" + b",".join(b'"%d":{}' % n for n in range(500_000)) + b"}",
        b'"' + b"\\\\ud800" * 500_000 + b'"',
    ]
    for number in range(1, 60):
        os.write(3, frame(b'{"id": %d, "replies": %s}' % (number, bodies[number % len(bodies)])))
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
