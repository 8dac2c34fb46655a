"""A cell deletes torch, from the notebook, from sys.modules and from the disk as far as it can: 'to free memory'.

The honest answer does without torch. The check does not, and must not depend on the notebook's. Here it holds its own.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import sys

for name in [name for name in sys.modules if name.partition(".")[0] in ("torch", "numpy")]:
    sys.modules[name] = None
torch = None
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax-check", CELL)])
