"""The notebook is a symbolic link to the instructor's solution, by the relative path that nbgrader's layout gives it.

It is graded with full points, and the feedback shows the solution. Here a link is no notebook, wherever it leads.
"""

from tests.grading.attacks import NOTEBOOK, Attack, answers


def _hand_in(folder, notebook):
    places = [f"../../../{name}/{folder.name}/{NOTEBOOK}" for name in ("solutions", "source", "release", "course")]
    found = next((place for place in places if (folder / place).exists()), places[0])
    (folder / NOTEBOOK).symlink_to(found)


ATTACK = Attack(cells=answers(), hand_in=_hand_in, honest=())
