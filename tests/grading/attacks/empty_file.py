"""The file that was handed in has no bytes: an upload that was cut short, or a disk that was full.

json raises, and with stock nbgrader the submission is 'failed' with a trace that nobody reads. Here it is graded as
unreadable, with no points and a line that says why; its learner has nothing to be honest about.
"""

from tests.grading.attacks import Attack, answers

ATTACK = Attack(kind="broken", cells=answers(), edit=lambda book: b"", honest=())
