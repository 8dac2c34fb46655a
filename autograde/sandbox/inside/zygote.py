"""Imports once, then forks a kernel for each submission, in fresh namespaces. No learner's code ever runs in it.

It computes nothing with torch: a process that forks after a parallel operator hangs. `--one` is the cold way, for
machines where namespaces do not nest: this process itself, enclosed by what started it, becomes the one kernel.
"""

import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from inside import enclose, kernel  # noqa: E402

LAST_WORDS = 2000  # bytes kept of what a kernel wrote to its standard error before it ended


def load(modules):
    """Import what notebooks will → (IPython's shell, a line for each module that did not load)."""
    import autograde.probe  # noqa: F401

    failed = []
    for name in modules:
        try:
            with open(os.devnull, "w") as null, contextlib.redirect_stderr(null), contextlib.redirect_stdout(null):
                importlib.import_module(name)
        except Exception as error:  # a notebook's own import will say so too; the class is graded all the same
            failed.append(f"{name}: {type(error).__name__}: {error}"[:300])
    shell = kernel.make_shell()
    gc.collect()
    gc.freeze()  # fewer pages are copied in the children
    return shell, failed


def become_kernel(shell, limits, uid, read, write):
    """The last steps of a process on its way to being a kernel; does not return."""
    enclose.limit(limits)
    enclose.drop_privileges(uid)
    os.chdir("/tmp")
    sys.path.insert(0, "")
    _same_numbers_again()
    kernel.serve(shell, read, write)


def _same_numbers_again():
    """An answer that draws without a seed gets the same numbers whenever its submission is graded."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)


# --- one kernel -------------------------------------------------------------------------------------------------------


def first_process(shell, request, link, log):
    """Process 1 of the kernel's namespace: builds its file system, forks it, reaps, passes an interrupt on."""
    limits, uid = request["limits"], request["uid"]
    enclose.private_files(uid, limits["files_mb"])
    null = os.open(os.devnull, os.O_RDWR)
    for fd, here in ((null, 0), (null, 1), (log, 2)):
        os.dup2(fd, here)
    os.dup2(link, 3)
    os.closerange(4, 1 << 16)
    os.setsid()
    child = os.fork()
    if child == 0:
        _or_die(become_kernel, shell, limits, uid, 3, 3)
    os.close(3)
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(child, signal.SIGINT))
    while True:
        pid, status = os.wait()
        if pid == child:  # with process 1 end all that the kernel started
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def attend(shell, connection, request, link):
    """One for each kernel, outside its namespaces: starts it, ends it when the grader says so or goes away."""
    connection.sendall(b"?")  # the grader reads this process's number off it, and may limit it
    if connection.recv(1) != b"!":
        return
    enclose.new_namespaces()
    log, log_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        connection.close()
        _or_die(first_process, shell, request, link, log_end)
    os.close(link), os.close(log_end)
    connection.sendall(b"started\n")
    end, words, watched = os.pidfd_open(pid), b"", [connection, log]
    allowed = request["watch_mb"] * enclose.MB
    while True:
        ready = select.select([*watched, end], [], [], 0.25 if allowed else None)[0]
        if log in ready:
            said = os.read(log, 65536)
            words = (words + said)[-LAST_WORDS:]
            watched = watched if said else [connection]
        if connection in ready:
            os.kill(pid, signal.SIGUSR1 if connection.recv(1) == b"I" else signal.SIGKILL)
        if end in ready:
            break
        if allowed and _grown(pid) > allowed:
            words += b"more memory than allowed, over all its processes"
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    said = {"exit": os.waitstatus_to_exitcode(status), "words": words.decode("utf-8", "replace")}
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(said).encode() + b"\n")


def _grown(pid):
    """Bytes that the processes below `pid` hold beyond what they were forked with; where no cgroup counts them."""
    inherited, total, waiting = _anonymous("self"), 0, [pid]
    for process in waiting:
        with contextlib.suppress(OSError):
            with open(f"/proc/{process}/task/{process}/children") as file:
                waiting += file.read().split()
            total += max(0, _anonymous(process) - inherited)
    return total


def _anonymous(process):
    with open(f"/proc/{process}/statm") as file:
        _, resident, shared, *_ = map(int, file.read().split())
    return (resident - shared) * os.sysconf("SC_PAGESIZE")


def _or_die(function, *args):
    """What follows a fork: this function, and then nothing more of the parent's program."""
    try:
        function(*args)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(70)


# --- the zygote -------------------------------------------------------------------------------------------------------


def serve(listener, modules):
    """Fork a process that attends one kernel, for each connection, until the grader goes away."""
    began = time.monotonic()
    enclose.own_proc()
    shell, failed = load(modules)
    threads = len(os.listdir("/proc/self/task"))
    print(json.dumps({"seconds": time.monotonic() - began, "failed": failed, "threads": threads}), flush=True)
    while True:
        ready = select.select([listener, 0], [], [], 1.0)[0]
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if 0 in ready:  # our standard input closed: whoever started this is gone
            return
        if listener not in ready:
            continue
        connection, _ = listener.accept()
        message, fds, _, _ = socket.recv_fds(connection, 65536, 1)
        if message and fds and os.fork() == 0:
            listener.close()
            _or_die(attend, shell, connection, json.loads(message), fds[0])
        connection.close()
        for fd in fds:
            os.close(fd)


def one(request):
    """Become a kernel that speaks on standard input and output."""
    shell, _ = load(request["modules"])
    link = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0), os.dup2(null, 1)
    become_kernel(shell, request["limits"], request["uid"], *link)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(json.loads(sys.argv[2]))
    else:
        serve(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
