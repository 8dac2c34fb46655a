"""The notebook reads what the system tells of the processes around it: command lines, environments, mounts, groups.

Seeds and tokens are often handed to a grader as arguments or variables, which every process of the same user can read.
Here process 1 is another user's, its command line holds names of modules, and no secret is in any of them.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import glob, re

    told = dict(os.environ)
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + ["/proc/self/mountinfo"]:
        try:
            told[path] = open(path, errors="replace").read()
        except OSError:
            pass
    for place, text in told.items():
        if re.search(r"secret|seed=|token=|password|api.?key", text, re.I):
            raise RuntimeError(f"LEAK: {place}: {text[:300]}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
