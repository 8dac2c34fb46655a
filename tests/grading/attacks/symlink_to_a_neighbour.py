"""The notebook that was handed in is a symbolic link to another learner's submission.

The grader reads through it with its own rights, and the neighbour's work is graded a second time, under this name. Here
a link is no notebook.
"""

from tests.grading.attacks import NOTEBOOK, Attack, answers


def _hand_in(folder, notebook):
    others = [other for other in sorted(folder.parents[1].iterdir()) if other != folder.parent]
    target = next((path for other in others for path in other.glob(f"{folder.name}/*.ipynb")), None)
    (folder / NOTEBOOK).symlink_to(target or "../../neighbour/week1_small/small.ipynb")


ATTACK = Attack(cells=answers(), hand_in=_hand_in, honest=())
