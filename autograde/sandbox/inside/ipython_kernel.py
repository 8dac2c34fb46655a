"""An ipykernel in the sandbox, and process 1 that stays with it; autograde.sandbox.provisioner starts this.

Process 1 alone may mount. A frame on its standard input says which limits, user and connection the kernel has; after
it, each I interrupts the kernel, and the end of it ends everything.
"""

import json
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from inside import enclose, frames  # noqa: E402
from inside.supervise import supervise  # noqa: E402

LINK = "/link"  # where the folder of the kernel's sockets is
SECONDS = 120.0  # that a kernel may take to bind them


def main():
    request = frames.receive(0)
    log, log_end = os.pipe()
    ours, theirs = socket.socketpair()
    enclose.hide()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd, here in ((null, 0), (null, 1), (log_end, 2), (theirs.fileno(), 3)):
            os.dup2(fd, here)
        os.closerange(4, 1 << 16)
        become_kernel(request, socket.socket(fileno=3))
        os._exit(0)
    os.close(log_end), theirs.close()
    ours.settimeout(SECONDS)
    bound = ours.recv(1)
    if bound:
        enclose.make_read_only(LINK)
        ours.sendall(bound)
    ours.close()
    end = supervise(pid, 0, log, signal.SIGINT, request["limits"]["memory_mb"])
    if not bound:  # no learner's code has run yet: these are ipykernel's words, for Jupyter's log
        print(end["words"], file=sys.stderr)
    sys.exit(end["exit"] & 0xFF)


def become_kernel(request, first_process):
    """Drop every right, bind the sockets, and run what arrives there once they cannot be replaced."""
    enclose.limit(request["limits"])
    enclose.drop_privileges(request["uid"])
    for name in ("MPLBACKEND", "NBGRADER_EXECUTION"):  # there is somebody who looks: figures and live demos as ever
        os.environ.pop(name, None)
    os.chdir("/tmp")
    with open("connection.json", "w") as file:
        json.dump({**request["connection"], "ip": f"{LINK}/k"}, file)

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(["-f", "/tmp/connection.json", "--HistoryManager.enabled=False"])
    first_process.sendall(b"!")
    if first_process.recv(1) == b"!":
        first_process.close()
        app.start()


if __name__ == "__main__":
    main()
