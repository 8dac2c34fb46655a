"""What holds around an answer while it runs: its time, what it may not call, and the settings that it starts from.

Courtesies, not a security boundary: they keep an honest mistake from harming the notebook or another answer.
"""

import contextlib
import ctypes
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

PATIENCE = 4  # seconds that may pass for each second of processor time that an answer has


@dataclass(frozen=True)
class Rules:
    """What an exercise allows: see `Exercise` for the first three; `seconds` of processor time for all its cases."""

    library: tuple[str, ...] = ()
    autograd: bool = True
    keeps_inputs: bool = True
    seconds: float = 10.0


class TimeLimit(BaseException):
    """The answer took too long. No Exception, so that `except Exception` in an answer cannot swallow it."""


class LibraryCall(RuntimeError):
    """The answer calls what the exercise asks to be built."""

    def __init__(self, name):
        super().__init__(f"torch's own {name} does this exercise for you: build it from simpler operations")


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
def refusals(rules: Rules):
    """Within, what `rules` refuse raises LibraryCall, however it was reached."""
    operators = frozenset(name for name in rules.library if name.startswith("aten."))
    functions = frozenset(rules.library) - operators
    with contextlib.ExitStack() as stack:
        if operators:
            stack.enter_context(_RefuseOperators(operators))
        if functions:
            stack.enter_context(_RefuseFunctions(functions))
        if not rules.autograd:
            stack.enter_context(torch.autograd.graph.saved_tensors_hooks(_refuse_autograd, lambda saved: saved))
        yield


class _RefuseOperators(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls):
        return False  # torch's own switch: to wrap the method for the compiler would import it, for seconds

    def __init__(self, operators):
        super().__init__()
        self.operators = operators

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func.overloadpacket)
        if name in self.operators:
            raise LibraryCall(name.removeprefix("aten.").removesuffix("_forward").lstrip("_"))
        return func(*args, **(kwargs or {}))


class _RefuseFunctions(TorchFunctionMode):
    """By name, for functions whose operators an honest answer may use as well."""

    def __init__(self, functions):
        super().__init__()
        self.functions = functions

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in self.functions:
            raise LibraryCall(name)
        return func(*args, **(kwargs or {}))


def _refuse_autograd(tensor):
    raise LibraryCall("autograd")


@contextlib.contextmanager
def settings():
    """Within, torch and numpy stand as they do at the start of a program; afterwards all is as it was before.

    So the cases of a seed are the same whatever a notebook has set, and an answer's own settings stay its own.
    """
    kept = _Settings()
    try:
        torch.set_default_dtype(torch.float32)
        if kept.device.type != "cpu":
            torch.set_default_device("cpu")
        with torch.inference_mode(False), torch.enable_grad(), np.errstate(all="warn", under="ignore"):
            yield
    finally:
        kept.restore()


class _Settings:
    """The state of the process that an answer can reach by an ordinary call."""

    def __init__(self):
        self.dtype, self.device = torch.get_default_dtype(), torch.get_default_device()
        self.grad, self.threads = torch.is_grad_enabled(), torch.get_num_threads()
        self.deterministic = torch.are_deterministic_algorithms_enabled()
        self.anomaly = torch.is_anomaly_enabled()
        self.precision = torch.get_float32_matmul_precision()
        self.numpy, self.recursion, self.folder = np.geterr(), sys.getrecursionlimit(), _folder()
        self.random = torch.get_rng_state(), random.getstate(), np.random.get_state()

    def restore(self):
        torch.set_default_dtype(self.dtype)
        if torch.get_default_device() != self.device:
            torch.set_default_device(self.device)
        torch.set_grad_enabled(self.grad)
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        if torch.are_deterministic_algorithms_enabled() != self.deterministic:
            torch.use_deterministic_algorithms(self.deterministic)
        torch.autograd.set_detect_anomaly(self.anomaly)
        torch.set_float32_matmul_precision(self.precision)
        np.seterr(**self.numpy)
        sys.setrecursionlimit(self.recursion)
        if self.folder != _folder():
            os.chdir(self.folder or ".")
        torch.set_rng_state(self.random[0])
        random.setstate(self.random[1])
        np.random.set_state(self.random[2])


def _folder():
    """Where this process works; None where that cannot be named, since it was removed or lies too deep."""
    try:
        folder = os.getcwd()
    except OSError:
        return None
    return folder if os.path.isdir(folder) else None


def seed(number: int) -> None:
    """torch.manual_seed, without the stack traces that it takes down for every accelerator that was never used."""
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
