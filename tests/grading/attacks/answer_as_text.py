"""Answer cells are markdown and raw cells; the honest one was turned into text by a slip of the keyboard.

The front end turns a cell into text by one key (m), and graders then find no code, or crash on a cell without outputs.
Here an answer's cell is code, and the honest one counts.
"""

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    for name, kind in (("log_softmax", "markdown"), ("initial_loss", "markdown"), ("sample", "raw")):
        turned = cell(book, f"week1-{name}")
        turned["cell_type"] = kind
        turned.pop("outputs", None)
        turned.pop("execution_count", None)
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
