"""A forged reply announces eight megabytes and arrives at one byte a second.

A time limit on each read is renewed by every byte, so such a reply lasts for months. Here the limit is on the whole
reply.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    os.write(3, (8 << 20).to_bytes(4, "big"))
    for _ in range(600):
        os.write(3, b" ")
        time.sleep(1)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
