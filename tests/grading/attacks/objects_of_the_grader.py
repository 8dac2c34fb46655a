"""The answer asks the garbage collector for every object, and takes what looks like an exercise or an expected value.

In the learner's process a check holds its expected results somewhere, and gc.get_objects finds them wherever they are.
Here no such object was ever made in the process that the kernel is forked from.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import gc

def log_softmax(logits):
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Exercise", "Question", "Case", "Misconception"):
            print("LEAK:", type(thing).__name__, thing)
            expected = getattr(thing, "expected", None)
            if callable(expected):
                return expected({"logits": logits})
        if isinstance(thing, dict) and "expected" in thing and hasattr(thing["expected"], "shape"):
            return thing["expected"]
    return logits * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
