"""The notebook kills its parent and process 1, hoping that one of them is the grader.

Under a plain fork the parent is the grader's worker, and the class's grading ends with it. Here the parent is the first
process of the kernel's own namespace, which belongs to another user.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import signal, time

    for victim in (os.getppid(), 1):
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSTOP, signal.SIGKILL):
            try:
                os.kill(victim, number)
            except OSError:
                pass
            time.sleep(0.01)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
