"""The notebook defines a function `check` of its own that returns more points than there are.

It is the first thing that anyone tries, and it works where the check's name is looked up in the learner's namespace.
Here the check cell of the submission is not what decides.
"""

from tests.grading.attacks import Attack, answers

CELL = """
def check(exercise_id, target=None, **options):
    return 1000.0
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
