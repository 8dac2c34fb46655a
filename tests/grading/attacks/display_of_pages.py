"""A cell displays a thousand pages of HTML of a hundred kilobytes each, with pictures and widgets.

A grader that keeps outputs as a notebook does keeps all of it, and the feedback page shows it. Here what a cell
displays while it is graded is dropped.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from IPython.display import HTML, Image, Javascript, display

page = "<div>" + "long " * 20_000 + "</div>"
for number in range(1000):
    display(HTML(page), Javascript("alert(1)"))
display({"image/png": "AAAA" * 1_000_000, "text/html": page}, raw=True)
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
