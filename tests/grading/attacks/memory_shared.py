"""The notebook fills shared mappings and nameless files in memory, up to five gigabytes, which belong to no process's
own data.

RLIMIT_DATA does not count them, and a supervisor that sums private pages does not see them. Here they count like all
memory, or the machine's remaining memory is at stake.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import mmap, time

    kept = []
    for _ in range(16):
        kept.append(mmap.mmap(-1, 256 << 20))  # shared, without a name
        for page in range(0, 256 << 20, 4096):
            kept[-1][page] = 1
        try:
            kept.append(os.memfd_create("hog"))
            for _ in range(64):
                os.write(kept[-1], b"x" * (1 << 20))
        except OSError:
            pass
    time.sleep(3)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
