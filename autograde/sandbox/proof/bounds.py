"""How much a kernel can use, and how it ends: each promise with the attempt to break it (overuse.py)."""

import os
import signal
import time
from pathlib import Path

from autograde.sandbox import Died, Late
from autograde.sandbox.proof import overuse
from autograde.sandbox.proof.examined import LIMITS, Row

SECONDS = 10.0  # within which a kernel must be gone, with all that it started
GROWTH_MB = 64  # that a kernel may cost the grader, whatever it says
# Bytes on the link to the grader, around the kernel's own loop. The link is 3, or 4 where 3 is for reading alone.
_SAY = """
import os, time
def say(data):
    try: os.write(3, data)
    except OSError: os.write(4, data)
def for_ever(action):
    while True:
        try: action(), time.sleep(0.01)
        except BaseException: pass
"""
_STUBBORN = _SAY + "for_ever(lambda: None)"
_TOO_MUCH = _SAY + "say((1 << 31).to_bytes(4, 'big')); for_ever(lambda: say(bytes(4 << 20)))"
_TOO_SLOWLY = _SAY + "say((1000).to_bytes(4, 'big')); for_ever(lambda: say(b' '))"


def processes(examined):
    """Processes are limited"""
    with examined.another() as kernel:
        count = examined.attack(overuse.fork, kernel, most=LIMITS.processes + 100)
    limit = LIMITS.processes
    result = f"refused after {count}; the limit is {limit}"
    yield Row("Processes are limited", "fork until refused", result, count <= limit)


def memory(examined):
    """Memory is limited"""
    limit, each = LIMITS.memory_mb, LIMITS.memory_mb * 6 // 10  # two of them are too many
    four = {"processes": 4, "each_mb": each}
    for promise, tried, attempt, facts in (
        ("One process's memory is limited", "ask for more and more", overuse.memory, {"most_mb": 2 * limit}),
        ("All its memory is limited", f"four processes of {each} MB", overuse.memory_of_all, {**four, "shared": False}),
        ("Shared memory is counted too", "the same, shared", overuse.memory_of_all, {**four, "shared": True}),
    ):
        with examined.another() as kernel:
            try:
                held = examined.attack(attempt, kernel, **facts)
                result, holds = f"{held} MB held; the limit is {limit}", held <= limit
            except Died as error:  # for another reason than memory, it proves nothing; engines give no reason
                result, holds = str(error), "memory" in str(error) or examined.sandbox.backend == "container"
        yield Row(promise, tried, result, holds)


def disk(examined):
    """Its disk is limited"""
    with examined.another() as kernel:
        found = examined.attack(overuse.disk, kernel, most_mb=4 * LIMITS.files_mb)
    for folder, (one, total) in found.items():
        result = f"a file stops at {one} MB, all at {total} MB; the limits are {LIMITS.file_mb} and {LIMITS.files_mb}"
        holds = one <= LIMITS.file_mb and total <= LIMITS.files_mb
        yield Row(f"{folder} is limited", "write until refused", result, holds)


def cpu(examined):
    """Processor time is limited"""
    with examined.another(cpu_s=1) as kernel:
        began = time.monotonic()
        try:
            result, holds = f"still there: {kernel.run('while True: pass', SECONDS)}", False
        except Died:
            took = time.monotonic() - began
            result, holds = (
                f"ended after {took:.1f} s; the limit is 1 s",
                took > 0.9,
            )  # sooner, it died of something else
    yield Row("Processor time is limited", "an endless loop", result, holds)


# --- how it ends ------------------------------------------------------------------------------------------------------


def endless(examined):
    """An endless cell ends"""
    with examined.another() as kernel:
        error = kernel.run("import time\ntime.sleep(1000)", 0.5)
        after = kernel.run("assert time", 5)
    holds = error is not None and error[0] == "KeyboardInterrupt" and after is None
    result = "and the kernel is usable" if holds else f"{error}, {after}"
    yield Row("An endless cell is interrupted", "sleep for 1000 s", result, holds)
    began = time.monotonic()
    with examined.another() as kernel:
        try:
            result, holds = f"still there: {kernel.run(_STUBBORN, 0.5)}", False
        except Late:
            took = time.monotonic() - began
            result, holds = f"ended after {took:.1f} s", took < SECONDS
    yield Row("A cell that ignores that is ended", "catch every exception, for ever", result, holds)


def daemons(examined):
    """Nothing outlives its kernel"""
    with examined.another() as kernel:
        examined.attack(overuse.daemon, kernel, token=examined.token)
        until = time.monotonic() + 5
        while not (seen := examined.running()) and time.monotonic() < until:
            time.sleep(0.02)
        began = time.monotonic()
        kernel.end()
        while (left := examined.running()) and time.monotonic() < began + SECONDS:
            time.sleep(0.02)
    for number in left:
        os.kill(number, signal.SIGKILL)
    result = f"{'still there' if left else 'gone'} after {time.monotonic() - began:.2f} s" if seen else "never seen"
    tried = "a daemon in a session of its own, deaf to signals"
    yield Row("Nothing outlives its kernel", tried, result, bool(seen) and not left)


def answers(examined):
    """What it says is bounded"""
    before = _peak_mb(reset=True)
    for what, source, expected in (("an answer of 2 GB", _TOO_MUCH, Died), ("an answer that drips", _TOO_SLOWLY, Late)):
        began = time.monotonic()
        with examined.another() as kernel:
            try:
                result, holds = f"taken: {kernel.run(source, 1)}", False
            except (Died, Late) as error:
                took, grown = time.monotonic() - began, _peak_mb() - before
                result = f"refused after {took:.1f} s ({error}); the grader grew by {grown:.0f} MB"
                holds = type(error) is expected and took < SECONDS and grown < GROWTH_MB
        yield Row("What it says is bounded", what, result, holds)


def _peak_mb(reset=False):
    """The most memory that this process has held, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
