"""A child process stops the kernel with SIGSTOP between two cells, and the cells that follow are large.

A stopped process is no dead process: it holds its socket open, reads nothing and ignores an interrupt. Here it is
given up and killed like one that hangs.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import signal, time

    pid = os.getpid()
    if os.fork() == 0:
        time.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(600)
        os._exit(0)
""")
LARGE = "import time; time.sleep(0.02)\n# " + "a long comment, " * 12_000 + "\n"
AFTER = "week1-log_softmax-check"
ATTACK = Attack(cells=answers(), extra=[(AFTER, CELL), *[(AFTER, f"y{n} = 1\n{LARGE}") for n in range(8)]])
