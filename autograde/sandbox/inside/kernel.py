"""The kernel of the sandbox: runs a learner's cells in IPython's shell and puts the grader's cases to their answers.

It has no sockets, no history and no display: what a cell prints or shows is dropped. Whatever it says is data to the
grader, to be compared elsewhere; nothing here is a secret, and nothing here needs to hold against the learner's code.
"""

import os
import signal
import sys

from inside import frames

TEXT = 500  # characters kept of an error's message


def make_shell():
    """IPython's shell, as a notebook has it; made before the fork, since it starts no thread."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        """A notebook's shell without a screen: what needs a window or a browser does nothing."""

        def enable_gui(self, gui=None):
            pass

        def enable_matplotlib(self, gui=None):
            return None, "agg"

        def ask_exit(self):
            pass

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config)
    for name in ("autosave", "connect_info", "qtconsole", "clear"):  # ipykernel's own
        shell.register_magic_function(lambda line: None, "line", name)
    shell.display_formatter.active_types = ["text/plain"]  # nobody looks: no picture need be drawn
    shell.run_cell("pass", silent=True)  # the first cell takes ten times as long as the second
    return shell


def serve(shell, read: int, write: int):
    """Answer requests until the grader ends it or goes away."""
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = open(os.devnull, "w")
    while True:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one may come after the cell that it was meant for
        try:
            request = frames.receive(read, most=1 << 30)
        except frames.Broken:
            os._exit(0)
        if "end" in request:
            os._exit(0)
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            reply = _run(shell, request["run"]) if "run" in request else _ask(shell, **request["ask"])
        except BaseException as error:  # whatever a learner's code throws at the loop, an answer goes out
            reply = {"error": _told(error)}
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        frames.send(write, {"id": request["id"], **reply})


def _run(shell, source):
    result = shell.run_cell(source)
    error = result.error_before_exec or result.error_in_exec
    return {"error": _told(error)} if error is not None else {"done": True}


def _told(error):
    try:
        return [type(error).__name__, str(error)[:TEXT]]
    except BaseException:  # a learner's exception may fail to say what it is, too
        return [type(error).__name__, ""]


def _ask(shell, name, probe, messages, rules):
    """Put cases to what the notebook calls `name` → its replies, or why there is nothing to ask."""
    from autograde import guard
    from autograde.probe import answer

    if name not in shell.user_ns:
        return {"undefined": name}
    target = shell.user_ns[name]
    if not callable(target):
        return {"uncallable": type(target).__name__}
    rules = guard.Rules(tuple(rules["library"]), rules["autograd"], rules["keeps_inputs"], rules["seconds"])
    guard.torch.set_num_threads(1)  # a cell that asked for many would have the next operator refused its threads
    return {"replies": answer(target, probe, messages, rules)}
