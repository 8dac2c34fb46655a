"""The file is JSON, but no notebook: a dict whose cells are a text.

`notebook["cells"]` raises TypeError or iterates over letters. Here it is no notebook, and said so.
"""

from tests.grading.attacks import Attack, answers

ATTACK = Attack(
    kind="broken", cells=answers(), edit=lambda book: b'{"cells": "week1-initial_loss", "a": [1]}', honest=()
)
