"""A forged reply announces four gigabytes, and begins to deliver them.

A reader that allocates what a header says, or reads until the end, dies of it. Here a reply beyond the limit is
refused by its header.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    os.write(3, b"\\xff\\xff\\xff\\xff")
    for _ in range(4000):
        os.write(3, b"[" * (1 << 20))
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
