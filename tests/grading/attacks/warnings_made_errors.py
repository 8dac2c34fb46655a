"""A cell turns every warning into an error, for Python and for numpy, and adds a warning to what is printed.

It is good practice while debugging, and it makes the grader's own imports raise. The honest answer warns, as a
deprecated function would. Here an answer starts from the ordinary filters.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import warnings
import numpy as np

warnings.simplefilter("error")
np.seterr(all="raise")
"""
HONEST = """
import math, warnings
import numpy as np

def initial_loss(vocab_size):
    warnings.warn("deprecated")
    np.float64(1.0) / np.float64(0.0)
    return math.log(vocab_size)
"""
ATTACK = Attack(kind="broken", cells=answers(initial_loss=HONEST), extra=[("week1-log_softmax", CELL)])
