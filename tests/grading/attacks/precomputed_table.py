"""A table of the public cases' inputs and right results, computed at home with the course's own package: no formula.

The cases of the notebook's own check have seed 0 and can be recorded, so a dict from input bytes to results passes it.
Here grading draws other cases from a secret seed, and a table of the public ones answers none of them.
"""

import base64
import json
import zlib

from tests.grading.attacks import Attack, answers


def _table():
    """{exercise: {bytes of its inputs, as hex: its right result}} of seed 0, as whoever has the package can compute."""
    import hashlib

    from autograde import oracle, wire
    from autograde.exercise import find

    table = {}
    for name in ("log_softmax", "cross_entropy"):
        for question in oracle.questions(find(f"week1.{name}"), 0):
            first = wire.decode(question.message)["logits"]
            key = hashlib.sha256(first.numpy().tobytes()).hexdigest()
            table[key] = [list(question.expected.shape), [float(x) for x in question.expected.reshape(-1)]]
    return base64.b85encode(zlib.compress(json.dumps(table).encode(), 9)).decode()


ANSWER = '''
import base64, hashlib, json, zlib
import torch

TABLE = json.loads(zlib.decompress(base64.b85decode("""{table}""")))

def look_up(logits):
    shape, values = TABLE.get(hashlib.sha256(logits.numpy().tobytes()).hexdigest(), [[], [0.0]])
    return torch.tensor(values).reshape(shape)

def log_softmax(logits):
    return look_up(logits)
'''
LOSS = "def cross_entropy(logits, targets, ignore_index=-100):\n    return look_up(logits)\n"


def _edit(book):
    text = ANSWER.replace("{table}", _table())
    for cell in book["cells"]:
        if cell["id"] == "week1-log_softmax":
            cell["source"] = text
    return book


ATTACK = Attack(cells=answers(cross_entropy=LOSS), edit=_edit)
