"""The notebook looks through its open files, and through /proc/*/fd and /proc/*/root, for a gradebook or a journal.

A kernel that is forked by the grader inherits what the grader has open, whatever the file permissions say. Here a
kernel has its three standard streams, none of which lead anywhere, and one socket.
"""

from pathlib import Path

from tests.grading.attacks import Attack, answers, inside

CELL = inside(
    """
    import glob

    for link in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/cwd") + glob.glob("/proc/[0-9]*/root"):
        try:
            where = os.readlink(link)
            if os.path.isdir(link):
                names = os.listdir(link + "REPOSITORY") + os.listdir(link + "REPOSITORY/solutions")
                raise RuntimeError(f"LEAK: {link} -> {names}")
            if where.endswith((".db", ".jsonl", ".py", ".ipynb", "secret", "key")):
                raise RuntimeError(f"LEAK: {link} -> {where}: {open(link).read(100)}")
        except OSError:
            pass
""".replace("REPOSITORY", str(Path(__file__).resolve().parents[3]))
)
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
