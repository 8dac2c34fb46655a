"""What `autograde doctor` does inside a kernel: each function tries to break one promise and tells what it could do.

The doctor sends this module's text as a cell. It leans on nothing, and gives back what JSON can say. An attack is as
harmless as it can be where it succeeds: what it makes it removes, what it starts ends by itself.
"""

import contextlib
import ctypes
import hashlib
import mmap
import os
import resource
import signal
import socket
import sys
import time

MB = 1 << 20


def network(facts):
    """Connections that came about, interfaces beyond loopback, and kinds of sockets that lead elsewhere."""
    found = [f"interface {name}" for _, name in socket.if_nameindex() if name != "lo"]
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
    return found


def _tree():
    """Every folder in sight with its files, /proc apart."""
    for folder, folders, files in os.walk("/"):
        if folder == "/" and "proc" in folders:
            folders.remove("proc")
        yield folder, folders, files


def write(facts):
    """Places that took a new file, and settings of the system that can be opened for writing."""
    found = []
    for folder, _, _ in _tree():
        with contextlib.suppress(OSError):
            path = os.path.join(folder, facts["token"])
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(path)
            found.append(folder)
    for folder, _, files in os.walk("/proc/sys"):
        for name in files:
            with contextlib.suppress(OSError):
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                found.append(os.path.join(folder, name))
    return found


def read(facts):
    """Files in sight that should not be: by their path, their name, or what is in them."""
    found = {path for path in facts["paths"] if _content(path)}
    for process in [name for name in os.listdir("/proc") if name.isdigit()]:
        roots = (f"/proc/{process}/root{path}" for path in facts["paths"])
        found |= {path for path in roots if _content(path)}
    for folder, folders, files in _tree():
        found |= {os.path.join(folder, name) for name in (*folders, *files) if name in facts["names"]}
        for name in files:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if name.endswith(tuple(facts["suffixes"])) and (
                    known := facts["digests"].get(str(os.stat(path).st_size))
                ):
                    content = _content(path)
                    found |= {path} if content and hashlib.sha256(content).hexdigest() in known else set()
    return sorted(found)


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def homes(facts):
    """What lies in home folders, apart from the way to an interpreter."""
    found = []
    for home in facts["homes"]:
        with contextlib.suppress(OSError):
            inside = [os.path.join(home, name) for name in os.listdir(home)]
            found += [
                path for path in inside if not any(f"{needed}/".startswith(f"{path}/") for needed in facts["needed"])
            ]
    return found


def environment(facts):
    """Every variable that can be read: this process's own, and those of the others in sight."""
    texts = [_content(f"/proc/{name}/environ") for name in os.listdir("/proc") if name.isdigit()]
    variables = [f"{name}={value}" for name, value in os.environ.items()]
    return sorted(
        {*variables, *(line for text in texts for line in text.decode("utf-8", "replace").split("\0") if line)}
    )


def descriptors(facts):
    """What is open here, by number."""
    found = {}
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the listing's own
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def privileges(facts):
    """(the rights that this process has, the forbidden calls that succeeded)."""
    fields = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    status = {name: fields[name] for name in fields if name.startswith("Cap") or name in ("NoNewPrivs", "Seccomp")}
    libc, succeeded = ctypes.CDLL(None, use_errno=True), []
    with open("/proc/self/uid_map") as file:
        mapped = file.read().split()[:2]
    if os.getuid() == 0 and mapped == ["0", "0"]:
        succeeded.append("runs as root")
    calls = {
        "setuid(0)": lambda: libc.setuid(0) if os.getuid() else -1,
        "setgroups": lambda: libc.setgroups(1, (ctypes.c_uint * 1)(0)),
        "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        "umount": lambda: libc.umount2(b"/tmp", 2),
        "chroot": lambda: libc.chroot(b"/tmp"),
        "mknod": lambda: libc.mknod(b"/tmp/device", 0o020600, 0x101),
        "ptrace": lambda: libc.ptrace(0, 0, 0, 0),
        "reading another process's memory": lambda: os.close(os.open("/proc/1/mem", os.O_RDONLY)) or 0,
        "memfd_create": lambda: min(libc.memfd_create(b"x", 0), 0),
        "shmget": lambda: min(libc.shmget(0, MB, 0o1600), 0),
        "keyctl": lambda: min(libc.syscall(250, 0, -3, 1), 0),
        "bpf": lambda: min(libc.syscall(321, 0, 0, 0), 0) if ctypes.get_errno() != 1 else -1,
        "io_uring": lambda: min(libc.syscall(425, 1, ctypes.create_string_buffer(120)), 0),
        "perf_event_open": lambda: min(libc.syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0), 0),
        "raising a limit": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1 << 20, 1 << 20)) or 0,
        **{f"unshare {flag:#x}": (lambda flag=flag: libc.unshare(flag)) for flag in (0x10000000, 0x20000, 0x40000000)},
    }
    for name, call in calls.items():
        with contextlib.suppress(OSError, ValueError):
            succeeded += [name] if call() == 0 else []
    return [status, succeeded]


def in_sight(facts):
    """Numbers of the processes in /proc, and of those that a signal would reach or be refused by."""
    listed, there = sorted(int(name) for name in os.listdir("/proc") if name.isdigit()), []
    for number in range(1, 1 << 16):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            continue
        except PermissionError:
            pass
        there.append(number)
    return sorted({*listed, *there} - {os.getpid()})


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
    until = time.monotonic() + 20
    os.set_blocking(told, False)
    ready = 0
    while ready < len(children) and time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            ready += len(os.read(told, 4096))
        gone = [child for child in children if os.waitpid(child, os.WNOHANG)[0]]
        children = [child for child in children if child not in gone]
        time.sleep(0.05)
    time.sleep(0.6)  # whoever counts has time to notice
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return len(children) * facts["each_mb"]


def disk(facts):
    """{place: (MB of one file, MB of all files, number of files)} that could be written there."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    found = {}
    for folder in ("/tmp", "/dev/shm"):
        one = total = count = 0
        block, names = b"x" * (MB // 4), []
        while total < facts["most_mb"] * MB:
            names.append(os.path.join(folder, f"doctor-{len(names)}"))
            size = 0
            with contextlib.suppress(OSError), open(names[-1], "wb", buffering=0) as file:
                while size < facts["most_mb"] * MB and (written := file.write(block)):
                    size += written
            one, total = max(one, size), total + size
            if size == 0:
                break
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(name)
        names = []
        with contextlib.suppress(OSError):
            while count < facts["most_files"]:
                os.close(os.open(os.path.join(folder, f"n{count}"), os.O_CREAT | os.O_WRONLY))
                count += 1
        for number in range(count):
            os.unlink(os.path.join(folder, f"n{number}"))
        found[folder] = [one // MB, total // MB, count]
    return found


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
    _named_child(facts["token"], 30)
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


def _named_child(token, seconds, *, away=False):
    """Start a process whose command line holds the token; `away`: in a session of its own, deaf, its parent gone."""
    code = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]; time.sleep(float(SECONDS))"
    if (child := os.fork()) == 0:
        if away:
            os.setsid()
            if os.fork():
                os._exit(0)
        os.execv(sys.executable, [sys.executable, "-S", "-c", code.replace("SECONDS", str(seconds)), token])
    if away:
        os.waitpid(child, 0)


def daemon(facts):
    """Start what means to outlive its kernel."""
    _named_child(facts["token"], 30, away=True)
    return True
