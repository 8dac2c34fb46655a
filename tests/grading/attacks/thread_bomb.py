"""The answer starts threads until no more can be started, and every one of them spins.

Threads count as processes for the system and not for most supervisors, and the interpreter's lock makes the process
deaf. Here the count is the same, and the answer's time ends.
"""

from tests.grading.attacks import Attack, answers, doing

ANSWER = doing("""
    import threading, time

    until = time.monotonic() + 600

    def spin():
        while time.monotonic() < until:
            pass

    for _ in range(2000):
        try:
            threading.Thread(target=spin, daemon=True).start()
        except RuntimeError:
            break
""")
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
