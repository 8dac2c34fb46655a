"""What `autograde doctor` does inside a kernel to use too much of the machine, or to stay; see attacks.py."""

import contextlib
import mmap
import os
import signal
import sys
import time

MB = 1 << 20


def fork(facts):
    """How many processes could be started before the system refused."""
    children = []
    try:
        while len(children) < facts["most"]:
            if (child := os.fork()) == 0:
                time.sleep(20)
                os._exit(0)
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)


def memory(facts):
    """MB that one process could get."""
    held = []
    try:
        while len(held) * 16 < facts["most_mb"]:
            held.append(bytearray(16 * MB))
    except MemoryError:
        pass
    return len(held) * 16


def memory_of_all(facts):
    """MB that several processes hold together, each far from its own limit: private memory, or shared."""
    told, tell = os.pipe()
    children = []
    for _ in range(facts["processes"]):
        if (child := os.fork()) == 0:
            size = facts["each_mb"] * MB
            held = mmap.mmap(-1, size) if facts["shared"] else bytearray(size)
            for place in range(0, size, mmap.PAGESIZE):
                held[place] = 1
            os.write(tell, b".")
            time.sleep(20)
            os._exit(0)
        children.append(child)
    until, ready = time.monotonic() + 20, 0
    os.set_blocking(told, False)
    while ready < len(_alive(children)) and time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            ready += len(os.read(told, 4096))
        time.sleep(0.05)
    time.sleep(0.6)  # whoever counts has time to notice
    left = _alive(children)
    for child in left:
        os.kill(child, signal.SIGKILL)
    return len(left) * facts["each_mb"]


def _alive(children):
    """Those that have not ended; none of them is waited for, so that their numbers stay theirs."""
    return [child for child in children if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None]


def disk(facts):
    """{folder: (MB of one file, MB of all its files)} that could be written."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a refused write is an error then, not the end
    block, found = bytes(MB // 4), {}
    for folder in ("/tmp", "/dev/shm"):
        sizes = [1]
        while sizes[-1] and sum(sizes) < facts["most_mb"] * MB:
            sizes.append(_fill(os.path.join(folder, f"doctor-{len(sizes)}"), block, facts["most_mb"] * MB))
        for number in range(1, len(sizes)):
            os.unlink(os.path.join(folder, f"doctor-{number}"))
        found[folder] = [max(sizes) // MB, sum(sizes) // MB]
    return found


def _fill(path, block, most):
    size = 0
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while size < most:
            size += file.write(block)
    return size


def daemon(facts):
    """Start what means to outlive its kernel: in a session of its own, deaf to signals, its parent gone."""
    code = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]; time.sleep(30)"
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-S", "-c", code, facts["token"]])
        os._exit(0)
    os.waitpid(child, 0)
    return True
