"""The notebook kills every process that it may signal: kill(-1), and then each number one by one.

As the instructor's user that is his whole session, editor and grader included. Here there is nobody in the namespace
but the kernel and what it started.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import signal

    for victim in range(3, 70_000):
        try:
            os.kill(victim, signal.SIGSTOP)
            os.kill(victim, signal.SIGKILL)
        except OSError:
            pass
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
