"""The answer returns a subclass of Tensor that takes every torch function that meets it and says True.

`torch.allclose(got, expected)` asks the subclass, through __torch_function__, for the result of its own judgement.
Here only bytes, a dtype and a shape leave the kernel, and the subclass stays behind.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("detach", "cpu", "contiguous", "reshape", "view", "numpy", "resolve_neg", "shape"):
            return super().__torch_function__(func, types, args, kwargs or {})
        return True

def log_softmax(logits):
    return (logits * 0).as_subclass(Agreeable)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
