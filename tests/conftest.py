"""What every test gets: one thread, own Jupyter folders, the machine's capabilities, strict skips, a table of times."""

import collections
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STRICT = os.environ.get("CI") == "true" or os.environ.get("AUTOGRADE_STRICT") == "1"
LONG = ("browser", "notebooks", "grading", "packaging")  # start first, so that no process ends late and alone

# One thread for torch, here and in every kernel started from here: two processes on two cores are already full.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

# No setting, history or kernel of whoever runs the tests plays a part, and no two processes share a history file.
_jupyter = tempfile.TemporaryDirectory(prefix="jupyter-of-tests-")
for _name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
    os.environ[_name] = os.path.join(_jupyter.name, _name.lower())
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"

# `make test ARGS=…` hands its variables on to every make that is started below it; the tests call make afresh.
for _name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "PIP_ARGS", "PYTHON"):
    os.environ.pop(_name, None)


def _gpu():
    import torch

    return torch.cuda.is_available()


def _avx512_bf16():
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


CAPABILITIES = {"gpu": _gpu, "avx512_bf16": _avx512_bf16}
_absent = set()  # tests that this machine cannot run, as 'name (needs capability)'
_durations = collections.defaultdict(lambda: [0.0, set()])
_before = {}


def _is_worker(config):
    return hasattr(config, "workerinput")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    has = {}
    kept, absent = [], []
    for item in items:
        needed = [name for mark in item.iter_markers("needs") for name in mark.args]
        if unknown := set(needed) - set(CAPABILITIES):
            raise pytest.UsageError(f"{item.nodeid} needs {unknown.pop()!r}; there are {', '.join(CAPABILITIES)}")
        lacking = [name for name in needed if not has.setdefault(name, CAPABILITIES[name]())]
        (absent if lacking else kept).append(item)
        if lacking:
            _absent.add(f"{item.nodeid} (needs {', '.join(lacking)})")
    if absent:
        config.hook.pytest_deselected(items=absent)
    items[:] = sorted(kept, key=lambda item: _part(item.nodeid) not in LONG)  # stable: random within each half


def _part(nodeid):
    pieces = nodeid.split("::")[0].split("/")
    return pieces[1] if len(pieces) > 2 else pieces[-1]


def _strictly(report):
    """A skip says 'not tested', which CI must not take for 'passed'."""
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI counts as a failure: {_reason(report.longrepr)}"
    return report


def _reason(longrepr):
    return longrepr[2] if isinstance(longrepr, tuple) else longrepr


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _strictly((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _strictly((yield))


def pytest_runtest_logreport(report):
    entry = _durations[_part(report.nodeid)]
    entry[0] += report.duration
    entry[1].add(report.nodeid)


def pytest_sessionstart(session):
    if STRICT and not _is_worker(session.config):
        _before["tree"] = _tree()


def pytest_sessionfinish(session):
    if _is_worker(session.config):
        session.config.workeroutput["absent"] = sorted(_absent)
    elif STRICT and _tree() != _before["tree"]:
        print("\nThe tests changed files of the repository:", _tree()[0], sep="\n")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _tree():
    """git's word on the working tree: which files differ from the commit, and how; None outside a clone."""
    run = [
        subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True)
        for args in (("status", "--porcelain", "--untracked-files=all"), ("diff", "HEAD"))
    ]
    return None if any(r.returncode for r in run) else [r.stdout for r in run]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    _absent.update(getattr(node, "workeroutput", {}).get("absent", ()))


def pytest_terminal_summary(terminalreporter):
    write = terminalreporter.write_line
    if _absent:
        terminalreporter.section("deselected: this machine lacks what they need")
        for line in sorted(_absent):
            write(line)
    if _durations:
        terminalreporter.section("time of the parts, added up over the processes")
        for part, (seconds, tests) in sorted(_durations.items(), key=lambda entry: -entry[1][0]):
            write(f"{seconds:8.1f} s  {len(tests):4d} tests  {part}")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository; read it, never write to it."""
    return ROOT
