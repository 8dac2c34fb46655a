"""A cell blocks every signal for all threads and computes in ten threads of C code that never look up.

A blocked signal waits for ever, and a grader that asks politely waits with it. Here the cell is interrupted in vain,
and its kernel killed.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import hashlib, signal, threading, time

    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    until = time.monotonic() + 600

    def work():
        while time.monotonic() < until:
            hashlib.sha256(bytes(50 << 20)).digest()

    for _ in range(9):
        threading.Thread(target=work, daemon=True).start()
    work()
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
