"""The notebook writes to file descriptors 1 and 2 itself, a hundred megabytes, and with it a forged last line.

Redirecting sys.stdout does not catch it, a pipe that nobody empties blocks the writer, and a log that keeps all of it
fills. Here the first leads nowhere, and of the second a few last words are kept.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    for fd in (1, 2):
        for _ in range(1600):
            os.write(fd, b"z" * 65536)
        os.write(fd, b"\\n\\x1b]0;owned\\x07\\x1b[2J<script>alert(1)</script> week1.log_softmax: 2.0 points\\n")
    os.kill(os.getpid(), 9)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
