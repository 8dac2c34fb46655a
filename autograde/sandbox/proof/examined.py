"""A sandbox under examination: how a kernel of it is made to attack, and what the grader has that it must not find."""

import contextlib
import glob
import hashlib
import json
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import autograde
from autograde.sandbox import Kernel, Limits, Sandbox, view

# small ones, so that trying costs little
LIMITS = Limits(memory_mb=384, processes=48, cpu_s=60, file_mb=8, files_mb=16)
SUFFIXES = (".py", ".ipynb", ".db", ".json", ".jsonl", ".csv", ".html")  # what a course's secrets are written in
_PROBE = "def probe(target, inputs):\n    return target(inputs['facts'])"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    promise: str
    tried: str
    result: str
    holds: bool

    @classmethod
    def of(cls, promise, tried, breaches, held):
        """The row of what must not succeed: `breaches` says what did; `held` is the result where nothing did."""
        shown = ", ".join(map(str, breaches[:6])) + (f" and {len(breaches) - 6} more" if len(breaches) > 6 else "")
        return cls(promise, tried, f"succeeded: {shown}" if breaches else held, not breaches)


class Examined:
    """A sandbox under examination, with traces of the grader's around it that no kernel may find."""

    def __init__(self, backend: str | None):
        self.token = f"doctor-{secrets.token_hex(8)}"
        self._undo = contextlib.ExitStack()
        try:
            places = {str(Path.home()), os.getcwd(), tempfile.gettempdir()}
            self.planted = [path for folder in sorted(places) if (path := self._plant(folder))]
            os.environ["AUTOGRADE_DOCTOR"] = self.token
            self._undo.callback(os.environ.pop, "AUTOGRADE_DOCTOR", None)
            if self.planted:
                file = self._undo.enter_context(open(self.planted[0]))
                os.set_inheritable(file.fileno(), True)
            self.sandbox = self._undo.enter_context(Sandbox(limits=LIMITS, backend=backend))
            self.kernel = self.sandbox.kernel()
        except BaseException:
            self._undo.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _plant(self, folder):
        path = os.path.join(folder, f".{self.token}")
        with contextlib.suppress(OSError):  # a place that this user cannot write to either
            Path(path).write_text(self.token)
            self._undo.callback(os.unlink, path)
            return path

    @property
    def secret_paths(self) -> list[str]:
        """Files of the grader's by their path, whether they are there or not."""
        folders = (Path.home(), Path.cwd(), _course())
        return self.planted + [str(folder / name) for folder in folders for name in ("gradebook.db", ".autograde")]

    @contextlib.contextmanager
    def another(self, **limits):
        """A kernel for itself, with some limits changed."""
        backend = self.sandbox.backend
        with Sandbox(limits=replace(LIMITS, **limits), backend=backend, zygote=self.sandbox.path) as sandbox:
            yield sandbox.kernel()

    def attack(self, attempt, kernel: Kernel | None = None, **facts):
        """Have a kernel run attempt(facts) → what it returns. Raises RuntimeError where the attempt itself fails."""
        if kernel is None:
            self.kernel = self.kernel if self.kernel.alive else self.sandbox.kernel()
            kernel = self.kernel
        wrapper = f"import json\ndef attempt(facts):\n    return json.dumps({attempt.__name__}(json.loads(facts)))"
        source = Path(sys.modules[attempt.__module__].__file__).read_text()
        if error := kernel.run(f"{source}\n\n{wrapper}", 10):
            raise RuntimeError(": ".join(error))
        message = {"dict": [["facts", {"plain": json.dumps(facts)}]]}
        rules = {"library": [], "autograd": True, "keeps_inputs": False, "seconds": 60}
        reply = kernel.ask("attempt", _PROBE, [message], rules, 90)["replies"][0]
        if "error" in reply:
            raise RuntimeError(f"the attempt itself failed: {reply['error'][1]}")
        return json.loads(reply["value"]["plain"])

    def running(self) -> list[int]:
        """Processes of this machine whose command line holds the token."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found += [int(path.split("/")[2])] if self.token.encode() in Path(path).read_bytes() else []
        return found


def _course():
    """The repository, or the installed package where there is none."""
    package = Path(autograde.__file__).resolve().parent
    return package.parent if (package.parent / "pyproject.toml").is_file() else package


def secrets_of_the_course() -> dict[str, list[str]]:
    """{size: the digests} of all files of the course that a kernel is not shown on purpose."""
    shown = {digest for source in view.kit().values() for _, digest in _digests(source)}
    found = {}
    for size, digest in _digests(_course()):
        if digest not in shown:
            found.setdefault(str(size), []).append(digest)
    return found


def _digests(top):
    if Path(top).is_file():
        yield 0, hashlib.sha256(Path(top).read_bytes()).hexdigest()
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))]
        folders[:] = [name for name in folders if name not in (".git", ".cache", "__pycache__", "node_modules")]
        for path in (Path(folder, name) for name in files if name.endswith(SUFFIXES)):
            if (size := path.stat().st_size) > 64:
                yield size, hashlib.sha256(path.read_bytes()).hexdigest()
