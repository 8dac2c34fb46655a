"""A package of the learner's own stands in sys.modules as `autograde`, with everything a check might import from it.

The grader's next `from autograde import ...` gets the impostor. Here what runs beside an answer may be an impostor as
much as it likes: it only describes what came back.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import sys, types

class Impostor(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **options: 100.0

for name in ("autograde", "autograde.probe", "autograde.guard", "autograde.wire", "autograde.notebook", "nbgrader"):
    sys.modules[name] = Impostor(name)
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
