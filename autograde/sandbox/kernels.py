"""Starting one kernel: forked by a zygote, cold under bubblewrap, in a container, or without any sandbox."""

import contextlib
import errno
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from subprocess import DEVNULL

from autograde.sandbox import bwrap, cgroups, container, view
from autograde.sandbox.inside import enclose
from autograde.sandbox.kernel import Attended, Died, Kernel, Late, Started
from autograde.sandbox.limits import Limits

_ZYGOTE = str(view.KIT / "inside" / "zygote.py")
IMPORTS = 120.0  # seconds that a cold kernel may take for them
_count = itertools.count()


class SandboxUnavailable(RuntimeError):
    """Submissions cannot be enclosed on this machine; the message says what would help."""


class Zygote:
    """A process with the imports done, in an outer sandbox, that forks kernels. Others may connect to its `path`."""

    def __init__(self, modules, limits: Limits):
        _sweep()
        self._folder = tempfile.mkdtemp(prefix=f"autograde-{os.getpid()}-")  # mode 0700: the socket is out of reach
        self.path = os.path.join(self._folder, "zygote")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(64)
            words = [*bwrap.command(limits, nesting=True), view.python(), _ZYGOTE, str(listener.fileno())]
            self._process = subprocess.Popen(
                [*words, json.dumps(list(modules))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        line = self._process.stdout.readline()
        if not line:
            _, error = self._process.communicate()
            self.close()
            last = error.decode(errors="replace").strip().splitlines()[-1:] or ["no word"]
            raise SandboxUnavailable(f"bubblewrap does not start here: {last[0]}")
        said = json.loads(line)
        self.seconds, self.failed, self.threads = said["seconds"], said["failed"], said["threads"]
        threading.Thread(target=self._process.stderr.read, daemon=True).start()  # never blocks on a full pipe

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep():
    """Remove what is left of graders that were killed: no process has their number, nobody listens at their path."""
    cgroups.sweep()
    for folder in Path(tempfile.gettempdir()).glob("autograde-[0-9]*-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            with socket.socket(socket.AF_UNIX) as link, contextlib.suppress(PermissionError, FileNotFoundError):
                if link.connect_ex(str(folder / "zygote")) == errno.ECONNREFUSED:
                    shutil.rmtree(folder)


def a_uid() -> int:
    """A user for the next kernel, where we are root; kernels of about the same time differ in it."""
    return enclose.FIRST_UID + (os.getpid() * 31 + next(_count)) % enclose.UIDS


def fork(path: str, limits: Limits) -> Kernel:
    """A kernel forked by the zygote that listens at `path`. Raises SandboxUnavailable where it cannot."""
    ours, theirs = socket.socketpair()
    connection = socket.socket(socket.AF_UNIX)
    cgroup = cgroups.make(next(_count), limits.memory_mb, limits.processes)
    processes = Attended(connection, cgroup)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        connection.settimeout(20)
        connection.connect(path)
        request = {"limits": limits.as_dict(), "uid": a_uid(), "watch_mb": 0 if cgroup else limits.memory_mb}
        request["shown"] = [folder for folder in view.interpreter() if folder.startswith("/tmp/")]
        socket.send_fds(connection, [json.dumps(request).encode()], [theirs.fileno()])
        said, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(12))
        if said == b"?":
            if cgroup:
                cgroup.add(struct.unpack("3i", ancillary[0][2][:12])[0])
            connection.sendall(b"!")
            said = connection.recv(8)
        if said != b"started\n":
            said += connection.recv(300)
            raise SandboxUnavailable(f"namespaces do not nest here: {said.decode(errors='replace') or 'no word'}")
    except (OSError, IndexError, SandboxUnavailable) as error:
        ours.close()
        processes.end(now=True)
        if type(error) is SandboxUnavailable:
            raise
        raise SandboxUnavailable(f"the zygote does not answer: {error}") from None
    finally:
        theirs.close()
    return Kernel(*[ours.detach()] * 2, processes)


def cold(modules, limits: Limits) -> Kernel:
    """A kernel under a bubblewrap of its own, its imports done. Raises SandboxUnavailable where it does not start."""
    ours, theirs = socket.socketpair()
    connection, far = socket.socketpair()
    request = {"limits": limits.as_dict(), "uid": a_uid(), "modules": list(modules)}
    words = [*bwrap.command(limits, nesting=False), view.python(), _ZYGOTE, "--one", json.dumps(request)]
    with theirs, far:
        given = [theirs.fileno(), far.fileno()]
        process = subprocess.Popen(
            [*words, *map(str, given)], stdin=DEVNULL, stdout=DEVNULL, stderr=subprocess.PIPE, pass_fds=given
        )
    connection.settimeout(IMPORTS)
    processes = Attended(connection, process=process)
    try:
        started = connection.recv(8) == b"started\n"
    except OSError:
        started = False
    if not started:
        ours.close()
        processes.end(now=True)
        raise SandboxUnavailable(f"bubblewrap starts no kernel here: {processes.words.strip()[-300:] or 'no word'}")
    return Kernel(*[ours.detach()] * 2, processes)


def contained(modules, limits: Limits) -> Kernel:
    """A kernel in a container of its own, its imports done. Raises SandboxUnavailable where it does not start."""
    name = f"autograde-{os.getpid()}-{next(_count)}"
    words = [*container.command(limits, name), _ZYGOTE, "--contained"]
    return _over_pipes(words, modules, limits, kill=[words[0], "kill", name])


def bare(modules, limits: Limits, folder: Path) -> Kernel:
    """A kernel without any sandbox: an ordinary process of this user, with the kit in `folder`."""
    for target, source in view.kit().items():
        place = folder / target.relative_to(view.KIT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(source)
    environment = {**os.environ, **view.environment(), "HOME": os.path.expanduser("~"), "PYTHONPATH": str(folder)}
    words = [sys.executable, str(folder / "inside" / "zygote.py"), "--bare"]
    return _over_pipes(words, modules, limits, env=environment, cwd=folder)


def _over_pipes(words, modules, limits, kill=None, **how):
    request = {"limits": limits.as_dict(), "uid": a_uid(), "modules": list(modules)}
    line = [*words, json.dumps(request)]
    how |= dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(line, start_new_session=True, **how)
    read, write = os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno())
    process.stdout.close(), process.stdin.close()
    kernel = Kernel(read, write, Started(process, kill))
    try:
        kernel.run("pass", IMPORTS)
    except (Died, Late) as error:
        raise SandboxUnavailable(f"{words[0]} starts no kernel here: {error}") from None
    return kernel
