"""The answer looks for signs of a grader, variables, host name, user, no ipykernel, and turns hostile only there.

At home, where the learner and the instructor try it, it is as harmless as it is wrong. Here it is as enclosed when it
behaves as when it does not.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import os, socket, sys

def log_softmax(logits):
    signs = [
        "NBGRADER_EXECUTION" in os.environ,
        "ipykernel" not in sys.modules,
        socket.gethostname() == "sandbox",
        os.getuid() >= 60_000,
        os.getcwd() == "/tmp",
        os.path.exists("/kit/inside"),
    ]
    if sum(signs) >= 3 and signs[-1]:
        os.kill(os.getpid(), 9)
    return logits * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
