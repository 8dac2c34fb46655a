"""The notebook tries what escapes from containers are made of: setuid, mount, unshare, ptrace, chroot, bpf, io_uring.

A container that runs as root, or that lets a user make namespaces, gave a way out more than once. Here each of these
calls is refused, also where the kernel of the machine would allow it.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import ctypes, platform

    libc = ctypes.CDLL(None, use_errno=True)
    calls = {
        "setuid": lambda: libc.setuid(0), "setgid": lambda: libc.setgid(0), "chroot": lambda: libc.chroot(b"/tmp"),
        "unshare user": lambda: libc.unshare(0x10000000), "unshare mount": lambda: libc.unshare(0x20000),
        "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), "umount": lambda: libc.umount2(b"/proc", 2),
        "ptrace": lambda: libc.ptrace(16, 1, 0, 0), "sethostname": lambda: libc.sethostname(b"x", 1),
        "settime": lambda: libc.clock_settime(0, ctypes.create_string_buffer(16)),
        "mknod": lambda: libc.mknod(b"/tmp/sda", 0o60666, 0x800), "personality": lambda: libc.personality(0x40000),
    }
    if platform.machine() == "x86_64":
        numbers = {"bpf": 321, "io_uring_setup": 425, "userfaultfd": 323, "keyctl": 250, "perf_event_open": 298,
                   "open_by_handle_at": 304, "pivot_root": 155, "fsopen": 430, "clone3": 435, "setns": 308}
        for name, number in numbers.items():
            calls[name] = lambda number=number: libc.syscall(number, 0, 0, 0, 0, 0)
        calls["clone into a user namespace"] = lambda: libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
    gained = []
    for name, call in calls.items():
        if call() >= 0:
            gained.append(name)
        elif ctypes.get_errno() not in (1, 13, 38):  # neither not permitted, nor absent
            gained.append(f"{name}: reached, error {ctypes.get_errno()}")
    if gained:
        raise RuntimeError(f"LEAK: gained {gained}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
