"""bubblewrap's arguments: a file system that is shown read-only, and no network, in front of whatever runs behind."""

import os
import shutil
from pathlib import Path

from autograde.sandbox import view
from autograde.sandbox.limits import Limits


def available() -> bool:
    return shutil.which("bwrap") is not None


def command(limits: Limits, *, nesting: bool, link: str | None = None) -> list[str]:
    """The start of a command line; what shall run follows it.

    nesting: what runs is the zygote, which keeps the privileges that it needs to make namespaces of its own; else it
    is process 1 of one kernel, which drops the few it has. link: a folder that is /link in there and can be written,
    until process 1, which has the privilege, mounts it read-only.
    """
    root = os.getuid() == 0
    words = ["bwrap", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox"]
    words += ["--die-with-parent", "--new-session", "--clearenv"] + ([] if nesting else ["--as-pid-1"])
    if not root:  # root needs no user namespace, and gives each kernel a user of its own instead
        number = "0" if nesting or link else "1000"  # 0: one namespace for all, in which its process 1 may mount
        words += ["--unshare-user", "--uid", number, "--gid", number]
    words += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        if os.path.islink(f"/{name}"):
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        else:
            words += ["--ro-bind-try", f"/{name}", f"/{name}"]
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/usr/share/fonts"):
        words += ["--ro-bind-try", path, path]
    words += [*_tmpfs("/tmp", limits)]  # first: Python itself may lie in there
    shown = {folder: folder for folder in view.interpreter()} | {str(to): str(at) for to, at in view.kit().items()}
    for folder in _parents(shown):  # those that bubblewrap makes by itself are for its own user alone
        words += ["--perms", "0755", "--dir", folder]
    for target, source in shown.items():
        words += ["--ro-bind", source, target]
    for folder in view.masked():
        words += ["--tmpfs", folder, "--remount-ro", folder]
    # a user's namespace may have a /proc of its own only where a whole one is in sight: the zygote mounts it
    words += ["--dev-bind", "/proc", "/proc"] if nesting and not root else ["--proc", "/proc"]
    words += ["--dev", "/dev"]
    words += [*_tmpfs("/dev/shm", limits)]
    words += ["--bind", link, "/link"] if link else []
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    if nesting:
        words += ["--cap-add", "ALL"]
    else:
        kept = ["SETUID", "SETGID", "KILL", "SYS_PTRACE"] * root + ["SYS_ADMIN"] * bool(link)
        kept += ["SETPCAP"] * bool(kept)
        words += ["--cap-drop", "ALL"] + [word for name in kept for word in ("--cap-add", f"CAP_{name}")]
        if not (root or link):
            words += ["--disable-userns"]  # a filter of system calls refuses them too
    for name, value in view.environment().items():
        words += ["--setenv", name, value]
    return [*words, "--"]


def _tmpfs(folder, limits):
    return "--size", str(limits.files_mb << 20), "--perms", "1777", "--tmpfs", folder


def _parents(paths):
    """The folders above these paths, each before what lies in it."""
    return sorted({str(parent) for path in paths for parent in Path(path).parents} - {"/", "/usr", "/tmp"})
