"""Loops without an end hide in __del__, __repr__, atexit and a weakref's callback of objects that the answer returns.

They run as the process ends or collects, when no time limit is on any more. Here a kernel that does not end by itself
is killed.
"""

from tests.grading.attacks import Attack, answers, inside

ANSWER = """
import atexit, threading, time, weakref

def stay(*args):
    until = time.monotonic() + 600
    while time.monotonic() < until:
        try:
            time.sleep(1)
        except BaseException:
            pass

class Sticky:
    __del__ = __repr__ = __str__ = stay

def log_softmax(logits):
    thing = Sticky()
    ring = [thing]
    ring.append(ring)
    return thing
""" + inside("atexit.register(stay)\nthreading._register_atexit(stay)\n")
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
