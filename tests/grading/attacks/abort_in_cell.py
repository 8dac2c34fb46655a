"""A cell of the learner's own aborts the process, as a failed assertion in a C library does.

The kernel is gone before the honest answer below has been defined. Here the notebook goes on in new kernels without
that cell.
"""

from tests.grading.attacks import Attack, answers, inside

ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax", inside("os.abort()"))])
