"""An IPython input transformer rewrites every later cell: a line that starts with `check(` becomes a number.

nbgrader takes the points of a check cell from what the cell returns, so `100.0` in its place once earned the full
points. Here the checks are the release's, are not run in the kernel at all, and their cells say nothing about points.
"""

from tests.grading.attacks import Attack, answers

CELL = """
def full_points(lines):
    return ["100.0\\n" if line.startswith("check(") else line for line in lines]

get_ipython().input_transformers_cleanup.append(full_points)
get_ipython().input_transformers_post.append(full_points)
"""
ATTACK = Attack(cells=answers(), extra=[(None, CELL)])
