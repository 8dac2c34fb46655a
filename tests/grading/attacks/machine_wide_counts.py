"""The notebook uses up what a machine has once for all: asynchronous I/O, watches, locks, pseudo-terminals, timers.

Such counts belong to no namespace, and when they are gone the database and the editor outside fail. Here what a kernel
takes is given back as it ends, and what it can take is bounded.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import ctypes, pty

    libc, kept = ctypes.CDLL(None, use_errno=True), []
    for _ in range(600):
        try:
            kept.append(pty.openpty())
        except OSError:
            break
    for _ in range(600):
        watch = libc.inotify_init()
        if watch < 0:
            break
        libc.inotify_add_watch(watch, b"/tmp", 0xFFF)
    if os.uname().machine == "x86_64":
        for size in (60_000, 4000, 1000):
            context = ctypes.c_ulong(0)
            libc.syscall(206, size, ctypes.byref(context))  # io_setup
        for number in range(5000):
            timer = ctypes.c_int()
            libc.syscall(222, 1, None, ctypes.byref(timer))  # timer_create
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
