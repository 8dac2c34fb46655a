"""The notebook says nbformat 99, and its minor version is a text.

A validator refuses it, though every cell can be read. Here the cells are read.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    return {**book, "nbformat": 99, "nbformat_minor": "five"}


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
