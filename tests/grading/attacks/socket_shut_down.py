"""The notebook shuts the reading half of the kernel's socket down, and leaves the writing half open.

The grader's next request then meets a broken pipe, which ends a program that did not expect SIGPIPE. Here it is a
kernel that has ended.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import socket

    link = socket.socket(fileno=os.dup(3))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    link.shutdown(socket.SHUT_RD)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
