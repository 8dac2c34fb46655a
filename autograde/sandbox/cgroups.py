"""Control groups: the one limit that counts a kernel's processes together. Used where this user may make one."""

import contextlib
import os
import time
from pathlib import Path

TOP = Path("/sys/fs/cgroup")


class Cgroup:
    """Folders, one for each hierarchy, in which a kernel's processes are counted."""

    def __init__(self, folders):
        self._folders = folders

    def add(self, pid: int) -> None:
        """This process, and what it starts from now on."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def ran_out(self) -> bool:
        """Whether the system ended one of its processes for want of memory."""
        for file in (folder / name for folder in self._folders for name in ("memory.oom_control", "memory.events")):
            with contextlib.suppress(OSError):  # each version has one of them
                fields = dict(line.split()[:2] for line in file.read_text().splitlines())
                if fields.get("oom_kill", "0") != "0":
                    return True
        return False

    def remove(self) -> None:
        """Once its processes have ended; the system may take a moment to notice."""
        for folder in self._folders:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                time.sleep(0.01)


def make(number: int, memory_mb: int, processes: int) -> Cgroup | None:
    """A group that may hold so much memory and so many tasks; None where this machine gives us none.

    number: tells this process's groups apart.
    """
    name = f"autograde-{os.getpid()}-{number}"
    most = str(memory_mb << 20)
    version_1 = [("memory", {"memory.limit_in_bytes": most}), ("pids", {"pids.max": str(processes)})]
    version_2 = [("", {"memory.max": most, "memory.swap.max": "0", "pids.max": str(processes)})]
    for hierarchies in (version_1, version_2):
        made = []
        try:
            for controller, settings in hierarchies:
                folder = TOP / controller / _own(controller) / name
                folder.mkdir()
                made.append(folder)
                for file, value in settings.items():
                    if not (folder / file).exists() and "swap" in file:
                        continue
                    fd = os.open(folder / file, os.O_WRONLY)  # never created: a plain folder is no control group
                    try:
                        os.write(fd, value.encode())
                    finally:
                        os.close(fd)
            return Cgroup(made)
        except OSError:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    return None


def sweep():
    """Remove the groups of graders that were killed. One that is in use cannot be removed, whoever made it."""
    for controller in ("memory", "pids", ""):
        with contextlib.suppress(OSError):  # this machine has the other version
            for folder in (TOP / controller / _own(controller)).glob("autograde-*-*"):
                if not Path("/proc", folder.name.split("-")[1]).exists():
                    folder.rmdir()


def _own(controller):
    """The group that this process is in, which is where it may make another."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") if controller else not controllers:
            return path.lstrip("/")
    raise OSError(f"no control group of {controller or 'version 2'}")
