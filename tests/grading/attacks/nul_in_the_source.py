"""The honest answer has a NUL, a form feed, a no-break space and a byte order mark in its comments, from a copied PDF.

compile refuses NUL, and a parser in C stops at it. Python refuses this cell at home as well, where nobody can have seen
it pass: it is not owed points, but the other cells go on.
"""

from tests.grading.attacks import RIGHT, Attack, answers

ATTACK = Attack(
    kind="broken", cells=answers(initial_loss="# \x00 \x0c \xa0 \ufeff\n" + RIGHT["initial_loss"]), honest=()
)
