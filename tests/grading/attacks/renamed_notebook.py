"""The notebook was handed in under another name: 'small (1).ipynb', as a browser names the second download.

nbgrader looks for the released name and finds none: no points, for a good notebook. Here a browser's number is no
part of a name, and the honest answer counts.
"""

from tests.grading.attacks import Attack, answers

ATTACK = Attack(
    kind="broken",
    cells=answers(),
    hand_in=lambda folder, notebook: (folder / "small (1).ipynb").write_bytes(notebook),
)
