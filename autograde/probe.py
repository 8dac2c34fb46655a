"""Runs beside the learner's code: calls the probe on each case and describes what came back, as plain data.

Nothing said here is believed by a grader; it is compared elsewhere (oracle.py). The module leans on torch and wire
alone, so that it can be carried into a sandbox.
"""

import contextlib
import ctypes
import io
import random
import signal
import threading
import time
import traceback
import warnings

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograde import wire

PRINTED = 2000  # characters kept of what an answer prints
PATIENCE = 4  # seconds that may pass for each second of processor time that an answer has


class TimeLimit(BaseException):
    """The answer took too long. No Exception, so that `except Exception` in an answer cannot swallow it."""


class LibraryCall(RuntimeError):
    """The answer calls the very operator that the exercise asks for."""


class _Refuse(TorchDispatchMode):
    """A courtesy against shortcuts, not a security boundary: it sees operators however they were reached."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # torch's own switch: to wrap the method for the compiler would import it, for seconds

    def __init__(self, operators):
        super().__init__()
        self.operators = frozenset(operators)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func.overloadpacket)
        if name in self.operators:
            operator = name.removeprefix("aten.").removesuffix("_forward").lstrip("_")
            raise LibraryCall(f"torch's own {operator} does this exercise for you: build it from simpler operations")
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TimeLimit in this thread when `seconds` of processor time are spent, or PATIENCE times as many have passed.

    Processor time, because a busy machine is not the learner's fault; the other bound ends a code that sleeps. It is
    raised again every half second in case the code swallows it.
    """
    spent, passed = time.process_time(), time.monotonic()

    def expired():
        return time.process_time() - spent >= seconds or time.monotonic() - passed >= PATIENCE * seconds

    in_main = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with (_alarm if in_main else _async_exception)(seconds, expired):
        yield


@contextlib.contextmanager
def _alarm(seconds, expired):
    def stop(signum, frame):
        if expired():
            raise TimeLimit

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _async_exception(seconds, expired):
    """Windows and side threads have no alarm: CPython can raise in a thread, though not while it is inside C code."""
    thread = ctypes.c_ulong(threading.get_ident())
    done = threading.Event()

    def watch():
        wait = seconds
        while not done.wait(wait):
            if expired():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeLimit))
            wait = 0.5

    watcher = threading.Thread(target=watch, daemon=True, name="autograde-time-limit")
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextlib.contextmanager
def _random_state():
    """An answer that draws from the global generators leaves the notebook's own draws as they were."""
    state = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(state[0])
        random.setstate(state[1])
        np.random.set_state(state[2])


def load(source):
    """The probe that `source` defines: executed alone, so that it cannot lean on the grader's own modules."""
    namespace = {"__name__": "probe"}
    exec(compile(source, "<probe>", "exec"), namespace)
    return [value for value in namespace.values() if getattr(value, "__module__", "") == "probe"][-1]


def answer(target, probe_source, messages, *, library=(), keeps_inputs=True, seconds=10.0):
    """Put every case to `target` → one reply a case: {"value": …} or {"error": …}, with "printed" and "changed" beside.

    messages: encoded inputs, one dict a case. A case after the time limit is answered by an error too.
    """
    probe, replies = load(probe_source), []
    with _random_state():
        try:
            with time_limit(seconds):
                for message in messages:
                    replies.append(_answer(target, probe, message, library, keeps_inputs))
        except TimeLimit:
            late = {"error": ["TimeLimit", f"stopped after {seconds:g} s: is there a loop that never ends?", ""]}
            replies += [late] * (len(messages) - len(replies))
    return replies


def _seed():
    """torch.manual_seed(0), without the stack traces that it takes down for every accelerator that was never used."""
    torch.default_generator.manual_seed(0)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)


def _answer(target, probe, message, library, keeps_inputs):
    _seed()
    inputs, printed, reply = wire.decode(message), io.StringIO(), {}
    refuse = _Refuse(library) if library else contextlib.nullcontext()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
            refuse,
        ):
            warnings.simplefilter("ignore")
            result = probe(target, inputs)
        reply["value"] = wire.encode(result)
    except (TimeLimit, KeyboardInterrupt):
        raise
    except wire.WireError as error:
        reply["error"] = ["WireError", f"the answer returned {error}, which cannot be compared", ""]
    except BaseException as error:  # an answer may raise anything, SystemExit too: all of it is its result
        reply["error"] = [type(error).__name__, _last_line(error), _learners_line(error)]
    if keeps_inputs:
        after = wire.encode(inputs)["dict"]
        reply["changed"] = [name for (name, now), (_, was) in zip(after, message["dict"], strict=True) if now != was]
    reply["printed"] = printed.getvalue()[:PRINTED]
    return reply


def _last_line(error):
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1][:300]


def _learners_line(error):
    """The source line of the answer in which the error arose, where Python knows it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    frames = [f for f in frames if f.filename not in (__file__, "<probe>", wire.__file__)]
    return (frames[-1].line or "")[:200] if frames else ""
