"""The grade_ids of the easy exercise and the dear one are swapped, with their cells' ids: one point becomes three.

The label decides in the gradebook which points a cell has. Here a label says which cell of the release a source fills,
and its check then asks for another name, which is defined wrongly or not at all. The learner gave his own labels away,
so nothing is owed for the honest text.
"""

import json

from tests.grading.attacks import Attack, answers

EASY, DEAR, BETWEEN = "week1-initial_loss", "week1-cross_entropy", "week1-@"


def _edit(book):
    text = json.dumps(book)
    for old, new in ((EASY, BETWEEN), (DEAR, EASY), (BETWEEN, DEAR)):
        for end in ('"', '-check"'):
            text = text.replace(f'"{old}{end}', f'"{new}{end}')
    return json.loads(text)


ATTACK = Attack(cells=answers(), edit=_edit, honest=())
