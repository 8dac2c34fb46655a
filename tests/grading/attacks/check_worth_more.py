"""The metadata of every check cell says that it is worth a thousand points, and of the wrong ones that they are passed.

Points in a submission are read back by graders that trust the metadata they wrote once. Here points come from the
release and the gradebook.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    for cell in book["cells"]:
        graded = cell["metadata"].get("nbgrader", {})
        if graded.get("grade"):
            graded |= {
                "points": 1000,
                "max_score": 1000,
                "auto_score": 1000,
                "manual_score": 1000,
                "extra_credit": 1000,
            }
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
