"""The notebook's metadata is nested 100,000 deep.

The JSON reader, the validator and the copier all recurse, and each raises in another place. Here the reader refuses it,
as it would a broken file; the learner wrote it so himself.
"""

import json

from tests.grading.attacks import Attack, answers


def _edit(book):
    book["metadata"]["deep"] = "@"
    return json.dumps(book).replace('"@"', "[" * 100_000 + "]" * 100_000).encode()


ATTACK = Attack(cells=answers(), edit=_edit, honest=())
