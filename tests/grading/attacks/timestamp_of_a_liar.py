"""The submission brings its own timestamp.txt: a year early, with a script in it and no end.

nbgrader reads the time of a submission from this file, which the learner can write, and the gradebook believes it. Here
a time that is none is none, and the answers are graded.
"""

from tests.grading.attacks import Attack, answers

TEXT = b"1999-12-31 23:59:59 <script>alert('XSS')</script> " + b"9" * 1_000_000
ATTACK = Attack(cells=answers(), files={"timestamp.txt": TEXT})
