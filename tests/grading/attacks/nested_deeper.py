"""The answers return a list nested 100,000 deep, and a list that contains itself.

Whoever walks it recurses until the stack ends; repr, copy and pickle do. Here the kernel walks eight levels.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep

def cross_entropy(logits, targets, ignore_index=-100):
    ring = {}
    ring["again"] = [ring, ring]
    return ring

def sample(logits, temperature, top_k, generator):
    ring = []
    ring += [ring] * 10
    return ring
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
