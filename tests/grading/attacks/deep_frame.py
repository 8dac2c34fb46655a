"""A forged reply is JSON nested 100,000 deep, and others are nested just as deep as the reader's recursion allows.

Parsers recurse: a deep message is a stack overflow in C, or a RecursionError at a place that no one guards. What can be
read may still be too deep to be walked or written again. Here each of these is one more reply that cannot be read.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    depth = {depth}
    deep = b"[" * depth + b"]" * depth
    for number in range(1, 60):
        os.write(3, frame(b'{"id": %d, "replies": %s}' % (number, deep)))
""")
AFTER = "week1-log_softmax-check"
ATTACK = Attack(
    cells=answers(), extra=[(AFTER, CELL.replace("{depth}", str(d))) for d in (940, 960, 970, 980, 990, 100_000)]
)
