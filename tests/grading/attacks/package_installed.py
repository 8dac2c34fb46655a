"""A cell installs a package with pip and fetches a data set, as a notebook from Colab does, where no network is.

pip tries again and again, and a download waits for a name. Both are honest, and neither may cost the answers. Here the
cells fail or are interrupted, and the grading goes on.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import sys, subprocess

command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", "here", "--index-url", "https://192.0.2.1/"]
subprocess.run([*command, "no-such-package"])
"""
FETCH = """
import urllib.request

urllib.request.urlretrieve("https://192.0.2.1/data.csv", "data.csv")
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax", CELL), ("week1-log_softmax-check", FETCH)])
