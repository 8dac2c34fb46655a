"""The answers import the grader's own oracle, the exercises' specifications and the bank of known right answers.

A check that is installed beside the notebook carries the right results with it, and one import gets them. Here the
kernel's `autograde` is a stub with the probe; oracle, exercises and bank are not on its disk.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import importlib

def reference(name):
    for module, attribute in (("autograde.exercise", "find"), ("autograde.exercises.week1", "EXERCISES"),
                              ("tests.bank.week1_loss", "__dict__"), ("autograde.oracle", "find")):
        try:
            found = getattr(importlib.import_module(module), attribute)
            exercise = found("week1." + name) if callable(found) else next(e for e in found if e.name == name)
            return exercise.expected
        except Exception:
            continue
    return None

def log_softmax(logits):
    expected = reference("log_softmax")
    return expected({"logits": logits}) if expected else logits * 0

def cross_entropy(logits, targets, ignore_index=-100):
    expected = reference("cross_entropy")
    inputs = {"logits": logits, "targets": targets, "ignore_index": ignore_index}
    return expected(inputs) if expected else logits.sum() * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
