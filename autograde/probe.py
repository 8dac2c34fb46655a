"""Runs beside the learner's code: calls the probe on each case and describes what came back, as plain data.

Nothing said here is believed by a grader; it is compared elsewhere (oracle.py). The module leans on torch, wire and
guard alone, so that it can be carried into a sandbox.
"""

import contextlib
import io
import re
import traceback
import warnings

from autograde import guard, wire

PRINTED = 2000  # characters kept of what an answer prints


def load(source):
    """The probe that `source` defines: executed alone, so that it cannot lean on the grader's own modules."""
    namespace = {"__name__": "probe"}
    exec(compile(source, "<probe>", "exec"), namespace)
    return [value for value in namespace.values() if getattr(value, "__module__", "") == "probe"][-1]


def answer(target, probe_source, messages, rules=None):
    """Put every case to `target` → one reply a case: {"value": …} or {"error": …}, with "printed" and "changed" beside.

    messages: encoded inputs, one dict a case; rules: what the answer may do (guard.Rules). A case after the time limit
    is answered by an error too.
    """
    probe, replies, rules = load(probe_source), [], rules or guard.Rules()
    try:
        with guard.time_limit(rules.seconds):
            for message in messages:
                replies.append(_answer(target, probe, message, rules))
    except guard.TimeLimit:
        late = {"error": ["TimeLimit", f"stopped after {rules.seconds:g} s: is there a loop that never ends?", ""]}
        replies += [late] * (len(messages) - len(replies))
    return replies


class _Printed(io.StringIO):
    def close(self):
        """An answer may close its standard output; what it printed before is still read."""


def _answer(target, probe, message, rules):
    printed, reply = _Printed(), {}
    try:
        with (
            guard.settings(),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
        ):
            guard.seed(0)
            inputs = wire.decode(message)
            warnings.simplefilter("ignore")
            with guard.refusals(rules):
                result = probe(target, inputs)
            reply["value"] = wire.encode(result)
    except (guard.TimeLimit, KeyboardInterrupt):
        raise
    except wire.WireError as error:
        reply["error"] = ["WireError", f"the answer returned {error}, which cannot be compared", ""]
    except BaseException as error:  # an answer may raise anything, SystemExit too: all of it is its result
        reply["error"] = [type(error).__name__, _last_line(error), _learners_line(error)]
    if rules.keeps_inputs:
        after = wire.encode(inputs)["dict"]
        reply["changed"] = [name for (name, now), (_, was) in zip(after, message["dict"], strict=True) if now != was]
    reply["printed"] = printed.getvalue()[:PRINTED]
    return reply


def _last_line(error):
    if isinstance(error, guard.LibraryCall):
        return str(error)
    line = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1][:300]
    return re.sub(r"^[\w.]+\.(?=\w+(:|$))", "", line)  # the error's name without its module


def _learners_line(error):
    """The source line of the answer in which the error arose, where Python knows it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    frames = [f for f in frames if f.filename not in (__file__, "<probe>", wire.__file__, guard.__file__)]
    return (frames[-1].line or "")[:200] if frames else ""
