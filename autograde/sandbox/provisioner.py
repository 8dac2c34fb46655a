"""A Jupyter kernel in the sandbox: the kernel provisioner `sandboxed`, for any Jupyter client.

    python -m autograde.sandbox.provisioner

adds the kernel 'Python 3 (sandboxed)' to this environment, for JupyterLab, nbclient and nbconvert. Any other kernelspec
uses the sandbox if its kernel.json says so; `config` is optional:

    "metadata": {"kernel_provisioner": {"provisioner_name": "sandboxed", "config": {"limits": {"memory_mb": 4096}}}}

What such a kernel runs sees no network and no file of yours, the notebook's own folder included; what it writes to /tmp
ends with it. A check does not judge in there: that is the grader's work. Jupyter talks to it over sockets in a folder
that the kernel can write until they are bound, and no longer.

Beware of the browser. JupyterLab trusts what a cell shows once you run it, scripts too, and a script has the rights of
your Jupyter session, which can start kernels outside of any sandbox. Run whom you do not trust without a browser, and
read what came out with its scripts removed:

    jupyter nbconvert --execute --ExecutePreprocessor.kernel_name=sandboxed --to html --sanitize-html NOTEBOOK.ipynb
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict

from autograde.sandbox import bwrap, view
from autograde.sandbox.inside import enclose, frames
from autograde.sandbox.kernels import SandboxUnavailable, a_uid
from autograde.sandbox.limits import Limits

NAME = "sandboxed"
_KERNEL = str(view.KIT / "inside" / "ipython_kernel.py")
_LONGEST = 80  # characters of a folder for temporary files: a socket's path has 107 at most


class SandboxProvisioner(LocalProvisioner):
    """Starts ipykernel under bubblewrap. Of what Jupyter asks for, its environment and folder are not passed on."""

    limits = Dict(help="what differs from autograde.sandbox.Limits, for instance {'memory_mb': 4096}").tag(config=True)
    _folder, _uid = None, None

    async def pre_launch(self, **kwargs):
        """The command line, and the folder for the kernel's sockets. Raises SandboxUnavailable without bubblewrap."""
        if not bwrap.available():
            raise SandboxUnavailable("No sandbox here: install bubblewrap (apt-get install bubblewrap).")
        if self._folder is None:
            top, self._uid = tempfile.gettempdir(), a_uid()
            top = top if len(os.fsencode(top)) <= _LONGEST else "/tmp"
            self._folder = tempfile.TemporaryDirectory(prefix="jupyter-", dir=top, ignore_cleanup_errors=True)
            if enclose.is_root():
                os.chown(self._folder.name, self._uid, self._uid)
        self.parent.transport, self.parent.ip, self.parent.cache_ports = "ipc", f"{self._folder.name}/k", False
        kwargs.pop("cwd", None)
        kwargs = await super().pre_launch(**kwargs)
        words = bwrap.command(Limits(**self.limits), nesting=False, link=self._folder.name)
        environment = {"PATH": os.environ.get("PATH", os.defpath)}  # to find bubblewrap, which hands on its own
        return {**kwargs, "cmd": [*words, view.python(), _KERNEL], "env": environment}

    async def launch_kernel(self, cmd, **kwargs):
        """Start it, and tell it by a pipe what no command line should show."""
        connection = await super().launch_kernel(cmd, **{**kwargs, "stdin": subprocess.PIPE})
        told = {**connection, "key": connection["key"].decode()}
        request = {"limits": Limits(**self.limits).as_dict(), "uid": self._uid, "connection": told}
        try:
            frames.send(self.process.stdin.fileno(), request)
        except frames.Broken:
            raise SandboxUnavailable("bubblewrap does not start here: its own words are in Jupyter's log") from None
        return connection

    async def send_signal(self, signum):
        """An interrupt goes through process 1, since bubblewrap passes none on; any other signal ends everything."""
        if self.process is None:
            return
        if signum == signal.SIGINT:
            with contextlib.suppress(BrokenPipeError):  # it has ended: Jupyter will notice
                os.write(self.process.stdin.fileno(), b"I")
        else:
            await super().send_signal(signal.SIGKILL)

    async def cleanup(self, restart=False):
        """Remove the folder, unless the same sockets are wanted once more."""
        await super().cleanup(restart)
        if self._folder and not restart:
            self._folder.cleanup()
            self._folder = None


def install_kernelspec(prefix: str | Path = sys.prefix) -> Path:
    """Add 'Python 3 (sandboxed)' to the kernels of the environment at `prefix` → its folder."""
    folder = Path(prefix, "share", "jupyter", "kernels", NAME)
    folder.mkdir(parents=True, exist_ok=True)
    refusal = "raise SystemExit('this kernel runs in a sandbox only: jupyter_client is too old to know how')"
    kernel = {
        "argv": [sys.executable, "-c", refusal, "{connection_file}"],
        "display_name": "Python 3 (sandboxed)",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"kernel_provisioner": {"provisioner_name": NAME}},
    }
    (folder / "kernel.json").write_text(json.dumps(kernel, indent=1) + "\n")
    return folder


def main(args=None) -> int:
    """Install the kernelspec and say where."""
    parser = argparse.ArgumentParser(prog="python -m autograde.sandbox.provisioner", description="Add the kernel.")
    parser.add_argument("--prefix", default=sys.prefix, help="of the environment; by default this one's, %(default)s")
    print(install_kernelspec(parser.parse_args(args).prefix))
    return 0


if __name__ == "__main__":
    sys.exit(main())
