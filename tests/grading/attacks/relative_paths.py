"""The notebook opens source, release, autograded and gradebook by the relative paths of an nbgrader course.

nbgrader runs a notebook in autograded/STUDENT/ASSIGNMENT, so ../../../source is the solution and ../../OTHER the
neighbour's work. Here the working folder is an empty one in a file system that has no course.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import glob, json

loot = []
for up in ("..", "../..", "../../.."):
    for name in ("source", "solutions", "release", "submitted", "autograded", "feedback", "*"):
        loot += glob.glob(f"{up}/{name}/**/*.ipynb", recursive=True)[:200]
for path in loot:
    for cell in json.load(open(path)).get("cells", []):
        text = "".join(cell.get("source", ""))
        if "def log_softmax" in text or "def cross_entropy" in text or "def sample" in text:
            try:
                exec(text.replace("raise NotImplementedError", "pass"), globals())
            except Exception:
                pass
"""
ATTACK = Attack(cells=answers(log_softmax="pass", cross_entropy="pass", sample="pass"), extra=[(None, CELL)])
