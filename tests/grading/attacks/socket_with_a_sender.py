"""The notebook asks the system to signal another process whenever its socket moves: F_SETOWN, F_SETSIG and O_ASYNC.

Signals by way of a file owner are checked against the one who set it, and a careless namespace lets them reach the
grader. Here numbers of processes mean something in the kernel's own namespace only.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    import fcntl, signal

    for owner in (1, -1, *range(2, 2000)):
        try:
            fcntl.fcntl(3, fcntl.F_SETOWN, owner)
            fcntl.fcntl(3, 10, signal.SIGKILL)  # F_SETSIG
            fcntl.fcntl(3, fcntl.F_SETFL, fcntl.fcntl(3, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError:
            continue
        if owner in (1, 2):
            os.write(3, b"")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
