"""The sandbox: hands out kernels of the best kind that works on this machine, refusing where there is none."""

import sys
import tempfile
from pathlib import Path

from autograde.sandbox import bwrap, container, view
from autograde.sandbox.kernel import Kernel
from autograde.sandbox.kernels import SandboxUnavailable, Zygote, bare, cold, contained, fork
from autograde.sandbox.limits import Limits

BACKENDS = ("warm", "cold", "container", "none")


class Sandbox:
    """Hands out kernels, one for each submission, the next one always forked ahead.

    backend: warm, cold, container, or none (no sandbox at all, for machines of one's own: results say so); None picks
    the best that works here. zygote: the path of one that runs already, to be shared. Raises SandboxUnavailable where
    nothing works.
    """

    def __init__(self, modules=(), limits: Limits | None = None, backend: str | None = None, zygote: str | None = None):
        self._modules, self._limits, self._zygote, self._spare = tuple(modules), limits or Limits(), None, None
        self._kernels: set[Kernel] = set()
        self._path, self._folder = zygote, None
        self.refused: dict[str, str] = {}  # better backends than this one, and why they do not work here
        self.backend = backend or ("warm" if zygote else None)
        if self.backend not in (None, *BACKENDS):
            raise ValueError(f"there is no backend {self.backend!r}; there are {', '.join(BACKENDS)}")
        if self.backend != "none" and (top := view.checkout()) and view.shows(top):
            raise SandboxUnavailable(
                f"{top} lies in the Python environment {sys.prefix}, which submissions see: make the environment in a "
                "folder of its own, such as .venv"
            )
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
        for kernel in self._kernels:
            kernel.end()
        self._spare = None
        if self._zygote:
            self._zygote.close()
            self._zygote = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _choose(self):
        enclosing = ["warm", "cold"] if bwrap.available() else []
        for self.backend in enclosing + ["container"] * bool(container.engine()):
            try:
                if self.backend == "warm":
                    self._start_zygote()
                self._spare = self._new()
                return
            except SandboxUnavailable as error:
                self.refused[self.backend] = str(error)
                self.close()
        raise SandboxUnavailable(
            "No sandbox here: install bubblewrap (apt-get install bubblewrap), or docker or podman. --unsafe grades "
            "without one, with all the rights of whoever grades, and stamps every result 'unsandboxed'."
            + "".join(f"\n{name}: {why}" for name, why in self.refused.items())
        )

    def _start_zygote(self):
        self._zygote = Zygote(self._modules, self._limits)
        self._path = self._zygote.path

    def _new(self):
        if self.backend == "warm":
            kernel = fork(self._path, self._limits)
        elif self.backend == "container":
            kernel = contained(self._modules, self._limits)
        elif self.backend == "none":
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="autograde-")
            kernel = bare(self._modules, self._limits, Path(self._folder.name))
        else:
            kernel = cold(self._modules, self._limits)
        self._kernels = {kernel, *(one for one in self._kernels if one.alive)}
        return kernel
