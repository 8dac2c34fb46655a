"""The notebook writes replies to requests that are still to come, with every id it can guess, to every open file.

A grader that reads the next message from a pipe takes a forged one for the kernel's own. It may: a reply holds only
what an answer gave, and these values are wrong. What must not happen is that the pipe is out of step for the honest
answer.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    praise = {"value": {"plain": True}, "score": 1.0, "status": "right"}
    for fd in range(3, 64):
        try:
            os.set_blocking(fd, False)
            for number in range(1, 60):
                os.write(fd, frame({"id": number, "done": True}))
                os.write(fd, frame({"id": number, "replies": [praise] * 14}))
        except OSError:
            continue
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
