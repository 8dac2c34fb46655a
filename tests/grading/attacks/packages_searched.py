"""The notebook searches the installed packages for the checks' tests, as otter and others store them beside the code.

Hidden tests that ship in a package, a .pkl or a zip are found by one search for the exercise's id. Here the id stands
nowhere in the packages that the kernel sees.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import os, sys, time, zipfile

wanted, until, loot = b"week1.log" + b"_softmax", time.monotonic() + 20, []
for top in {os.path.realpath(path) for path in sys.path if path and os.path.isdir(path)}:
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in ("torch", "transformers", "numpy", "sympy", "matplotlib")]
        for name in files if time.monotonic() < until else ():
            path = os.path.join(folder, name)
            try:
                if name.endswith((".py", ".pkl", ".json", ".otter", ".ok")) and os.path.getsize(path) < 1 << 20:
                    loot += [path] if wanted in open(path, "rb").read() else []
                elif name.endswith((".zip", ".whl")):
                    loot += [n for n in zipfile.ZipFile(path).namelist() if "autograde" in n]
            except (OSError, zipfile.BadZipFile):
                pass
loot = [path for path in loot if not path.startswith("/tmp")]
if loot:
    raise RuntimeError(f"LEAK: {loot[:5]}")
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
