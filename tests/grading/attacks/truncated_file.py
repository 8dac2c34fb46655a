"""The notebook ends in the middle of a string, at two thirds of its length.

A broken connection does it each term. Here the learner is told so, and the rest of the class is graded.
"""

import json

from tests.grading.attacks import Attack, answers


def _edit(book):
    data = json.dumps(book).encode()
    return data[: 2 * len(data) // 3]


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit, honest=())
