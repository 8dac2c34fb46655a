"""Sources are lists of lines, which is legal, and numbers, dicts and lists of lists, which are not.

"".join raises, or a text is built from a dict's keys. Here the honest answer, in a list of lines, counts.
"""

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    first = cell(book, "week1-initial_loss")
    first["source"] = first["source"].splitlines(keepends=True)
    cell(book, "week1-log_softmax")["source"] = 7
    cell(book, "week1-cross_entropy")["source"] = {"def cross_entropy(*args): return 0": 1}
    cell(book, "week1-sample")["source"] = [["def sample(*args):\n"], None, "    return 0\n", 5]
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
