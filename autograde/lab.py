"""`python -m autograde lab [jupyter lab's arguments]`: a learner's own copies of the notebooks, and JupyterLab on them.

Release notebooks are copied from course/ into work/, which git ignores. A file that is there is never written again:
when the release changes, the new one is put beside it once, as NAME.new-2.ipynb, NAME.new-3.ipynb and so on.
"""

import errno
import hashlib
import json
import os
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

from course.lab import files

RECORD = ".releases.json"  # in work/: the digests of each notebook's releases that were handed out


class NotARepository(RuntimeError):
    """This command works on the files of the repository, and autograde runs from somewhere else."""


def repository() -> Path:
    """The folder of the repository that this package runs from. Raises NotARepository from an installed wheel."""
    root = Path(__file__).resolve().parents[1]
    if not ((root / "pyproject.toml").is_file() and (root / "course").is_dir()):
        raise NotARepository(
            "This command needs the course's repository, and autograde runs from an installed package here: "
            "run it in a clone of the repository, with `make` or after `pip install -e .`."
        )
    return root


def copy_release(course: Path, work: Path) -> tuple[list[Path], list[str]]:
    """Copy course/week*/*.ipynb into work/ without ever writing to a file that is there.

    Returns the learner's notebooks, in the order of the weeks, and the lines to say about new ones.
    """
    record, notebooks, said = _read(work / RECORD), [], []
    for source in sorted(course.glob("week*/*.ipynb")):
        name = source.relative_to(course).as_posix()
        target, content = work / name, source.read_bytes()
        digest, seen = hashlib.sha256(content).hexdigest(), record.setdefault(name, [])
        notebooks.append(target)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_new(target, content)
        elif digest not in seen and target.read_bytes() != content:
            beside = _free_name(target, max(2, len(seen) + 1))
            _write_new(beside, content)
            said.append(f"{name} has a newer release: it is beside yours as {beside.name}; yours is as you left it.")
        if digest not in seen:
            seen.append(digest)
    if notebooks:
        _save(work / RECORD, record)
    return notebooks, said


def _read(file):
    """The record of earlier copies; an unreadable one counts as none, which costs an offer too many, never a file."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return {name: list(map(str, digests)) for name, digests in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _save(file, record):
    files.write_text(file, json.dumps(record, indent=1) + "\n")


def _free_name(target, number):
    while (beside := target.with_name(f"{target.stem}.new-{number}{target.suffix}")).exists():
        number += 1
    return beside


def _write_new(target, content):
    with target.open("xb") as file:  # x: an error rather than a learner's file overwritten
        file.write(content)


def _option(args, *names):
    """The value of the last of the options that `args` gives, as `--port 8899` or `--port=8899`; None without."""
    value = None
    for i, arg in enumerate(args):
        name, equals, rest = arg.partition("=")
        if name in names:
            value = rest if equals else args[i + 1] if i + 1 < len(args) else None
    return value


def port_in_use(port: int, host: str = "localhost") -> bool:
    """Whether another program listens on `port` of this machine."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return True
    return False


def _launch(command):
    """Become JupyterLab, so that Ctrl-C reaches it alone; Windows cannot, and waits for it."""
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)
    return subprocess.call(command)


def main(args) -> int:
    """Copy what is new, then open JupyterLab; `args` go to it. Returns the exit status."""
    if any(arg in ("-h", "--help") for arg in args):
        print(__doc__.strip())
        return 0
    try:
        root = repository()
    except NotARepository as error:
        return _refuse(error)
    notebooks, said = copy_release(root / "course", root / "work")
    if not notebooks:
        return _refuse("There are no release notebooks in course/: `python -m autograde build` makes them.")
    print(*said, sep="\n", end="\n" if said else "")
    port = _option(args, "--port", "--ServerApp.port")
    if port and port.isdigit() and int(port) < 65536:
        host = _option(args, "--ip", "--ServerApp.ip") or "localhost"
        if port_in_use(int(port), "" if host == "*" else host):
            return _refuse(f"Port {port} is in use: stop the program that uses it, or choose another port.")
        args = [*args, "--ServerApp.port_retries=0"]  # the port that was asked for, or none
    first = urllib.parse.quote(notebooks[0].relative_to(root / "work").as_posix())
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root / 'work'}"]
    command += [f"--LabApp.default_url=/lab/tree/{first}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # in a container there is often no other user, and Jupyter would refuse
    return _launch([*command, *args])


def _refuse(line):
    print(line, file=sys.stderr)
    return 1
