"""The error that the answer raises has no readable text: its __str__ raises, loops, or gives a gigabyte.

Whoever formats the error runs the learner's code outside of the time limit, or prints for ever. Here the text is made
in the kernel and cut, and the kernel is given up when it takes too long.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import time

class Name(type):
    @property
    def __name__(cls):
        raise ValueError("no name")

class Silent(Exception, metaclass=Name):
    def __str__(self):
        raise self

    __repr__ = __str__

class Endless(Exception):
    def __str__(self):
        until = time.monotonic() + 600
        while time.monotonic() < until:
            try:
                while time.monotonic() < until:
                    pass
            except BaseException:
                pass

class Long(Exception):
    def __str__(self):
        return "x" * (1 << 28)

def log_softmax(logits):
    raise Silent

def cross_entropy(*args):
    raise Endless

def sample(*args):
    raise Long

raise Silent
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
