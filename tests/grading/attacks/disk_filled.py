"""The notebook writes two gigabytes into every folder that it can, and removes half of it again.

A full disk stops the grader's gradebook in the middle of a transaction, and everyone else on the machine. Here the only
places that can be written are small, and the kernel's own.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    written = []
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/dev/mqueue", "/run"):
        for number in range(20):
            path = f"{folder}/filler-{number}"
            try:
                with open(path, "wb") as file:
                    written.append(path)
                    for _ in range(100):
                        file.write(bytes(1 << 20))
            except OSError:
                break
    for path in written[::2]:  # the rest stays, so that the next cell meets a full disk
        os.unlink(path)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
