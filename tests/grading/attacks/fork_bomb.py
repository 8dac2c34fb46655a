"""Every process forks two more, from Python, until there are none to be had.

Without a limit on processes the machine is unusable within a second, the grader's own next fork fails, and a reboot is
the cure. Here a kernel has a number of processes, and all of them end with it.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import time

    first, most = os.getpid(), time.monotonic() + 60
    for generation in range(10):  # 2**10 processes at the most
        try:
            os.fork()
        except OSError:
            time.sleep(0.1)
        if time.monotonic() > most:
            break
    if os.getpid() != first:
        time.sleep(600)
        os._exit(0)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
