"""The schedules of transformers as its installed file defines them, read without importing the package.

The import takes seconds and brings peft and bitsandbytes along; the schedules themselves need nothing but torch.
"""

import __future__

import ast
import functools
import importlib.util
import math
import warnings
from pathlib import Path

import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from autograde.exercise import Tolerance
from autograde.exercises.draws import integer, uniform

# A float32 cosine near its bottom is off by 6e-8 of the peak: rates up to 1e-2 pass.
CLOSE = Tolerance(rtol=1e-5, atol=2e-9)


@functools.cache
def _library():
    folder = importlib.util.find_spec("transformers").submodule_search_locations[0]
    path = Path(folder, "optimization.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    namespace = {"LambdaLR": LambdaLR, "ReduceLROnPlateau": ReduceLROnPlateau, "math": math, "warnings": warnings}
    namespace |= {"partial": functools.partial}
    exec(compile(tree, str(path), "exec", __future__.annotations.compiler_flag), namespace)
    return namespace


def by_transformers(name: str, step: int, peak_lr: float, **settings) -> float:
    """The learning rate of one step under the schedule that transformers calls `name`, a function of its API."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=peak_lr)
    schedule = _library()[name](optimizer, **settings)
    return peak_lr * schedule.lr_lambdas[0](step)


def a_rate(rng):
    """A learning rate from 2e-4 to 9e-3 with two figures."""
    return float(f"{10 ** uniform(rng, -3.7, -2.05):.1e}")


def lengths(rng):
    """→ (warmup, later): steps of a warmup and of what comes after it, even numbers."""
    return 2 * integer(rng, 4, 12), 2 * integer(rng, 20, 60)
