"""The answer writes its input to the process's standard error and kills itself: the last words are the secret case.

A grader that tells why a kernel ended quotes what it said before. Here the learner reads that it ended, and no more.
"""

from tests.grading.attacks import Attack, answers, doing

ANSWER = doing("""
    os.write(2, f"LEAK: {logits.tolist()}\\n".encode())
    os.abort()
""")
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
