"""The notebook is in nbformat 3: worksheets with cells, whose code is called input.

Old front ends and converters still write it. Half of a tool chain upgrades it and the other half does not. Its cells
have no ids, and the labels are in the metadata: here the honest answer counts.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    cells = []
    for cell in book["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        if cell["cell_type"] == "code":
            old |= {
                "input": cell["source"],
                "language": "python",
                "outputs": [],
                "collapsed": False,
                "prompt_number": 1,
            }
        else:
            old |= {"source": cell["source"]}
        cells.append(old)
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "small"}, "worksheets": [{"cells": cells}]}


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
