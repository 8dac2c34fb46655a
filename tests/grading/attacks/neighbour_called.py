"""The answers look for functions of their own names in all of the bench that a notebook may import, and call those.

Learning material often carries the next exercise's solution in a helper. Here the bench that a notebook may import has
no function that answers an exercise.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import importlib, pkgutil
import torch

def find(name):
    import course.lab
    for module in pkgutil.walk_packages(course.lab.__path__, "course.lab."):
        try:
            found = getattr(importlib.import_module(module.name), name, None)
        except BaseException:
            continue
        if callable(found):
            return found

def log_softmax(logits):
    return (find("log_softmax") or (lambda x: x * 0))(logits)

def cross_entropy(logits, targets, ignore_index=-100):
    return (find("cross_entropy") or (lambda x, y, z: x.sum() * 0))(logits, targets, ignore_index)

def sample(logits, temperature, top_k, generator):
    return (find("sample") or (lambda *args: torch.zeros(len(logits), dtype=torch.int64)))(
        logits, temperature, top_k, generator)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
