"""The learner deletes the check cells of the exercises that he could not do.

nbgrader counts what it finds: without a check cell, older versions had nothing to score, and a validation reported no
failure. Here the checks are the release's, whatever was handed in.
"""

from tests.grading.attacks import Attack, answers

GONE = ("week1-log_softmax-check", "week1-cross_entropy-check", "week1-sample-check")
ATTACK = Attack(cells={**answers(), **dict.fromkeys(GONE)})
