"""The answer sends SIGKILL to its whole process group and session.

Programs that are started without a session of their own share the grader's group, and its terminal's. Here the group is
the kernel's.
"""

from tests.grading.attacks import Attack, answers, doing

ATTACK = Attack(cells=answers(log_softmax=doing("import signal\nos.killpg(os.getpgid(0), signal.SIGKILL)")))
