"""A container in place of bubblewrap, where there is docker or podman: the second way.

An argument list, tested as such: no engine was at hand to run it where this was written.
"""

import os
import shutil

from autograde.sandbox import view
from autograde.sandbox.limits import Limits

IMAGE = "training-dynamics"  # made from the Containerfile beside this module; AUTOGRADE_IMAGE names another


def engine() -> str | None:
    """podman, which needs no daemon, or docker; None without either."""
    return next((name for name in ("podman", "docker") if shutil.which(name)), None)


def command(limits: Limits, program: str | None = None, image: str | None = None) -> list[str]:
    """The start of a command line: an interpreter in a container without network, rights or a disk to write to."""
    words = [program or engine() or "docker", "run", "--rm", "--interactive", "--init", "--network", "none"]
    words += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "61000:61000"]
    words += ["--memory", f"{limits.memory_mb}m", "--memory-swap", f"{limits.memory_mb}m"]
    words += ["--pids-limit", str(limits.processes), "--ulimit", f"cpu={limits.cpu_s}", "--ulimit", "core=0"]
    for folder in ("/tmp", "/dev/shm"):
        words += ["--tmpfs", f"{folder}:rw,nosuid,nodev,size={limits.files_mb}m,mode=1777"]
    for target, source in view.kit().items():
        words += ["--volume", f"{source}:{target}:ro"]
    for name, value in view.environment().items():
        if name != "PATH":
            words += ["--env", f"{name}={value}"]
    return [*words, "--workdir", "/tmp", image or os.environ.get("AUTOGRADE_IMAGE", IMAGE), "python"]
