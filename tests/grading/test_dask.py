"""Marking on a Dask cluster: what its workers give is what this machine gives, also where one of them is killed."""

import os
import signal
import threading

import pytest

from autograde import grade as command
from autograde import workers
from autograde.grade import Settings, collect, grade
from autograde.journal import ClassError
from tests.grading import classes
from tests.grading.classes import HALF, RIGHT, WRONG, graded, results
from tests.grading.deadly import Breaks, Ends
from tests.grading.test_workers import task, without_times

dask = pytest.importorskip("dask", reason="no Dask here: pip install -e '.[dask]'")
distributed = pytest.importorskip("distributed", reason="no Dask here: pip install -e '.[dask]'")
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
SUBMISSIONS = {
    f"{kind}-{number}": answers
    for number in (1, 2)
    for kind, answers in {
        "half": HALF,
        "print": RIGHT | {"week1-initial_loss": RIGHT["week1-initial_loss"] + "print(1)\n"},
        "right": RIGHT,
        "wrong": WRONG,
    }.items()
}


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes on this machine, each restarted when it is lost."""
    how = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        with distributed.LocalCluster(n_workers=2, **how) as cluster:
            yield cluster


@pytest.fixture
def classroom(released, tmp_path):
    return released.copy(tmp_path / "class")


def pids(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


def test_a_worker_is_killed_in_the_middle_and_all_are_graded_as_here(released, cluster, sandbox, tmp_path):
    one, other = released.copy(tmp_path / "dask", SUBMISSIONS), released.copy(tmp_path / "local", SUBMISSIONS)
    other.state.mkdir(exist_ok=True)
    (other.state / "secret").write_bytes(one.secret)
    before, killed = pids(cluster), threading.Event()

    def kill(done, of, student):
        if not killed.is_set():
            killed.set()
            os.kill(min(before), signal.SIGKILL)

    submissions, _ = collect(one, one.submitted)
    report = grade(one, submissions, Settings(dask=cluster.scheduler_address), kill)
    assert report.graded == 8 and killed.is_set() and not before <= pids(cluster)
    graded(other, sandbox)
    assert {student: without_times(result) | {"run": ""} for student, result in results(one).items()} == {
        student: without_times(result) | {"run": ""} for student, result in results(other).items()
    }
    assert classes.book(one) == classes.book(other)
    assert graded(one, dask=cluster.scheduler_address).graded == 0


def test_marking_that_fails_is_one_learners_and_a_human_is_told(classroom, cluster, sandbox):
    tasks = [task(classroom, name, RIGHT, Breaks if name == "b" else dict) for name in "abc"]
    found = {
        result["student"]: result
        for result in workers.on_dask(tasks, workers.Kind(("torch",)), cluster.scheduler_address)
    }
    assert {name: result["status"] for name, result in found.items()} == {"a": "graded", "b": "stopped", "c": "graded"}
    assert found["b"]["detail"] == "marking it failed: RuntimeError: a fault of ours"


def test_one_that_ends_every_worker_is_given_to_a_human(classroom, cluster, sandbox):
    tasks = [task(classroom, name, RIGHT, Ends if name == "b" else dict) for name in "abc"]
    found = {r["student"]: r for r in workers.on_dask(tasks, workers.Kind(("torch",)), cluster.scheduler_address)}
    assert {name: result["status"] for name, result in found.items()} == {"a": "graded", "b": "stopped", "c": "graded"}


def test_no_scheduler_is_one_line(classroom, monkeypatch):
    classes.hand_in(classroom, "ada", RIGHT)
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        words = [classroom.submitted, "--folder", classroom.folder, "--dask", "tcp://127.0.0.1:9"]
        status, _, error = classes.run_main(command.main, *words)
    assert status == 1 and error.count("\n") == 1 and "no Dask scheduler answers at tcp://127.0.0.1:9" in error


def test_without_the_package_one_line_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ClassError, match=r"--dask needs distributed: pip install .*\[dask\]"):
        list(workers.on_dask([], workers.Kind(()), "tcp://127.0.0.1:9"))
