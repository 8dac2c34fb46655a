"""Beside the notebook lie its checkpoint, a copy of the release, an older version, and names in other letters.

Whoever takes the first, the newest or each file grades the wrong one, or the learner twice. Here the name that was
released is the one that counts.
"""

from tests.grading.attacks import NOTEBOOK, Attack, answers

OTHERS = (
    ".ipynb_checkpoints/small-checkpoint.ipynb",
    "SMALL.IPYNB",
    "small.ipynb.bak",
    "small-copy.ipynb",
    "old/small.ipynb",
    "~$small.ipynb",
    "small\n.ipynb",
    "<script>alert('XSS')<|script>.ipynb",
    "$(touch here).ipynb",
    "-rf.ipynb",
)


def _hand_in(folder, notebook):
    for name in OTHERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"{}")
    (folder / NOTEBOOK).write_bytes(notebook)


ATTACK = Attack(kind="broken", cells=answers(), hand_in=_hand_in)
