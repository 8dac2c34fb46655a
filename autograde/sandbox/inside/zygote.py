"""Imports once, then forks a kernel for each submission, in fresh namespaces. No learner's code ever runs in it.

It computes nothing with torch: a process that forks after a parallel operator hangs. Two ways are cold, for machines
where namespaces do not nest: `--one` forks one kernel in what bubblewrap made; `--contained` becomes one itself.
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
from inside.supervise import supervise  # noqa: E402


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


def first_process(shell, request, link, connection, begun):
    """Process 1 of the kernel's namespace: builds its file system, forks it, reaps, passes an interrupt on.

    The grader reads its number off its first word, and may limit it: so what stays outside is no kernel's to exhaust.
    """
    enclose.die_with_parent()
    connection.sendall(b"?")
    if connection.recv(1) != b"!":
        return
    connection.sendall(b"started\n")
    os.close(begun)
    enclose.private_files(request["uid"], request["limits"]["files_mb"], request["shown"])
    os.setsid()
    child = os.fork()
    if child == 0:
        _or_die(only_kernel, shell, request, link)
    keep_open()
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(child, signal.SIGINT))
    while True:
        pid, status = os.wait()
        if pid == child:  # with process 1 end all that the kernel started
            code = os.waitstatus_to_exitcode(status)
            if code < 0:
                os.write(2, f"\nended by {signal.Signals(-code).name}".encode())
            os._exit(code & 0xFF)


def only_kernel(shell, request, link):
    """The kernel proper, with nothing open but its link and its log."""
    keep_open(link)
    become_kernel(shell, request["limits"], request["uid"], 3, 3)


def keep_open(link=None):
    """0 and 1, which are empty from now on, 2, which is the log, and 3, which is the link; nothing else."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0), os.dup2(null, 1)
    if link is not None:
        os.dup2(link, 3)
    os.closerange(3 if link is None else 4, 1 << 16)


def attend(shell, connection, request, link):
    """One for each kernel, outside its namespaces: starts it, ends it when the grader says so or goes away."""
    try:
        enclose.new_namespaces()
    except OSError as error:
        connection.sendall(str(error).encode())
        return
    _look_after(connection, link, signal.SIGUSR1, request["watch_mb"], first_process, shell, request)


def _look_after(connection, link, interrupt, memory_mb, function, *args):
    """Fork a process that runs function(*args, link, connection), its standard error the log; stay until it ends.

    What comes over the connection is that process's until it has said that it started, which closes `begun`.
    """
    log, log_end = os.pipe()
    begun, begun_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(log_end, 2)
        _or_die(function, *args, link, connection, begun_end)
    os.close(link), os.close(log_end), os.close(begun_end)
    os.read(begun, 1)
    os.close(begun)
    said = supervise(pid, connection.fileno(), log, interrupt, memory_mb)
    with contextlib.suppress(OSError):  # the grader is gone
        connection.sendall(json.dumps(said).encode() + b"\n")


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


# --- the cold way -----------------------------------------------------------------------------------------------------


def one(request, link, connection):
    """Process 1 of the one namespace that there is, which stays with one kernel as `attend` does."""
    shell, _ = load(request["modules"])
    enclose.hide()
    memory_mb = request["limits"]["memory_mb"]
    _look_after(socket.socket(fileno=connection), link, signal.SIGINT, memory_mb, cold_kernel, shell, request)


def cold_kernel(shell, request, link, connection, begun):
    """The kernel proper, where bubblewrap made the one namespace."""
    connection.sendall(b"started\n")
    os.close(begun)
    only_kernel(shell, request, link)


def over_pipes(request, enclosed):
    """Become a kernel that speaks on standard input and output; one without limits where nothing encloses it."""
    shell, _ = load(request["modules"])
    link = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0), os.dup2(null, 1)
    if enclosed:
        become_kernel(shell, request["limits"], request["uid"], *link)
    sys.path.insert(0, "")
    _same_numbers_again()
    kernel.serve(shell, *link)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(json.loads(sys.argv[2]), *map(int, sys.argv[3:]))
    elif sys.argv[1] in ("--contained", "--bare"):
        over_pipes(json.loads(sys.argv[2]), enclosed=sys.argv[1] == "--contained")
    else:
        serve(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
