"""Graded exercises: `check` in a notebook, `run` in a program. Nothing heavy is imported before it is needed."""

import sys

if sys.version_info < (3, 11):
    sys.exit("training-dynamics needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])

__all__ = ["check", "run"]


def __getattr__(name):
    if name == "check":
        from autograde.notebook import check

        return check
    if name == "run":
        from autograde.oracle import run

        return run
    raise AttributeError("module 'autograde' has no attribute %r" % name)


def __dir__():
    return __all__
