"""A picture was handed in under the notebook's name.

Whoever sniffs types, or decodes with errors ignored, gets as far as the first brace. Here it is no JSON.
"""

import random

from tests.grading.attacks import Attack, answers

PICTURE = b"\x89PNG\r\n\x1a\n" + random.Random(0).randbytes(200_000)
ATTACK = Attack(kind="broken", cells=answers(), edit=lambda book: PICTURE, honest=())
