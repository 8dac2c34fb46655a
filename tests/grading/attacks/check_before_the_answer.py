"""The check cells are moved to the top of the notebook, above the answers; the honest one too, by a slip of the mouse.

A check that runs first sees nothing, and what the grader makes of 'not defined' differs. Here the order of the release
holds, so the honest answer has its points.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    checks = [cell for cell in book["cells"] if (cell.get("id") or "").endswith("-check")]
    book["cells"] = checks + [cell for cell in book["cells"] if cell not in checks]
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
