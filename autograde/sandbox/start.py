"""Starting kernels: forked by a zygote, cold under bubblewrap, or in a container; refusing where there is neither."""

import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import weakref
from pathlib import Path

from autograde.sandbox import bwrap, cgroups, container, view
from autograde.sandbox.inside import enclose
from autograde.sandbox.kernel import Attended, Died, Kernel, Late, Started
from autograde.sandbox.limits import Limits

BACKENDS = ("warm", "cold", "container", "none")
_ZYGOTE = str(view.KIT / "inside" / "zygote.py")
IMPORTS = 120.0  # seconds that a cold kernel may take for them
_count = itertools.count()


class SandboxUnavailable(RuntimeError):
    """Submissions cannot be enclosed on this machine; the message says what would help."""


class Zygote:
    """A process with the imports done, in an outer sandbox, that forks kernels. Others may connect to its `path`."""

    def __init__(self, modules, limits: Limits):
        self._folder = tempfile.mkdtemp(prefix="autograde-")  # mode 0700: nobody else reaches the socket
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


def fork(path: str, limits: Limits) -> Kernel:
    """A kernel forked by the zygote that listens at `path`. Raises SandboxUnavailable where it cannot."""
    uid = enclose.FIRST_UID + (os.getpid() * 31 + next(_count)) % 1000
    ours, theirs = socket.socketpair()
    connection = socket.socket(socket.AF_UNIX)
    cgroup = cgroups.make(f"autograde-{os.getpid()}-{next(_count)}", limits.memory_mb, limits.processes)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        connection.settimeout(20)
        connection.connect(path)
        watched = 0 if cgroup else limits.memory_mb
        request = {"limits": limits.as_dict(), "uid": uid, "watch_mb": watched}
        socket.send_fds(connection, [json.dumps(request).encode()], [theirs.fileno()])
        _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(12))
        if cgroup:
            cgroup.add(struct.unpack("3i", ancillary[0][2][:12])[0])
        connection.sendall(b"!")
        if connection.recv(8) != b"started\n":
            raise SandboxUnavailable("the zygote could not make namespaces for a kernel: they do not nest here")
    except (OSError, IndexError) as error:
        raise SandboxUnavailable(f"the zygote does not answer: {error}") from None
    finally:
        theirs.close()
    return Kernel(*[ours.detach()] * 2, Attended(connection, cgroup))


def cold(words: list[str], modules, limits: Limits) -> Kernel:
    """A kernel that `words` (bubblewrap, an engine of containers) starts by itself, its imports still to come."""
    uid = enclose.FIRST_UID + (os.getpid() * 31 + next(_count)) % 1000
    request = {"limits": limits.as_dict(), "uid": uid, "modules": list(modules)}
    line = [*words, _ZYGOTE, "--one", json.dumps(request)]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    read, write = os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno())
    process.stdout.close(), process.stdin.close()
    kernel = Kernel(read, write, Started(process))
    try:
        kernel.run("pass", IMPORTS)
    except (Died, Late) as error:
        raise SandboxUnavailable(f"{words[0]} starts no kernel here: {error}") from None
    return kernel


class Sandbox:
    """Hands out kernels, one for each submission, the next one always forked ahead.

    backend: warm, cold, container, or none (no sandbox at all, for machines of one's own: results say so); None picks
    the best that works here. zygote: the path of one that runs already, to be shared. Raises SandboxUnavailable where
    nothing works.
    """

    def __init__(self, modules=(), limits: Limits | None = None, backend: str | None = None, zygote: str | None = None):
        self._modules, self._limits, self._zygote, self._spare = tuple(modules), limits or Limits(), None, None
        self._kernels = weakref.WeakSet()
        self._path = zygote
        self.backend = backend or ("warm" if zygote else None)
        if self.backend is None:
            self._choose()
        elif self.backend == "warm" and not zygote:
            self._start_zygote()

    @property
    def path(self) -> str | None:
        """Where this sandbox's zygote listens."""
        return self._path

    def kernel(self) -> Kernel:
        """A fresh kernel; the one after it is forked meanwhile."""
        kernel, self._spare = self._spare or self._new(), None
        if self.backend == "warm":
            self._spare = self._new()
        return kernel

    def close(self):
        """End every kernel that is left, and the zygote if it is this sandbox's own."""
        for kernel in list(self._kernels):
            kernel.end()
        self._spare = None
        if self._zygote:
            self._zygote.close()
            self._zygote = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _choose(self):
        if bwrap.available():
            try:
                self.backend = "warm"
                self._start_zygote()
                self._spare = self._new()
                return
            except SandboxUnavailable:
                self.close()
            try:
                self.backend = "cold"
                self._spare = self._new()
                return
            except SandboxUnavailable:
                pass
        if container.engine():
            self.backend = "container"
            return
        raise SandboxUnavailable(
            "No sandbox here: install bubblewrap (apt-get install bubblewrap), or docker or podman. --unsafe grades "
            "without one, with all the rights of whoever grades, and stamps every result 'unsandboxed'."
        )

    def _start_zygote(self):
        self._zygote = Zygote(self._modules, self._limits)
        self._path = self._zygote.path

    def _new(self):
        if self.backend == "warm":
            kernel = fork(self._path, self._limits)
        elif self.backend == "container":
            kernel = cold(container.command(self._limits), self._modules, self._limits)
        else:
            words = [*bwrap.command(self._limits, nesting=False), view.python()]
            kernel = cold(words, self._modules, self._limits)
        self._kernels.add(kernel)
        return kernel


def here() -> Path:
    """The folder of what is carried into a sandbox."""
    return Path(enclose.__file__).parent
