"""The notebook reads where the course is installed from, out of site-packages, and puts that folder on its path.

An editable install leaves a .pth file and a direct_url.json that name the checkout, solutions and all. Here the file
tells a path, and at that path nothing is.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import glob, json, os, re, site, sys

places = set()
for folder in [*site.getsitepackages(), *sys.path]:
    for path in glob.glob(f"{folder}/*.pth") + glob.glob(f"{folder}/*.dist-info/direct_url.json"):
        places |= set(re.findall(r"(?:file://)?(/[^\\s\\"']+)", open(path, errors="ignore").read()))
sys.path[:0] = sorted(places)
for name in [name for name in sys.modules if name.partition(".")[0] == "autograde"]:
    del sys.modules[name]
sys.path[:] = [path for path in sys.path if path != "/kit"] + ["/kit"]
try:
    from autograde.exercises.week1 import EXERCISES
    for exercise in EXERCISES:
        raise RuntimeError(f"LEAK: {exercise.misconceptions}")
except ImportError:
    pass
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
