"""An int subclass answers each question about itself anew: its bit length is small, its value has 100,000 digits.

Checks of the form 'is it small? then send it' fall to values that change between the look and the use. Here the far
side checks what arrives, and the frame that holds such a number is refused as a whole.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
class Small(int):
    def bit_length(self):
        return 3

    def __int__(self):
        return Small(10**100_000)

def cross_entropy(logits, targets, ignore_index=-100):
    return Small(10**100_000)
"""
ATTACK = Attack(cells=answers(cross_entropy=ANSWER))
