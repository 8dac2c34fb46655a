"""A thread writes forged replies for ever, before, during and after each check, from a learner who gave no answer.

Two writers on one pipe also tear each other's frames, so lengths become nonsense. Here nonsense ends the kernel, and
each answer that is left is asked in a kernel of its own.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    def flood():
        until = time.monotonic() + 600
        while time.monotonic() < until:
            for number in range(1, 40):
                try:
                    os.write(3, frame({"id": number, "replies": [{"value": {"plain": 1}}] * 14})[: number * 20])
                except OSError:
                    pass

    threading.Thread(target=flood, daemon=True).start()
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
