"""A learner replaces the operators of torch.Tensor and numpy themselves: every tensor equals every other.

It beats `(got == expected).all()` and `np.testing.assert_allclose` beside the answer. Here the comparison is made in
another process, whose Tensor is as torch made it.
"""

from tests.grading.attacks import Attack, answers

PATCH = """
import numpy as np
import torch

for name in ("__eq__", "__le__", "__ge__", "eq", "isclose", "allclose", "equal", "all", "any"):
    setattr(torch.Tensor, name, lambda self, *args, **options: torch.tensor(True))
torch.Tensor.__ne__ = lambda self, other: torch.tensor(False)
np.allclose = np.array_equal = lambda *args, **options: True
np.testing.assert_allclose = lambda *args, **options: None
"""
ATTACK = Attack(cells=answers(), extra=[(None, PATCH)])
