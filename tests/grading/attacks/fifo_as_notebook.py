"""The notebook is a named pipe that nobody writes to.

open() for reading waits for a writer, for ever, in the grader's own process. Here what is no regular file is not
opened.
"""

import os

from tests.grading.attacks import NOTEBOOK, Attack, answers

ATTACK = Attack(cells=answers(), hand_in=lambda folder, notebook: os.mkfifo(folder / NOTEBOOK), honest=())
