"""Frames of JSON over a pair of file descriptors: four bytes of length, then UTF-8. Both sides speak it."""

import json
import os
import select
import time

MOST = 8 << 20  # bytes of a frame from the sandbox: a JSON of this size takes some 250 MB once it is read


class Broken(Exception):
    """The other side is gone, or it does not keep to the form."""


class Late(Exception):
    """The other side did not answer in time, or it does not read."""


def send(fd: int, message, seconds: float | None = None) -> None:
    """Write one frame. Raises Broken where nobody reads any more; Late after `seconds`, where `fd` does not block."""
    until = None if seconds is None else time.monotonic() + seconds
    body = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    data = memoryview(len(body).to_bytes(4, "big") + body)
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            _wait(fd, select.POLLOUT, until)
        except OSError as error:
            raise Broken(error.strerror) from None


def receive(fd: int, seconds: float | None = None, most: int = MOST):
    """The next message. Raises Late after `seconds`, Broken at an end, an oversized frame or anything but JSON."""
    return parse(body(fd, seconds, most))


def body(fd: int, seconds: float | None = None, most: int = MOST) -> bytes:
    """The next frame, not yet read as JSON."""
    until = None if seconds is None else time.monotonic() + seconds
    size = int.from_bytes(_exactly(fd, 4, until), "big")
    if size > most:
        raise Broken(f"a message of {size:,} bytes, at most {most:,} are read")
    return _exactly(fd, size, until)


def begins(fd: int, seconds: float) -> bool:
    """Whether the other side says anything within `seconds`; its end counts."""
    try:
        _wait(fd, select.POLLIN, time.monotonic() + seconds)
    except Late:
        return False
    return True


def parse(data: bytes):
    """A frame's message."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError, MemoryError) as error:
        raise Broken(f"a message that is no JSON ({type(error).__name__})") from None


def _exactly(fd, size, until):
    parts = bytearray()
    while len(parts) < size:
        if until is not None:
            _wait(fd, select.POLLIN, until)
        try:
            part = os.read(fd, min(size - len(parts), 1 << 20))
        except OSError as error:
            raise Broken(error.strerror) from None
        if not part:
            raise Broken("it ended")
        parts += part
    return bytes(parts)


def _wait(fd, event, until):
    """Until the other side reads or writes. By poll: a grader may hold more files than select can name."""
    poll = select.poll()
    poll.register(fd, event)
    if not poll.poll(None if until is None else 1000 * max(0.0, until - time.monotonic())):
        raise Late
