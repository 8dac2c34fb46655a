"""A few bytes in the middle of the notebook are those of another file, and no UTF-8.

Reading it as text raises another exception than reading it as JSON, and it is the one that was forgotten. Here both are
unreadable.
"""

import json

from tests.grading.attacks import Attack, answers


def _edit(book):
    data = bytearray(json.dumps(book).encode())
    data[400:432] = bytes(range(224, 256))
    return bytes(data)


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit, honest=())
