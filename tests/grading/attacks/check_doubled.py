"""The learner copies the check cell of the exercise that he could do, nine times, with its label.

Cells with the same grade_id are scored one by one, or the last one counts, or the gradebook refuses the notebook with
all that is in it. Here the copies do not matter.
"""

import copy

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    check = cell(book, "week1-initial_loss-check")
    book["cells"] += [copy.deepcopy(check) for _ in range(9)]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
