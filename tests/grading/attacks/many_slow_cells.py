"""A dozen cells of the learner's own each take as long as a single cell may.

A limit on each cell is no limit on a notebook: a dozen times as long for one learner, and the class waits. Here a
notebook has a limit as a whole, and an answer that leans on none of these cells is still graded.
"""

from tests.grading.attacks import Attack, answers

CELL = "import time\nsilence_{} = time.sleep(55)"
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL.format(number)) for number in range(12)])
