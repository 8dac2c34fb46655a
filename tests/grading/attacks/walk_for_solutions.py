"""The notebook walks the whole file system for Python files and notebooks that hold a solution, and runs what it finds.

Where the grader's machine is the instructor's, the source of the course lies a few folders away. Here the kernel sees
an interpreter, its packages and the bench, and none of the three has a solution.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import os, re, time

found, until = [], time.monotonic() + 30
for top in ("../../..", "/kit", "/work", "/home", "/root", "/srv", "/mnt", "/"):
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in ("proc", "sys", "torch", "transformers")]
        for name in files if time.monotonic() < until else ():
            if name.endswith((".py", ".ipynb")):
                try:
                    text = open(os.path.join(folder, name), encoding="utf-8", errors="ignore").read(400_000)
                except OSError:
                    continue
                if "BEGIN SOLUTION" in text and 'exercise="week1.' in text:
                    found.append(text)
for text in found:
    for body in re.findall(r'# %% exercise="week1.*?\\n(def .*?)### END SOLUTION', text, re.S):
        exec(body, globals())
"""
# without answers of its own: what the walk defines must not be overwritten
ATTACK = Attack(cells=answers(log_softmax="pass", cross_entropy="pass", sample="pass"), extra=[(None, CELL)])
