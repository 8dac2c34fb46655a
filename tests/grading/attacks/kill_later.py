"""A thread waits a little and then kills the kernel, so that whatever is being graded at that moment is lost.

The honest answer is the one that is hit, and the crash looks like the grader's fault. Here what was lost is asked again
in a kernel that runs only the cells it leans on.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import signal, threading, time

    def later():
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=later, daemon=True).start()
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
