"""What a kernel cannot reach: each promise with the attempt to break it, which runs inside (attacks.py).

A promise is a function that yields rows: its first line names it. What an attempt says is compared here with what this
process knows of the machine.
"""

import contextlib
import glob
import os
import socket
import tempfile
import time
from pathlib import Path

from autograde.sandbox import view
from autograde.sandbox.inside import enclose
from autograde.sandbox.proof import attacks
from autograde.sandbox.proof.examined import SUFFIXES, Row, secrets_of_the_course


def a_kernel(examined):
    """There is a sandbox"""
    how = {"warm": "forked by a zygote", "cold": "under a bubblewrap of its own", "container": "in a container"}
    began = time.perf_counter()
    with examined.another() as kernel:
        kernel.run("pass", 10)
    took, name = time.perf_counter() - began, examined.sandbox.backend
    why = "".join(f"; not {better}: {reason}" for better, reason in examined.sandbox.refused.items())
    yield Row("There is a sandbox", "start a kernel, ask it, end it", f"{name}: {how[name]}, {took:.2f} s{why}", True)


def network(examined):
    """No network"""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        path, links = os.path.join(folder, "socket"), []
        for *kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_STREAM, path),
            (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + examined.token),
        ):
            links.append(stack.enter_context(socket.socket(*kind)))
            links[-1].bind(address)
            links[-1].setblocking(False)
            if kind[1] == socket.SOCK_STREAM:
                links[-1].listen()
        os.chmod(folder, 0o755), os.chmod(path, 0o777)
        tcp = [links[0].getsockname(), ("1.1.1.1", 53), ("8.8.8.8", 443)]
        udp = [links[1].getsockname(), ("1.1.1.1", 53)]
        found = examined.attack(attacks.network, tcp=tcp, udp=udp, path=path, abstract=examined.token)
        with contextlib.suppress(BlockingIOError):
            found += ["UDP to this machine"] if links[1].recv(100) else []
    tried = "TCP, UDP, DNS to this machine and outside; its unix sockets, by path and abstract; vsock, raw, packet"
    yield Row.of("No network", tried, found, "nothing answered; loopback is the one interface")


def write(examined):
    """No write but to /tmp and /dev/shm"""
    tried, found = examined.attack(attacks.write, token=f"x-{examined.token}")
    found = [path for path in found if not f"{path}/".startswith(("/tmp/", "/dev/shm/"))]
    how = "a new file in every folder in sight; every setting in /proc/sys"
    yield Row.of("No write but to /tmp, /dev/shm", how, found, f"{tried:,} refused")


def read(examined):
    """No file of the grader's"""
    digests, names = secrets_of_the_course(), [f".{examined.token}", ".autograde"]
    tried, found = examined.attack(
        attacks.read, paths=examined.secret_paths, names=names, suffixes=SUFFIXES, digests=digests
    )
    homes = sorted({str(Path.home()), "/root", *glob.glob("/home/*")})
    found += examined.attack(attacks.homes, homes=homes, ways=[*view.interpreter(), *map(str, view.kit())])
    hidden = sum(map(len, digests.values()))
    how = f"look for {hidden} files of the course by their content; gradebook, secret, homes; files left for it to find"
    yield Row.of("No file of the grader's", how, found, f"none among {tried:,} files")


def environment(examined):
    """No variable of the grader's"""
    own = {f"{name}={value}" for name, value in os.environ.items() if name not in ("PWD", "TERM", *view.environment())}
    lines = examined.attack(attacks.environment)
    found = [line.split("=")[0] for line in lines if line in own or examined.token in line]
    yield Row.of("No variable of the grader's", f"look for {len(own)} of them", found, f"none; {len(lines)} of its own")


def descriptors(examined):
    """No open file of the grader's"""
    found = examined.attack(attacks.descriptors)
    ours = {os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.exists(path)} - {"/dev/null"}
    alien = [f"{fd}: {what}" for fd, what in found.items() if what in ours or not _is_the_kernels(int(fd), what)]
    yield Row.of("No open file of the grader's", "list what is open", alien, "its link, its log and /dev/null")


def _is_the_kernels(fd, what):
    return what == "/dev/null" or (fd <= 4 and what.startswith(("pipe:", "socket:")))


def privileges(examined):
    """No privileges"""
    guarded = examined.sandbox.backend != "container"  # an engine's process 1 is the learner's user
    status, found = examined.attack(attacks.privileges, calls=enclose.DENIED, guarded=guarded)
    found += [f"{name} {bits}" for name, bits in status.items() if name.startswith("Cap") and int(bits, 16)]
    missing = {"NoNewPrivs": "1", "Seccomp": "2"}.items() - status.items()
    found += [f"doing without {name}" for name, _ in sorted(missing)]
    how = f"capabilities; root; devices; limits; user namespaces; {len(enclose.DENIED)} system calls: mount, ptrace …"
    yield Row.of("No privileges", how, found, "no capability, none to be had, every call refused")


def processes_in_sight(examined):
    """No other process in sight"""
    found = [f"process {number}" for number in examined.attack(attacks.in_sight) if number != 1]
    how = "/proc; a signal to 65,535 numbers"
    yield Row.of("No other process in sight", how, found, "process 1 of its own namespace")


def each_other(examined):
    """Kernels know nothing of each other"""
    facts = {"token": examined.token, "port": 54321}
    with examined.another() as one, examined.another() as other:
        examined.attack(attacks.leave, one, **facts)
        found = examined.attack(attacks.find, other, **facts)
    how = "one leaves files, an abstract socket, a TCP port and a process; another looks for them"
    yield Row.of("Kernels know nothing of each other", how, found, "nothing found")
