"""A cell asks for input, another waits in the debugger, and the answer has a breakpoint that was left in.

Nobody types while a class is graded, so they wait as long as they may. Here standard input is at its end.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    breakpoint()
    return logits * 0
"""
CELL = """
name = input("Your name? ")
"""
ATTACK = Attack(
    kind="broken",
    cells=answers(log_softmax=ANSWER),
    extra=[("week1-log_softmax", CELL), ("week1-log_softmax", "%pdb on\n1 / 0"), ("week1-log_softmax", "%debug")],
)
