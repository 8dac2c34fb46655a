"""The check cells come with outputs: the box of a right answer, and the float of the full points that nbgrader reads.

Whoever scores a notebook that was run already, or keeps the old output where a cell fails, believes them. Here the
outputs of a check are made by the grader.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    box = {"text/plain": "✓ Right: full points", "text/html": "<b>✓ Right: full points</b>"}
    for cell in book["cells"]:
        if cell["id"].endswith("-check"):
            cell["execution_count"] = 7
            cell["outputs"] = [
                {"output_type": "display_data", "metadata": {}, "data": box},
                {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": {"text/plain": "3.0"}},
                {"output_type": "execute_result", "execution_count": 7, "metadata": {}, "data": {"text/plain": "1e9"}},
            ]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
