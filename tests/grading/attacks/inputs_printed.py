"""The answer prints all that it is given, so that the secret cases stand in the feedback for everyone to copy.

Feedback that shows an answer's output hands hidden cases on, and a table of them passes the next round. Here the
feedback of a secret case has none of its values in it.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    print("LEAK:", logits.tolist())
    return logits * 0

def cross_entropy(logits, targets, ignore_index=-100):
    import sys
    sys.stderr.write(f"LEAK: {logits.tolist()} {targets.tolist()}")
    sys.__stdout__.write(f"LEAK: {targets.tolist()}")
    return 0.0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
