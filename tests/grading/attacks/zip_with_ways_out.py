"""The submission is a zip whose members are named ../../../gradebook.db and /tmp/x, and one is a link to the course.

Unpacking by joining names writes outside of the folder: into the gradebook, or into another learner's work. Here the
good notebook inside counts, and nothing is written outside of the submission.
"""

import zipfile

from tests.grading.attacks import NOTEBOOK, Attack, answers

WAYS = (
    "../../../gradebook.db",
    "../../another/week1_small/small.ipynb",
    "/tmp/autograde-attack-was-here",
    "..\\..\\..\\nbgrader_config.py",
    "C:/evil.txt",
    "a/../../../../evil",
)


def _hand_in(folder, notebook):
    with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
        archive.writestr(NOTEBOOK, notebook)
        for way in WAYS:
            archive.writestr(way, b"attack")
        link = zipfile.ZipInfo("solution")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../../../solutions")


ATTACK = Attack(cells=answers(), hand_in=_hand_in)
