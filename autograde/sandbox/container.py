"""A container in place of bubblewrap, where there is docker or podman: the second way, and the slower one.

Its image is made once, in the repository, from the Containerfile beside this module:

    podman build -t training-dynamics -f autograde/sandbox/Containerfile .

No engine was installed where this was written, and no registry of images in reach: docker and the Containerfile have
never run. The argument list has once, under a podman 4.3 unpacked for a try (with runc, as root, this machine's own
files in place of the image): `autograde doctor --backend container` found every promise kept. Run it where you grade.
"""

import os
import shutil

from autograde.sandbox import view
from autograde.sandbox.limits import Limits

IMAGE = "training-dynamics"  # AUTOGRADE_IMAGE names another
USER = 61_000  # without an account, here as in the image


def engine() -> str | None:
    """podman, which needs no daemon, or docker; None without either."""
    return next((name for name in ("podman", "docker") if shutil.which(name)), None)


def command(limits: Limits, name: str, program: str | None = None, image: str | None = None) -> list[str]:
    """The start of a command line: an interpreter in a container without network, rights or a disk to write to.

    name: the container's, by which it can be killed.
    """
    words = [program or engine() or "docker", "run", "--rm", "--interactive", "--init", "--name", name]
    words += ["--pull", "never", "--network", "none", "--ipc", "private", "--hostname", "sandbox"]
    words += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", f"{USER}:{USER}"]
    words += ["--memory", f"{limits.memory_mb}m", "--memory-swap", f"{limits.memory_mb}m"]
    words += ["--pids-limit", str(limits.processes), "--shm-size", f"{limits.files_mb}m"]
    for kind, most in (("fsize", limits.file_mb << 20), ("nofile", 512), ("core", 0), ("memlock", 0)):
        words += ["--ulimit", f"{kind}={most}:{most}"]
    words += ["--tmpfs", f"/tmp:rw,nosuid,nodev,size={limits.files_mb}m,mode=1777"]
    for target, source in view.kit().items():
        words += ["--mount", f"type=bind,source={source},target={target},readonly"]
    for key, value in view.environment().items():
        if key != "PATH":  # the image's own, where its interpreter lies
            words += ["--env", f"{key}={value}"]
    return [*words, "--workdir", "/tmp", image or os.environ.get("AUTOGRADE_IMAGE", IMAGE), "python"]
