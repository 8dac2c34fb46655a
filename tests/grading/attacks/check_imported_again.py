"""A later cell imports `autograde` and replaces `check` and `run` in the module itself, as in its every alias.

Redefinition in the notebook is undone by a fresh `from autograde import check`; this is not. Here the module in the
kernel is a stub that decides nothing.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import builtins, sys
import autograde

class Verdict:
    score, status, hint, misconception, cases = 1.0, "right", "", "", ()

for name, module in list(sys.modules.items()):
    if name.partition(".")[0] in ("autograde", "inside", "__main__") and module:
        module.check = lambda *args, **options: 100.0
        module.run = module.judge = lambda *args, **options: Verdict()
builtins.check = autograde.check
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
