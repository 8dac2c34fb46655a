"""The loss comes as a subclass of float whose comparisons and differences always please.

`abs(got - expected) < 1e-6` then asks the learner's __sub__ and __abs__. Here the number is what float() makes of it in
the kernel, and it is compared as a plain float elsewhere.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
class Close(float):
    __eq__ = __lt__ = __le__ = __ge__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = lambda self, *other: Close(0.0)
    __float__ = lambda self: self
    __hash__ = float.__hash__

def cross_entropy(logits, targets, ignore_index=-100):
    return Close(1.0)
"""
ATTACK = Attack(cells=answers(cross_entropy=ANSWER))
