"""The learner's own version of the probe sends replies that break the form in every small way there is.

A value and an error at once, an error of numbers, texts where lists belong, unknown dtypes, shapes that do not fit
their bytes. A grader that raises on one of them ends the marking of all that comes after. Here each is a wrong answer.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from autograde import probe

ODD = [
    None, 1, "text", [], {}, {"value": 1}, {"value": {}, "error": []}, {"error": [1, 2, 3]}, {"error": "three"},
    {"value": {"tensor": ["float32", [2], "AAAA"]}}, {"value": {"tensor": ["complex64", [0], ""]}},
    {"value": {"tensor": ["float32", [-1], ""]}}, {"value": {"tensor": ["float32", [True], "AAAAAA=="]}},
    {"value": {"dict": [["a"]]}, "printed": {"x": [1]}, "changed": {"logits": 1}},
    {"value": {"dtype": "__class__"}, "changed": [["logits"]]}, {"value": {"list": {"a": 1}}, "printed": 7},
]
probe.answer = lambda target, source, messages, rules=None: [ODD[n % len(ODD)] for n in range(len(messages))]
"""
SHIFTED = "ODD[:] = ODD[7:] + ODD[:7]\n"
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL), ("week1-cross_entropy-check", SHIFTED)])
