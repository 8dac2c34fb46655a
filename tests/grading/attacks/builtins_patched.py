"""len, sum, abs, isinstance, all, any, type and callable say what suits the learner, for everything in the kernel.

A check that runs beside the answer is built from these words, so `all(...)` is true and every length fits. Here the
words that decide are spoken in another process.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import builtins

builtins.all = builtins.any = builtins.callable = builtins.hasattr = lambda *args: True
builtins.abs = builtins.sum = lambda *args: 0
builtins.len = lambda thing: 1
builtins.isinstance = builtins.issubclass = lambda *args: True
builtins.AssertionError = builtins.Exception = type("Nothing", (BaseException,), {})
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
