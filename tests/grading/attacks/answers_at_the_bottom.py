"""The honest answer stands in a cell at the very bottom, its own cell above is empty, and a wrong one comes again.

Notebooks are written out of order, and a grader that runs from the top finds nothing at the honest check. A learner's
own cell may hold an answer where it stands before the check: here it does not, and that is the learner's doing.
"""

from tests.grading.attacks import RIGHT, Attack, answers

LAST = RIGHT["initial_loss"] + "\n\ndef log_softmax(logits):\n    return logits\n"
ATTACK = Attack(
    kind="broken", cells=answers(initial_loss="# see below"), extra=[("week1-sample-check", LAST)], honest=()
)
