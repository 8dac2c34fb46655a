"""The notebook tries to leave a file in every folder of the machine, and to change the files of the check itself.

One writable folder on the path of the next kernel, or of the grader, is enough: a file named json.py waits there. Here
two folders can be written, and no other kernel sees them.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import time

    until, written = time.monotonic() + 30, []
    for folder, folders, files in os.walk("/"):
        if folder.startswith(("/tmp", "/dev/shm", "/proc")):
            folders[:] = []
            continue
        if time.monotonic() > until:
            break
        try:
            with open(os.path.join(folder, "json.py"), "w") as file:
                file.write("raise SystemExit")
            written.append(folder)
        except OSError:
            pass
    for path in ("/kit/autograde/probe.py", "/kit/inside/kernel.py", "/etc/passwd", "/usr/bin/python3"):
        for act in (lambda: open(path, "r+"), lambda: os.chmod(path, 0o777), lambda: os.unlink(path)):
            try:
                act()
                written.append(path)
            except OSError:
                pass
    if written:
        raise RuntimeError(f"LEAK: written {written[:5]}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
