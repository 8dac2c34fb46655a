"""A cell empties the notebook's namespace, as `%reset -f` does, before the honest answer is defined.

IPython's own names go too, and a check that expects them fails. The honest answer imports what it needs. Here it is
found.
"""

from tests.grading.attacks import Attack, answers

CELL = """
globals().clear()
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax-check", CELL)])
