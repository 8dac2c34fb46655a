"""Cells of kinds that do not exist stand between the others, and an output of a kind that does not exist in each.

nbconvert's template falls through to nothing, or raises. Here they are left out.
"""

from tests.grading.attacks import Attack, answers

STRANGE = {"cell_type": "quantum", "id": "q", "metadata": {}, "source": "check = 1", "outputs": [{"output_type": 5}]}


def _edit(book):
    book["cells"] = [cell for given in book["cells"] for cell in (dict(STRANGE), given)]
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
