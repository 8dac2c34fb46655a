"""A shell magic starts the classic bomb of the shell, in a thousand copies that each start another.

Limits that are set on Python objects, or counted by a hook on os.fork, do not see a shell. Here the system counts.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import subprocess, time

    bomb = 'f() { [ "$1" -gt 0 ] && { f $(($1 - 1)) & f $(($1 - 1)) & }; sleep 600; }; f 9'
    for _ in range(2):
        try:
            subprocess.Popen(["/bin/sh", "-c", bomb], start_new_session=True)
        except OSError:
            pass
    time.sleep(2)
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
