"""The trusted side of one kernel: asks, waits no longer than it means to, and believes no form it did not check."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from subprocess import DEVNULL

from autograde.sandbox.inside import frames

TOTAL = 64 << 20  # bytes that a kernel may say in its life


class Died(Exception):
    """The kernel ended, or what it said cannot be read; it is gone now."""


class Late(Exception):
    """The kernel did not answer in time; it is gone now."""


class Kernel:
    """One kernel, for one submission. `processes` is what it runs in: it knows how to interrupt and to end it."""

    def __init__(self, read: int, write: int, processes):
        self._read, self._write, self._processes = read, write, processes
        self._asked, self._said = 0, 0
        self.alive = True
        for fd in {read, write}:
            os.set_blocking(fd, False)  # a kernel that does not read must not stop us

    def run(self, source: str, seconds: float) -> list[str] | None:
        """Run one cell → None, or [error's name, its message]. An endless cell is interrupted before it is given up."""
        reply = self._request({"run": source}, seconds, patience=2.0)
        if reply.keys() == {"done"}:
            return None
        if reply.keys() == {"error"} and _are_texts(reply["error"], 2):
            return reply["error"]
        raise self._gone(Died("an answer out of form"))

    def ask(self, name: str, probe: str, messages: list[dict], rules: dict, seconds: float) -> dict:
        """Put cases to the notebook's `name` → {"replies": […]}, {"undefined": name} or {"uncallable": its type}.

        Of the replies only the number is checked here (oracle.judge reads the rest). Raises Died or Late.
        """
        request = {"ask": {"name": name, "probe": probe, "messages": messages, "rules": rules}}
        reply = self._request(request, seconds)
        if reply.keys() == {"replies"} and type(reply["replies"]) is list and len(reply["replies"]) == len(messages):
            return reply
        if reply.keys() in ({"undefined"}, {"uncallable"}) and _are_texts(list(reply.values()), 1):
            return reply
        raise self._gone(Died("an answer out of form"))

    def end(self) -> None:
        """End it, with all that it started."""
        if self.alive:
            self.alive = False
            with contextlib.suppress(frames.Broken, frames.Late):  # it ended before, or does not listen and is killed
                frames.send(self._write, {"end": True}, 0)
            self._close()

    def _request(self, request, seconds, patience=0.0):
        if not self.alive:
            raise Died("it has ended")
        self._asked += 1
        try:
            frames.send(self._write, {"id": self._asked, **request}, seconds)
            reply = self._reply(seconds, patience)
        except frames.Late:
            raise self._gone(Late(f"no answer after {seconds:g} s")) from None
        except frames.Broken as error:
            raise self._gone(Died(str(error))) from None
        if type(reply) is not dict or reply.pop("id", None) != self._asked:
            raise self._gone(Died("an answer out of form"))
        return reply

    def _reply(self, seconds, patience):
        until = time.monotonic() + seconds
        if patience and not frames.begins(self._read, seconds):
            self._processes.interrupt()
            until += patience
        body = frames.body(self._read, until - time.monotonic(), min(frames.MOST, TOTAL - self._said))
        self._said += len(body)
        return frames.parse(body)

    def _gone(self, error):
        """End the kernel, in whatever state → the error, with its last words, for which one that died has time."""
        self.alive = False
        self._close(now=type(error) is Late)
        if self._processes.words and type(error) is Died:
            error = Died(f"{error}: {self._processes.words.strip().splitlines()[-1][:300]}")
        return error

    def _close(self, now=False):
        for fd in {self._read, self._write}:  # first: an engine's client stays as long as there may be more to pass on
            os.close(fd)
        self._processes.end(now)


def _are_texts(values, count):
    return type(values) is list and len(values) == count and all(type(value) is str for value in values)


class Attended:
    """The processes of a kernel, seen over the connection to the one that attends it: zygote.py has the other end.

    process: bubblewrap, where it was started for this kernel alone.
    """

    def __init__(self, connection: socket.socket, cgroup=None, process=None):
        self._connection, self._cgroup, self._process, self.words = connection, cgroup, process, ""

    def interrupt(self):
        self._say(b"I")

    def end(self, now: bool):
        """Wait for the end; kill it at once or, where it does not end by itself, soon."""
        if now:
            self._say(b"K")
        said = self._until_exit(10 if now else 0.5)
        if said is None:
            self._say(b"K")
            said = self._until_exit(10)
        self.words = (said or {}).get("words", "")
        self._connection.close()
        if self._process:
            self._process.kill()
            _, error = self._process.communicate()
            self.words = self.words or error.decode(errors="replace")
        if self._cgroup:
            if self._cgroup.ran_out():
                self.words += "\nmore memory than allowed, over all its processes"
            self._cgroup.remove()

    def _say(self, word):
        with contextlib.suppress(OSError):  # it has ended; its exit is there to be read
            self._connection.send(word)

    def _until_exit(self, seconds):
        self._connection.settimeout(seconds)
        try:
            return json.loads(self._connection.makefile().readline() or "{}")
        except TimeoutError:
            return None
        except (OSError, ValueError):  # whoever attended it was killed
            return {}


class Started:
    """The processes of a kernel that leads a group of its own: an ordinary one, or the client of containers' engine.

    kill: the command that ends a container; an engine's client leaves it running when it is killed.
    """

    def __init__(self, process, kill: list[str] | None = None):
        self._process, self._kill, self.words = process, kill, ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)  # engines pass it on

    def end(self, now: bool):
        try:
            self._process.wait(0 if now else 2)
        except subprocess.TimeoutExpired:
            if self._kill:
                subprocess.run(self._kill, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, timeout=30)
        with contextlib.suppress(ProcessLookupError):  # what it started may have outlived it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._listener.join(1)

    def _listen(self):
        with self._process.stderr as pipe:
            while said := pipe.read1(65536):  # all of it, so that it never waits for us; the last of it is kept
                self.words = (self.words + said.decode(errors="replace"))[-2000:]
