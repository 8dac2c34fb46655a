"""Many submissions at a time: in processes of this machine, or on a Dask cluster. Results come as they are ready.

Marking is a pure function, so where it runs does not matter. A worker that ends takes no other submission with it: its
own is tried once more alone, and then given to a human.
"""

import atexit
import faulthandler
import multiprocessing
import multiprocessing.util
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for

from autograde import marking
from autograde.journal import ClassError
from autograde.sandbox import Limits, Sandbox, SandboxUnavailable

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
    # ends this process where nothing else can: code that holds the interpreter hears no signal
    faulthandler.dump_traceback_later(len(task.release) * task.patience.notebook + 120, exit=True)
    try:
        return marking.mark(task, sandbox_of(kind))
    finally:
        faulthandler.cancel_dump_traceback_later()


def local(tasks: Iterable[marking.Task], kind: Kind, jobs: int) -> Iterator[dict]:
    """Results in the order in which they are ready, `jobs` submissions at a time; to close it ends what still runs."""
    waiting, suspects, running = deque(tasks), deque(), {}
    pool = _Pool(jobs)
    try:
        while waiting or suspects or running:
            if suspects and not running:  # one at a time, to learn which of them it is
                task = suspects.popleft()
                wait([first := pool.submit(os.getpid)])
                if _is_lost(first):  # no submission's fault, and no submission is to pay for it
                    raise ClassError("the processes that mark submissions end as they start; what they say is above")
                wait([future := pool.submit(mark, task, kind)])
                if _is_lost(future):
                    pool = pool.anew()
                    yield marking.nothing(task, "stopped", _STOPPED)
                else:
                    yield _result(future, task)
                continue
            while waiting and not suspects and len(running) < jobs + 1:  # one ahead, so that none waits for us
                task = waiting.popleft()
                running[pool.submit(mark, task, kind)] = task
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if lost := [future for future in done if _is_lost(future)]:
                suspects.extend(running.pop(future) for future in lost)
            for future in done.difference(lost):
                yield _result(future, running.pop(future))
            if lost:
                suspects.extend(running.values())
                running.clear()
                pool = pool.anew()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.end()


class _Pool:
    """Processes that mark, and that end with this one, whatever they are at."""

    def __init__(self, jobs):
        self._jobs, context = jobs, multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["autograde.workers", "torch"])
        self._theirs, self._ours = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(self._theirs,))

    def submit(self, *call) -> Future:
        try:
            return self._pool.submit(*call)
        except BrokenProcessPool as error:  # a process was lost while it had nothing to do
            lost = Future()
            lost.set_exception(error)
            return lost

    def stop(self):
        """End them at once."""
        self._ours.close()

    def end(self):
        """Let them end what they are at, and wait for it."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ours.close(), self._theirs.close()

    def anew(self):
        self.end()
        return _Pool(self._jobs)


def _begin(link):
    """A worker leaves Ctrl-C to the one who waits for it, and does not outlive its end of the link."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(link,), daemon=True).start()


def _end_with(link):
    try:
        wait_for([link])
        close_all()
    finally:
        os._exit(1)


def _is_lost(future):
    return isinstance(future.exception(), BrokenProcessPool)


def _result(future, task):
    """What was marked. Where marking itself fails, that is for a human, and the others are marked all the same."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, SandboxUnavailable) or not isinstance(error, Exception):
        raise error
    return marking.nothing(task, "stopped", f"marking it failed: {type(error).__name__}: {error}"[:500])


def on_dask(tasks: Iterable[marking.Task], kind: Kind, address: str) -> Iterator[dict]:
    """Results from the workers of a Dask scheduler, which has what a lost worker was at marked by another.

    What several were lost with is tried alone in the end: the scheduler blames all that a worker had. Raises ClassError
    where there is no scheduler, or none any more.
    """
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ModuleNotFoundError as error:
        raise ClassError(f"--dask needs {error.name}: pip install -c constraints.txt -e '.[dask]' brings it") from None
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClassError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        suspects = []
        for future, task in _from_dask(client, address, tasks, kind):
            if isinstance(future.exception(), KilledWorker):
                suspects.append(task)
            else:
                yield _result(future, task)
        for suspect in suspects:
            for future, task in _from_dask(client, address, [suspect], kind):
                lost = isinstance(future.exception(), KilledWorker)
                yield marking.nothing(task, "stopped", _STOPPED) if lost else _result(future, task)


def _from_dask(client, address, tasks, kind):
    """(a future that is done, its task), in the order in which they are ready."""
    from distributed import as_completed

    futures = {client.submit(mark, task, kind, pure=False, retries=1): task for task in tasks}
    for future in as_completed(list(futures), loop=client.loop):
        if future.cancelled():
            raise ClassError(f"the Dask scheduler at {address} has gone: --resume goes on when it is back")
        yield future, futures.pop(future)
        future.release()
