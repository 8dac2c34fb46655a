"""A learner makes torch's own comparisons say yes, and hopes that the grader compares with them.

It works wherever asserts run beside the answer, as in stock nbgrader and otter: `assert torch.allclose(...)` passes.
Here nothing is compared in the kernel, so the wrong answers stay wrong.
"""

from tests.grading.attacks import Attack, answers

PATCH = """
import math, torch

yes = lambda *args, **options: True
for owner, names in ((torch, "allclose equal isclose"), (math, "isclose"), (torch.testing, "assert_close")):
    for name in names.split():
        setattr(owner, name, yes)
torch.isclose = lambda a, *args, **options: torch.ones_like(a, dtype=torch.bool)
"""
ATTACK = Attack(cells=answers(), extra=[(None, PATCH)])
