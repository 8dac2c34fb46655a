"""The answer kills its own process with SIGKILL, which cannot be handled.

It looks like the system's memory killer, and some graders repeat a submission that 'ran out of memory' without end.
Here it is an answer that ends its kernel.
"""

from tests.grading.attacks import Attack, answers, doing

ATTACK = Attack(cells=answers(log_softmax=doing("import signal\nos.kill(os.getpid(), signal.SIGKILL)")))
