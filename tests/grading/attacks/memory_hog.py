"""The answer fills memory as fast as it can, in one process, up to six gigabytes.

The system's memory killer takes the largest process, and that is easily the grader or the instructor's browser. Here
a kernel has a limit, and it is the kernel that feels it.
"""

from tests.grading.attacks import Attack, answers, doing

ANSWER = doing("""
    kept = []
    for _ in range(96):
        kept.append(bytearray(b"x") * (64 << 20))
""")
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
