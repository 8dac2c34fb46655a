"""`python -m autograde test [pytest's arguments]`: the tests, in random order on two processes."""

import importlib.util
import subprocess
import sys

from autograde.lab import NotARepository, repository


def main(args) -> int:
    """Run pytest in the repository; returns its exit status."""
    try:
        root = repository()
    except NotARepository as error:
        print(error, file=sys.stderr)
        return 1
    if missing := [name for name in ("pytest", "xdist") if importlib.util.find_spec(name) is None]:
        print(f'No {missing[0]} here: pip install -c constraints.txt -e ".[lab,grade,dev]" brings it.', file=sys.stderr)
        return 1
    # a file's tests stay in one process, so that what they share is made once; tests/conftest.py puts long ones first
    spread = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    return subprocess.call([sys.executable, "-m", "pytest", *spread, *args], cwd=root)
