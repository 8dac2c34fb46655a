"""Many submissions at a time: in processes of this machine, or on a Dask cluster. Results come as they are ready.

Marking is a pure function, so where it runs does not matter. A worker that ends takes no other submission with it: its
own is tried once more alone, and then given to a human.
"""

import atexit
import multiprocessing
import multiprocessing.util
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for

from autograde import marking
from autograde.sandbox import Limits, Sandbox

_STOPPED = "it ended the process that marked it, twice"
_open: dict["Kind", Sandbox] = {}  # this process's sandbox


@dataclass(frozen=True)
class Kind:
    """Which sandbox a worker uses. zygote: the path of one that it shares."""

    modules: tuple[str, ...]
    backend: str | None = None
    zygote: str | None = None
    limits: Limits = Limits()


def sandbox_of(kind: Kind) -> Sandbox:
    """This process's sandbox of that kind, started on first use and closed as the process ends."""
    if kind not in _open:
        close_all()
        _open[kind] = Sandbox(kind.modules, kind.limits, kind.backend, kind.zygote)
        atexit.register(close_all)
        multiprocessing.util.Finalize(None, close_all, exitpriority=10)  # processes of a pool skip atexit
    return _open[kind]


def close_all() -> None:
    while _open:
        _open.popitem()[1].close()


def mark(task: marking.Task, kind: Kind) -> dict:
    """The result of one submission, marked in this process."""
    import torch

    torch.set_num_threads(1)
    return marking.mark(task, sandbox_of(kind))


def local(tasks: Iterable[marking.Task], kind: Kind, jobs: int) -> Iterator[dict]:
    """Results in the order in which they are ready, `jobs` submissions at a time."""
    waiting, suspects = deque(tasks), deque()
    pool, running = _pool(jobs), {}
    try:
        while waiting or suspects or running:
            if suspects and not running:  # one at a time, to learn which of them it is
                task = suspects.popleft()
                try:
                    yield pool.submit(mark, task, kind).result()
                except BrokenProcessPool:
                    pool = _pool(jobs)
                    yield marking.stopped(task, _STOPPED)
                continue
            while waiting and not suspects and len(running) < jobs + 1:  # one ahead, so that none waits for us
                task = waiting.popleft()
                running[pool.submit(mark, task, kind)] = task
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                task = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(task)
                    broken = True
                else:
                    yield future.result()
            if broken:
                suspects.extend(running.values())
                running.clear()
                pool.shutdown(wait=True)
                pool = _pool(jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(jobs):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograde.workers", "torch"])
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)


def _begin():
    """A worker leaves Ctrl-C to the one who waits for it, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel):
    wait_for([sentinel])
    close_all()
    os._exit(1)


def on_dask(tasks: Iterable[marking.Task], kind: Kind, address: str) -> Iterator[dict]:
    """Results from the workers of a Dask scheduler; a worker that is lost has its submissions marked by another."""
    from distributed import Client, as_completed
    from distributed.scheduler import KilledWorker

    with Client(address, set_as_default=False) as client:
        futures = {client.submit(mark, task, kind, pure=False, retries=1): task for task in tasks}
        for future in as_completed(list(futures)):
            task = futures.pop(future)
            if isinstance(future.exception(), KilledWorker):
                yield marking.stopped(task, _STOPPED)
            else:
                yield future.result()
            future.release()
