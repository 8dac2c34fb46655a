"""The notebook makes empty files, folders in folders and hard links until no more can be made.

A quota on bytes does not count them, and whoever cleans up later walks through a million names. Here the number of
files is limited too, and nobody walks: the file system ends with the kernel.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    try:
        for depth in range(3000):
            os.mkdir("deeper")
            os.chdir("deeper")
    except OSError:
        pass
    try:
        for number in range(100_000):
            open(f"/tmp/{number}", "w").close()
    except OSError:
        pass
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
