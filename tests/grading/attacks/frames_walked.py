"""The answer climbs its call stack and looks into the locals of every caller for expected values.

`check` has computed, or will compute, what is right in one of the frames above the answer. Here the frames above are
the probe's, which know the inputs and nothing else.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import sys

def log_softmax(logits):
    frame, seen = sys._getframe(1), []
    while frame:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if "expected" in name or "solution" in name or "case" in name or "oracle" in name:
                seen.append(value)
        frame = frame.f_back
    for value in seen:
        if getattr(value, "shape", None) == logits.shape:
            return value
        if callable(value):
            try:
                return value({"logits": logits})
            except Exception:
                pass
    return logits * 0
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
