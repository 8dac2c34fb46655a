"""The notebook forks twice, leaves its session and group, changes its name, and goes on after it was graded.

Whoever kills a process or a process group misses such a daemon: it mines, waits for the next submission, or changes the
gradebook at night. Here the namespace ends with its first process, and with it all that is in it.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import signal, sys, time

    if os.fork() == 0:
        os.setsid()
        for number in set(range(1, 65)) - {9, 19, 32, 33}:
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            os.closerange(0, 4096)
            os.execv(sys.executable, ["[kworker/9:1]", "-S", "-E", "-c", "import time; time.sleep(600)"])
        os._exit(0)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
