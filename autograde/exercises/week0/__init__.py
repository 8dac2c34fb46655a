"""Week 0: Jupyter and PyTorch as this course uses them. No points, the same checks."""

from autograde.exercises.week0.center_rows import CENTER_ROWS
from autograde.exercises.week0.gradient_of import GRADIENT_OF
from autograde.exercises.week0.missing_grads import MISSING_GRADS
from autograde.exercises.week0.pairwise_differences import PAIRWISE_DIFFERENCES
from autograde.exercises.week0.practice import PRACTICE

EXERCISES = (PRACTICE, CENTER_ROWS, PAIRWISE_DIFFERENCES, GRADIENT_OF, MISSING_GRADS)
