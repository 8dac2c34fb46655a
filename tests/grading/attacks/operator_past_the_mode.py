"""The answer switches the dispatch mode off that refuses torch's own operators, calls one, and switches it on again.

torch has the switch, for its own use, and the mode runs in the learner's process. It is a courtesy that an honest
learner will not break by accident.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch
from torch.utils._python_dispatch import _disable_current_modes

def log_softmax(logits):
    with _disable_current_modes(), torch._C.DisableTorchFunction():
        return torch.log_softmax(logits, -1)
"""
ATTACK = Attack(kind="courtesy", cells=answers(log_softmax=ANSWER))
