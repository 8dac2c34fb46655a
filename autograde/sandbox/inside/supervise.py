"""The process that stays with a kernel: passes interrupts on, ends it when told to or left alone, counts its memory."""

import contextlib
import os
import select
import signal

from inside.enclose import MB

LAST_WORDS = 2000  # bytes kept of what a kernel wrote to its standard error before it ended
EVERY = 0.25  # seconds between two looks at the memory


def supervise(pid: int, control: int, log: int, interrupt: signal.Signals, memory_mb: int) -> dict:
    """Until process `pid` has ended → {"exit": its code, or minus the signal, "words": its last words}.

    control: a file descriptor; an I that arrives there is sent on as the signal `interrupt`, all else ends the kernel,
    the end of it too. log: the kernel's standard error. memory_mb: what everything below this process may hold beyond
    what this process does; 0 where a control group counts it.
    """
    end, words, reason, watched, inherited = os.pidfd_open(pid), b"", "", [control, log], _rss("self")
    while True:
        ready = select.select([*watched, end], [], [], EVERY if memory_mb else None)[0]
        if log in ready:
            said = _read(log)
            words = (words + said)[-LAST_WORDS:]
            watched = watched if said else [control]
        if control in ready:
            os.kill(pid, interrupt if _read(control, 1) == b"I" else signal.SIGKILL)
        if (status := _reap(pid)) is not None:
            break
        if memory_mb and _is_over(memory_mb * MB, inherited):
            reason = "more memory than allowed, over all its processes"
            os.kill(pid, signal.SIGKILL)
    os.close(end)
    if select.select([log], [], [], 0)[0]:
        words += _read(log)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        reason = reason or f"ended by {signal.Signals(-code).name}"
    return {"exit": code, "words": f"{words.decode('utf-8', 'replace')}\n{reason}".strip()[-LAST_WORDS:]}


def _read(fd, size=65536):
    try:
        return os.read(fd, size)
    except OSError:  # a socket whose other end went away with something unread: that is an end too
        return b""


def _reap(pid):
    """Collect every child that has ended, orphans too where this is process 1 → the status of `pid` once it has."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found = ended[1] if ended[0] == pid else found
    return found


def _is_over(allowed, inherited):
    """Whether the processes below this one hold more than `allowed` and what they were forked with.

    The quick sum counts a page once for each process that has it; only if that is too much, the slow one decides.
    """
    below = _below()
    if sum(map(_rss, below)) <= allowed:
        return False
    return sum(map(_pss, below)) > allowed + inherited


def _below():
    """Numbers of all processes that descend from this one: a thread's children are listed with that thread."""
    found, waiting = [], ["self"]
    for process in waiting:
        with contextlib.suppress(OSError):  # it has ended
            for task in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{task}/children") as file:
                    waiting += file.read().split()
        found.append(process)
    return found[1:]


def _rss(process):
    """Bytes of memory that are no file's: its own and shared ones."""
    return _sum(f"/proc/{process}/status", ("RssAnon:", "RssShmem:"))


def _pss(process):
    """The same, with each shared page divided by those who share it; as _rss where the process hides this."""
    return _sum(f"/proc/{process}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) or _rss(process)


def _sum(path, names):
    try:
        with open(path) as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(names))
    except OSError:  # it has ended, or it may not be looked at
        return 0
