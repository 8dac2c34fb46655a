"""What `autograde doctor` does inside a kernel: each function tries to break one promise and tells what it could do.

The doctor sends this module's text as a cell. It leans on nothing, and gives back what JSON can say. An attack is as
harmless as it can be where it succeeds: what it makes it removes, what it starts ends by itself.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import resource
import signal
import socket
import sys


def network(facts):
    """Connections that came about, interfaces beyond loopback, and kinds of sockets that lead elsewhere."""
    found = []
    tries = {f"TCP to {host}:{port}": (socket.AF_INET, (host, port)) for host, port in facts["tcp"]}
    tries["TCP to ::1"] = (socket.AF_INET6, ("::1", facts["tcp"][0][1]))
    tries["the local socket " + facts["path"]] = (socket.AF_UNIX, facts["path"])
    tries["the abstract socket of another process"] = (socket.AF_UNIX, "\0" + facts["abstract"])
    for name, (family, address) in tries.items():
        with contextlib.suppress(OSError), socket.socket(family) as link:
            link.settimeout(1)
            link.connect(address)
            found.append(name)
    for host, port in facts["udp"]:
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as link:
            link.sendto(b"doctor", (host, port))
            found += [f"UDP to {host}:{port}"] if host != "127.0.0.1" else []  # the doctor sees whether that arrived
    with contextlib.suppress(OSError):
        found.append(f"DNS: {socket.getaddrinfo('example.org', 80)[0][4][0]}")
    for name, family, kind in (("packet", 17, 3), ("raw IP", 2, 3), ("vsock", 40, 1), ("Bluetooth", 31, 3)):
        with contextlib.suppress(OSError), socket.socket(family, kind):
            found.append(f"a {name} socket")
    return found + [f"interface {name}" for _, name in socket.if_nameindex() if name != "lo"]


def _tree():
    """Every folder in sight with its files, /proc apart."""
    for folder, folders, files in os.walk("/"):
        if folder == "/" and "proc" in folders:
            folders.remove("proc")
        yield folder, folders, files


def write(facts):
    """(how many places were tried, those that took a new file, or could be opened where they are settings)."""
    found, tried = [], 0
    for folder, _, _ in _tree():
        tried += 1
        with contextlib.suppress(OSError):
            path = os.path.join(folder, facts["token"])
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(path)
            found.append(folder)
    for folder, _, files in os.walk("/proc/sys"):
        tried += len(files)
        for path in (os.path.join(folder, name) for name in files):
            with contextlib.suppress(OSError), open(path, "r+b", buffering=0) as file:
                os.pwrite(file.fileno(), file.read(), 0)  # as it is: nothing changes where this succeeds
                found.append(path)
    return [tried, found]


def read(facts):
    """(how many files are in sight, those that should not be: by their path, their name, or what is in them)."""
    roots = ["", *(f"/proc/{name}/root" for name in os.listdir("/proc") if name.isdigit())]
    tried, found = 0, {path for path in facts["paths"] if any(os.path.lexists(f"{root}{path}") for root in roots)}
    for folder, folders, files in _tree():
        tried += len(files)
        found |= {os.path.join(folder, name) for name in (*folders, *files) if name in facts["names"]}
        for path in (os.path.join(folder, name) for name in files if name.endswith(tuple(facts["suffixes"]))):
            with contextlib.suppress(OSError):
                known = facts["digests"].get(str(os.stat(path).st_size), ())  # few have the size of one of them
                found |= {path} if known and hashlib.sha256(_content(path)).hexdigest() in known else set()
    return [tried, sorted(found)]


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def homes(facts):
    """What lies in home folders, apart from the way to what is shown on purpose."""
    found = []
    for home in facts["homes"]:
        with contextlib.suppress(OSError):
            for path in (os.path.join(home, name) for name in os.listdir(home)):
                found += [] if any(f"{way}/".startswith(f"{path}/") for way in facts["ways"]) else [path]
    return found


def environment(facts):
    """Every variable that can be read: this process's own, and those of the others in sight."""
    found = {f"{name}={value}" for name, value in os.environ.items()}
    for process in [name for name in os.listdir("/proc") if name.isdigit()]:
        found |= set(_content(f"/proc/{process}/environ").decode("utf-8", "replace").split("\0"))
    return sorted(found - {""})


def descriptors(facts):
    """What is open here, by number."""
    found = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the listing's own
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def privileges(facts):
    """(what the system says of this process's rights, what succeeded that should not)."""
    with open("/proc/self/status") as file:
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    status = {name: fields[name] for name in fields if name.startswith("Cap") or name in ("NoNewPrivs", "Seccomp")}
    with open("/proc/self/uid_map") as file:
        found = ["running as root"] if os.getuid() == 0 and file.read().split()[:2] == ["0", "0"] else []
    tries = {
        "becoming root": lambda: os.setuid(0),
        "joining root's group": lambda: os.setgroups([0]),
        "reading process 1": lambda: os.close(os.open("/proc/1/mem" if facts["guarded"] else "/none", os.O_RDONLY)),
        "raising a limit": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1 << 20, 1 << 20)),
        "making a device": lambda: os.mknod("/tmp/device", 0o020600, os.makedev(1, 1)),
    }
    for name, attempt in tries.items():
        with contextlib.suppress(OSError, ValueError):
            attempt()
            found.append(name)
    return [status, found + _reached(facts["calls"])]


def _reached(names):
    """The system calls of these names that are not refused, tried without arguments by a process of their own."""
    resolve, libc = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name, ctypes.CDLL(None, use_errno=True)
    told, tell = os.pipe()
    if os.fork() == 0:
        for name in names:
            number, refusals = resolve(name.encode()), (errno.EPERM, errno.ENOSYS)
            if number >= 0 and (libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in refusals):
                os.write(tell, f"the call {name}\n".encode())
        flag = 0x10000000  # CLONE_NEWUSER, with no signal at its end and no stack: as fork
        if (pid := libc.syscall(resolve(b"clone"), flag | signal.SIGCHLD, 0, 0, 0, 0)) >= 0:
            os.write(tell, b"a user namespace\n" if pid else b"")
        os._exit(0)
    os.close(tell)
    os.wait()
    with os.fdopen(told) as file:
        return file.read().splitlines()


def in_sight(facts):
    """Numbers of the other processes that /proc lists, or that a signal would reach or be refused by."""
    there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    for number in range(1, 1 << 16):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            continue
        except PermissionError:
            pass
        there.add(number)
    return sorted(there - set(map(int, os.listdir("/proc/self/task"))))


_kept = []  # sockets that stay open after the attack


def leave(facts):
    """Leave traces that another kernel may find: files, sockets, a process."""
    for folder in ("/tmp", "/dev/shm"):
        with open(os.path.join(folder, facts["token"]), "w") as file:
            file.write("here")
    for family, address in ((socket.AF_UNIX, "\0" + facts["token"]), (socket.AF_INET, ("127.0.0.1", facts["port"]))):
        _kept.append(socket.socket(family))
        _kept[-1].bind(address)
        _kept[-1].listen()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-S", "-c", "import time; time.sleep(30)", facts["token"]])
    return True


def find(facts):
    """Which of another kernel's traces are in sight."""
    found = [folder for folder, _, files in _tree() if facts["token"] in files]
    for family, address in ((socket.AF_UNIX, "\0" + facts["token"]), (socket.AF_INET, ("127.0.0.1", facts["port"]))):
        with contextlib.suppress(OSError), socket.socket(family) as link:
            link.connect(address)
            found.append("a local socket" if family == socket.AF_UNIX else "a TCP port")
    for process in [name for name in os.listdir("/proc") if name.isdigit()]:
        if facts["token"].encode() in _content(f"/proc/{process}/cmdline") and int(process) != os.getpid():
            found.append(f"process {process}")
    return found
