"""The JSON has its cells twice: honest ones first, hostile ones last, and readers differ in which of the two counts.

One tool checks what another does not run. Here one reader reads it once; Python's takes the last, in which the honest
answer stands too.
"""

import json

from tests.grading.attacks import Attack, answers


def _edit(book):
    text = json.dumps(book)
    decoy = json.dumps([{"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "source": "check = 1"}])
    return f'{{"cells": {decoy}, {text[1:]}'.encode()


ATTACK = Attack(cells=answers(), edit=_edit)
