"""The cells carry tags that runners obey: skip-execution on the checks, raises-exception on the answers, remove-cell.

nbclient leaves a cell with skip-execution alone, output and all, and a forged output is then the result. Here tags of a
submission are not looked at.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    for cell in book["cells"]:
        tags = ["skip-execution", "remove-cell", "remove-input", "hide-output", "raises-exception", "nbval-skip"]
        cell["metadata"] |= {"tags": tags, "init_cell": True, "frozen": True, "deletable": False}
        if cell["cell_type"] == "code":
            forged = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
            cell["outputs"] = [{**forged, "data": {"text/plain": "100.0"}}]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
