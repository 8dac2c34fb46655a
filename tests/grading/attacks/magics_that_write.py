"""%%writefile puts an autograde.py, a torch.py and a sitecustomize.py of the learner's own beside the notebook.

The working folder comes first on Python's path, so the next import of the check, or of the next kernel, is the
learner's. Here the folder is empty for each kernel, and the check was imported before.
"""

from tests.grading.attacks import Attack, answers

BODY = "raise SystemExit('shadowed')\n"
CELLS = [f"%%writefile {name}.py\n{BODY}" for name in ("autograde", "torch", "sitecustomize", "json", "course")]
LATER = """
import importlib, sys
for name in ("json", "course", "autograde"):
    sys.modules.pop(name, None)
try:
    import autograde, json
except SystemExit:
    pass
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", source) for source in [*CELLS, LATER]])
