"""Metadata are lists, texts and numbers where dicts belong; grade_ids are lists, numbers and ten thousand letters long.

`cell.metadata.get` fails on the first, a dict's key on the second, and a path made of it on the third. Here what is no
label is none, and the honest answer is found by its cell's id.
"""

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    book["metadata"] = ["kernelspec"]
    cell(book, "week1-initial_loss")["metadata"] = "none"
    cell(book, "week1-log_softmax")["metadata"] = {"nbgrader": ["grade_id"], "tags": 5}
    cell(book, "week1-cross_entropy")["metadata"] = {"nbgrader": {"grade_id": ["week1-cross_entropy"], "points": "NaN"}}
    cell(book, "week1-sample")["metadata"] = {"nbgrader": {"grade_id": "../" * 3000 + "x", "points": float("nan")}}
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
