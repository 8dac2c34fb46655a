"""Beside a good notebook lie links: to the course, to /etc, to itself, to the gradebook, and one that leads nowhere.

A grader that copies the folder follows them: it copies the course into the learner's feedback, or never ends. Here only
the notebook is taken, and it is graded.
"""

from tests.grading.attacks import NOTEBOOK, Attack, answers


def _hand_in(folder, notebook):
    (folder / NOTEBOOK).write_bytes(notebook)
    for name, target in (
        ("data", "../../.."),
        ("etc", "/etc"),
        ("loop", "loop"),
        ("here", "."),
        ("nothing", "/no/where"),
    ):
        (folder / name).symlink_to(target)
    (folder / "gradebook.db").symlink_to("../../../gradebook.db")
    (folder / "copy.ipynb").symlink_to(NOTEBOOK)


ATTACK = Attack(cells=answers(), hand_in=_hand_in)
