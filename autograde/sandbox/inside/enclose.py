"""From an ordinary process to one that can harm nobody: namespaces, a private file system, limits, no privileges.

Linux alone, by libc and libseccomp; every step that fails raises OSError, so that a process is either enclosed or not
there. Two ways lead in: as root, where each kernel becomes a user of its own, and as anybody else, where each kernel
gets a user namespace of its own.
"""

import ctypes
import math
import os
import resource
import signal
import time

MB = 1 << 20
FIRST_UID, UIDS = 61_000, 1000  # users without an account: RLIMIT_NPROC counts a user's processes, never root's

# linux/sched.h
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
# linux/mount.h
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
# linux/prctl.h
_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 1, 4, 24, 38, 47, 4

# seccomp.h
_EQUAL, _AT_LEAST, _MASKED_EQUAL = 4, 5, 7

# What a notebook never asks of the system, and what past escapes went through. Answered with 'not permitted'.
DENIED = (
    "ptrace process_vm_readv process_vm_writev kcmp mount umount2 move_mount open_tree fsopen fsconfig fsmount fspick "
    "mount_setattr pivot_root chroot unshare setns bpf perf_event_open userfaultfd keyctl add_key request_key "
    "io_uring_setup io_uring_enter io_uring_register init_module finit_module delete_module kexec_load kexec_file_load "
    "open_by_handle_at name_to_handle_at mknod mknodat swapon swapoff reboot syslog acct quotactl personality "
    "lookup_dcookie nfsservctl vhangup iopl ioperm "
    # memory that no process holds, so that none can be blamed for it
    "memfd_create memfd_secret shmget msgget"
).split()
# Kinds of sockets: local, IPv4, IPv6, and the kernel's own list of interfaces. A network namespace does not hold all of
# the others: vsock, for one, reaches from a virtual machine to its host.
SOCKETS = (1, 2, 10, 16)

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}{args}: {os.strerror(number)}")


def _prctl(option, *args):
    _call("prctl", option, *(ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]))


def _mount(source, target, kind, flags, data=""):
    _call("mount", source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), data.encode())


def new_namespaces():
    """This process leaves its network, names and messages; its next child is the first of new process ids."""
    flags = _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
    uid, gid, root = os.getuid(), os.getgid(), is_root()
    _call("unshare", flags if root else flags | _NEWUSER)
    if not root:
        for name, line in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)


def is_root() -> bool:
    """Whether this process is the machine's root, not that of a user namespace."""
    with open("/proc/self/uid_map") as file:
        return os.getuid() == 0 and [int(n) for n in file.readline().split()][:2] == [0, 0]


def die_with_parent():
    """This process is killed where the one that forked it ends."""
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)


def own_proc():
    """A /proc of this process's own namespace, in place of the machine's."""
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV)


def private_files(uid: int, megabytes: int, shown=()):
    """A file system where only /tmp and /dev/shm can be written, both empty, of this size, and this kernel's alone.

    shown: folders in /tmp that stay to be seen, since Python lies there.
    """
    _call("unshare", _NEWNS)
    _mount("none", "/", None, _REC | _PRIVATE)
    kept = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in sorted(shown)}
    for folder in ("/tmp", "/dev/shm"):
        options = f"size={megabytes}m,nr_inodes=20000,mode=0700" + (f",uid={uid}" if is_root() else "")
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, options)
    for folder, handle in kept.items():
        os.makedirs(folder, mode=0o755, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", folder, None, _BIND | _REC)
        os.close(handle)
    own_proc()
    _call("sethostname", b"sandbox", 7)


def make_read_only(folder: str):
    """What is mounted on `folder` cannot be written from now on; its other flags are kept, as they must be."""
    kept = os.statvfs(folder).f_flag & (_NOSUID | _NODEV | _NOEXEC)
    _mount("none", folder, None, _REMOUNT | _BIND | _RDONLY | kept)


def hide():
    """No other process of this user may look into this one, or change it."""
    _prctl(_SET_DUMPABLE, 0)


def limit(limits: dict):
    """memory_mb (of what this process allocates beyond what it has), processes, cpu_s, file_mb: hard limits."""
    hard = {
        resource.RLIMIT_DATA: _data_bytes() + limits["memory_mb"] * MB,
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_CPU: limits["cpu_s"] + math.ceil(time.process_time()),  # its imports are not its own
        resource.RLIMIT_FSIZE: limits["file_mb"] * MB,
        resource.RLIMIT_NOFILE: 512,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, most in hard.items():
        most = min(most, _most(which))
        resource.setrlimit(which, (most, most))


def _most(which):
    hard = resource.getrlimit(which)[1]
    return 1 << 62 if hard == resource.RLIM_INFINITY else hard


def _data_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmData:"))


def drop_privileges(uid: int):
    """Another user (where this is root), no capability, none to be had again, and the denied system calls refused."""
    if is_root():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
    for capability in range(64):
        if _libc.prctl(_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break  # the last one that this system knows
    if is_root():
        os.setresuid(uid, uid, uid)
    _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(bytes.fromhex("22050820") + bytes(4))  # version 3, this process
    _call("capset", header, ctypes.create_string_buffer(24))
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 1)  # or /proc/self would belong to root
    filter_calls()


class _Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def filter_calls():
    """DENIED raises PermissionError from now on, as do new user namespaces. Raises OSError without libseccomp."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    allow, refuse, absent = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
    context = ctypes.c_void_p(seccomp.seccomp_init(allow))

    def rule(action, name, *comparisons):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # a call that this architecture does not have
        array = (_Comparison * len(comparisons))(*comparisons)
        if (failed := seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), array)) < 0:
            raise OSError(-failed, f"seccomp rule for {name}")

    for name in DENIED:
        rule(refuse, name)
    for family in range(64):
        if family not in SOCKETS:
            rule(refuse, "socket", _Comparison(0, _EQUAL, family, 0))
    rule(refuse, "socket", _Comparison(0, _AT_LEAST, 64, 0))
    rule(absent, "clone3")  # its flags lie in memory, where no filter sees them: libc falls back to clone
    rule(refuse, "clone", _Comparison(0, _MASKED_EQUAL, _NEWUSER, _NEWUSER))
    if (failed := seccomp.seccomp_load(context)) < 0:
        raise OSError(-failed, "seccomp_load")
    seccomp.seccomp_release(context)
