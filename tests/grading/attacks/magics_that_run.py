"""%run executes a script that was handed in beside the notebook, with a module that calls itself autograde.

A grader that copies the whole submission gives the learner a folder of files under its nose. Here notebooks are taken
and other files are not, so the script is not there.
"""

from tests.grading.attacks import Attack, answers

SCRIPT = b"def check(*args):\n    return 100.0\n\nlog_softmax = cross_entropy = sample = check\n"
ATTACK = Attack(
    cells=answers(),
    extra=[("week1-log_softmax", "%run helper.py"), ("week1-log_softmax", "%load helper.py\n%autoreload 2")],
    files={"helper.py": SCRIPT, "autograde/__init__.py": SCRIPT, "torch.py": SCRIPT, "nbgrader_config.py": SCRIPT},
)
