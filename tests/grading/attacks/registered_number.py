"""An object registers itself as a real number, and its float() sleeps, then raises what no `except Exception` catches.

Graders that accept 'anything numeric' call __float__, __array__ or __index__ of the learner's object at a moment at
which they do not expect his code to run. Here that moment is still inside the kernel, under the answer's time limit.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import numbers, time

class Slow:
    def __float__(self):
        time.sleep(2)
        raise GeneratorExit("LEAK: not now")

    __index__ = __int__ = __array__ = __float__

numbers.Real.register(Slow)

def cross_entropy(logits, targets, ignore_index=-100):
    return Slow()
"""
ATTACK = Attack(cells=answers(cross_entropy=ANSWER))
