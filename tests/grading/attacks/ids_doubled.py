"""Every cell has the same id, and each answer's label stands on two cells: the learner's and a wrong one after it.

Copying a cell copies its label in some front ends. With the same name twice, one is lost, or the notebook is refused.
Here the first of the two is the answer, and the other does not come after it.
"""

import copy

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    for name in ("log_softmax", "initial_loss"):
        double = copy.deepcopy(cell(book, f"week1-{name}"))
        double["source"] = "# a copy of this cell, left over\n"
        book["cells"].append(double)
    for given in book["cells"]:
        given["id"] = "same"
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
