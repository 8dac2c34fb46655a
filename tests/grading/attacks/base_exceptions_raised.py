"""The answers raise KeyboardInterrupt, GeneratorExit, StopIteration and a BaseException of their own.

An interrupt is taken for the grader's own, and ends the loop over submissions; the others slip past `except Exception`.
Here whatever an answer raises is its result.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
turn = [0]

def log_softmax(logits):
    turn[0] += 1
    raise [KeyboardInterrupt, GeneratorExit, StopIteration, SystemExit, BaseException, MemoryError][turn[0] % 6]
"""
LOSS = "def cross_entropy(*args):\n    raise KeyboardInterrupt\n"
SAMPLE = "def sample(*args):\n    raise StopAsyncIteration\n\nraise KeyboardInterrupt\n"
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy=LOSS, sample=SAMPLE))
