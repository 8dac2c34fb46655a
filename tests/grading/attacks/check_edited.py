"""The check cells no longer call the check: one is a number, one passes the right function, one asks another exercise.

A locked cell is locked in the front end only, and any editor changes it. Here the text of a submitted check is not
read.
"""

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    cell(book, "week1-log_softmax-check")["source"] = "100.0"
    cell(book, "week1-cross_entropy-check")["source"] = 'check("week1.initial_loss", initial_loss)'
    cell(book, "week1-sample-check")["source"] = 'check("week1.sample", lambda *args: 1) or 3.0'
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
