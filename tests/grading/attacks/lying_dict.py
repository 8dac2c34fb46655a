"""A dict subclass has every key, no length, and items that differ each time; a str subclass equals every key.

`got["frequencies"] == expected["frequencies"]` passes for each key that a grader thinks of. Here the dict is written
out once, item by item, and what was written is what counts.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
class Key(str):
    __eq__ = lambda self, other: True
    __hash__ = lambda self: 0

class Obliging(dict):
    __contains__ = __eq__ = lambda self, other: True
    __missing__ = lambda self, key: self
    __getitem__ = lambda self, key: self
    items = lambda self: [(Key("frequencies"), 1.0), (Key("frequencies"), 2.0)]

def sample(logits, temperature, top_k, generator):
    return Obliging()
"""
ATTACK = Attack(cells=answers(sample=ANSWER, log_softmax="def log_softmax(logits):\n    return Obliging()"))
