"""The answer computes 7**(7**11): one call into C that takes hours, and holds the interpreter's lock.

No Python code runs meanwhile, so neither a signal handler nor a watching thread of the same process can end it. It is a
real mistake too, of whoever has no idea how large numbers get. Here the kernel is killed from outside.
"""

from tests.grading.attacks import Attack, answers, doing

ATTACK = Attack(kind="broken", cells=answers(log_softmax=doing("return 7 ** (7**11) % 10")))
