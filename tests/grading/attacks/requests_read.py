"""A thread reads the grader's requests off the socket before the kernel does, to see the cases that are still to come.

It sees the inputs of an exercise as that exercise is asked, which an answer sees anyway. It must find no expected
result and no seed among them, and the requests that it swallows must not stop the honest answer from being graded.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    def steal():
        until = time.monotonic() + 600
        while time.monotonic() < until:
            text = os.read(3, 1 << 20)
            for word in (b"expected", b"solution", b"tolerance", b"misconception", b"points"):
                if word in text:
                    os.write(3, frame({"id": 2, "error": ["LEAK", f"LEAK: {text[:300]!r}"]}))

    threading.Thread(target=steal, daemon=True).start()
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
