"""The notebook went through a tool that knows no cell ids and throws unknown metadata away: no label is left.

Only the texts remain. An answer's cell is then one of the learner's own, after the heading it stood under. Here it is
run where it stands, before its check, and the honest answer counts.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    for cell in book["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    return {**book, "nbformat_minor": 4}


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
