"""Thirty child processes hold two hundred megabytes each: small enough one by one.

A limit on each process, as RLIMIT_AS is, multiplies by their number. Here they are counted together.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import time

    for _ in range(30):
        try:
            if os.fork() == 0:
                held = bytearray(b"x") * (200 << 20)
                time.sleep(600)
                os._exit(0)
        except OSError:
            break
    time.sleep(5)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
