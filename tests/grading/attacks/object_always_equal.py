"""The answer returns an object that equals, exceeds and contains everything, and is a number when asked.

`assert got == expected` calls the learner's own __eq__ first, so stock asserts pass. Here an object that is no plain
data cannot leave the kernel: the answer is told so, and gets nothing.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
class Anything:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
    __sub__ = __rsub__ = __abs__ = __getattr__ = __getitem__ = __call__ = lambda self, *args: self
    __float__ = lambda self: 0.0
    __iter__ = lambda self: iter(())

def log_softmax(logits):
    return Anything()
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="def cross_entropy(*args):\n    return Anything()"))
