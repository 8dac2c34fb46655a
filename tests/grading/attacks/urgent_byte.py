"""The notebook sends one byte of urgent data over the kernel's socket, which Unix sockets know since Linux 5.15.

select then says that there is something to read, and the read that follows skips the urgent byte and waits for ever,
past every time limit of a grader that trusts select. Here a read must not block whatever select has said.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import socket, time

    link = socket.socket(fileno=os.dup(3))
    for _ in range(3):
        try:
            link.send(b"!", socket.MSG_OOB)
        except OSError:
            break
    time.sleep(600)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
