"""Beside a good notebook lie a named pipe, a socket, a folder of the notebook's name, and files that may not be read.

Copying the folder opens each of them: a pipe waits, a socket raises. Here the notebook is graded, and the rest is left
alone.
"""

import os
import socket

from tests.grading.attacks import NOTEBOOK, Attack, answers


def _hand_in(folder, notebook):
    (folder / NOTEBOOK).write_bytes(notebook)
    os.mkfifo(folder / "data.csv")
    os.mkfifo(folder / "more.ipynb")
    (folder / "timestamp.txt").mkdir()
    (folder / "deep" / NOTEBOOK).mkdir(parents=True)
    (folder / "locked.ipynb").write_bytes(notebook)
    (folder / "locked.ipynb").chmod(0)
    with socket.socket(socket.AF_UNIX) as link:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path is short
        try:
            link.bind("link")
        finally:
            os.chdir(here)


ATTACK = Attack(cells=answers(), hand_in=_hand_in)
