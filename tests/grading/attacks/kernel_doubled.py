"""A cell forks and lets both processes return: two kernels now read from one socket and answer on it.

A forgotten os.fork, or multiprocessing without its guard, does that in honest work. The two take turns at the requests,
and one that did not run a cell is asked about it. Here what goes wrong then is asked again in a fresh kernel.
"""

from tests.grading.attacks import Attack, answers, inside

ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax", inside("os.fork()\nos.fork()"))])
