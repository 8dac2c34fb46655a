"""Where submissions run: a kernel under bubblewrap (or in a container), warm by a zygote where the machine allows it.

    with Sandbox(modules=["torch"]) as sandbox:
        kernel = sandbox.kernel()
        kernel.run("x = 1", seconds=10)

`inside/` is what is carried in; the rest of this package is the trusted side.
"""

from autograde.sandbox.kernel import Died, Kernel, Late
from autograde.sandbox.kernels import SandboxUnavailable
from autograde.sandbox.limits import Limits
from autograde.sandbox.start import Sandbox

__all__ = ["Died", "Kernel", "Late", "Limits", "Sandbox", "SandboxUnavailable"]
