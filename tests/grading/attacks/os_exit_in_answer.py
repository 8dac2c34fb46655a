"""The answer ends its process at once with status 0, so that nothing after it can fail.

Graders that take the exit status for the result, or find no failed test, gave full points for it. Here an answer that
ends its kernel gets none, and the others are asked in another kernel.
"""

from tests.grading.attacks import Attack, answers, doing

ATTACK = Attack(cells=answers(log_softmax=doing("os._exit(0)")))
