"""Outputs, attachments and metadata are nested eight hundred deep: read without trouble, and too deep to be copied.

copy.deepcopy needs several frames a level, where json needs one, so a notebook that could be read breaks the code after
it. Here only text is taken out of it, and the honest answer counts.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    deep = "end"
    for _ in range(400):
        deep = {"a": [deep]}
    for cell in book["cells"]:
        cell["metadata"]["deep"] = deep
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "display_data", "data": {"text/plain": deep, "a/b": deep}, "metadata": deep}
            ]
    return _json(book)


def _json(book):
    import json
    import sys

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        return json.dumps(book).encode()
    finally:
        sys.setrecursionlimit(limit)


ATTACK = Attack(cells=answers(), edit=_edit)
