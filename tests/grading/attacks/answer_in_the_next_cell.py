"""The honest answer was written into a new cell below its own, which still raises NotImplementedError.

Learners do it all the time, since the cell says 'your code here' and an empty one stands below. Here a cell of the
learner's own before the check counts as well.
"""

from tests.grading.attacks import RIGHT, Attack, answers

BLANK = "def initial_loss(vocab_size):\n    raise NotImplementedError\n"
ATTACK = Attack(
    kind="broken",
    cells=answers(initial_loss=BLANK),
    extra=[("week1-initial_loss", RIGHT["initial_loss"])],
)
