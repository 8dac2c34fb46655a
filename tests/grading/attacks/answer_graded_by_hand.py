"""The answer cells say that they are graded by hand, and have the full points already.

A cell that is both solution and grade waits for a human, and one that looks marked is passed over. Here what kind of
cell it is comes from the release.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    for cell in book["cells"]:
        graded = cell["metadata"].get("nbgrader", {})
        if graded.get("solution") or graded.get("grade"):
            graded |= {"grade": True, "solution": True, "locked": False, "points": 5, "needs_manual_grade": False}
            graded["score"] = graded["manual_score"] = 5
            cell["metadata"]["deletable"] = cell["metadata"]["editable"] = True
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
