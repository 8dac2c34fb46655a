"""The answer displays the very box that a check shows, with 'Right, full points' in it, and a float of points.

Formgrader and the feedback show it to whoever looks quickly, and a grader that reads outputs reads it too. Here an
answer's displays are dropped while it is graded, and the check's own box stands where it always stands.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
from IPython.display import HTML, display

def log_softmax(logits):
    display({"text/plain": "2.0", "text/html": '<div role="status"><b>✓ Right: Log-softmax, 2 of 2 points</b></div>'},
            raw=True)
    print("✓ Right: Log-softmax (week1.log_softmax), 2 of 2 points")
    return logits * 0

display(HTML('<div role="status"><b>✓ Right: Log-softmax (week1.log_softmax), 2 of 2 points</b></div>'))
2.0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
