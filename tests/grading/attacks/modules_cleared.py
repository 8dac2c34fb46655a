"""A cell clears sys.modules and sets builtins.__import__ to None, right before the honest answer.

Nothing can be imported any more, and the honest answer imports. Here a kernel that cannot answer in form is ended, and
the honest answer is asked in a fresh one, without this cell.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import builtins, sys

sys.modules.clear()
builtins.__import__ = None
del builtins.print, builtins.callable, builtins.getattr
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
