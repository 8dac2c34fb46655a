"""The folder that was handed in has everything but the notebook: a PDF of it, a text, and a Python file of it.

It is a misunderstanding and not an attack, and it has to be told apart from a learner who handed in nothing. Here there
is nothing to grade, and it is said.
"""

from tests.grading.attacks import Attack, answers


def _hand_in(folder, notebook):
    (folder / "small.pdf").write_bytes(b"%PDF-1.4\n")
    (folder / "small.py").write_bytes(b"print('my answers')\n")
    (folder / "small.ipynb.txt").write_bytes(notebook)


ATTACK = Attack(kind="broken", cells=answers(), hand_in=_hand_in, honest=())
