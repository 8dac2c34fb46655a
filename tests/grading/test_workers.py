"""Processes that mark: what one of them is lost with, and what the others do then."""

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest

from autograde import marking, workers
from autograde.executor import Patience
from autograde.grade import Settings, grade
from autograde.journal import ClassError
from autograde.sandbox import SandboxUnavailable
from autograde.submission import Submission
from tests.grading import classes, crash
from tests.grading.classes import FULL, HALF, LOSS, RIGHT, SOFTMAX, marks, results
from tests.grading.deadly import Breaks, Ends, EndsOnce
from tests.grading.small import WEEK

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def classroom(released, tmp_path):
    return released.copy(tmp_path / "class")


@pytest.fixture
def kind(sandbox):
    return workers.Kind((), sandbox.backend, sandbox.path)


def handed_in(classroom, student, answers, kind=dict):
    data = classes.hand_in(classroom, student, answers).read_bytes()
    return Submission(student, WEEK, kind({"small": data}), None, "")


def task(classroom, student, answers=RIGHT, kind=dict):
    one = handed_in(classroom, student, answers, kind)
    return marking.Task(student, WEEK, one.notebooks, classroom.release(WEEK), classroom.seeds(WEEK))


def without_times(result):
    """A result as far as it does not depend on how fast the machine is."""
    books = result["notebooks"].items()
    checks = {name: {key: one | {"seconds": 0} for key, one in book["checks"].items()} for name, book in books}
    return result | {"seconds": 0, "notebooks": {name: book | {"checks": checks[name]} for name, book in books}}


def test_a_result_is_the_same_wherever_it_is_made_and_comes_once(classroom, kind, sandbox):
    tasks = [task(classroom, name, answers) for name, answers in zip("abcdef", 3 * [RIGHT, HALF], strict=True)]
    found = list(workers.local(tasks, kind, 2))
    assert sorted(result["student"] for result in found) == list("abcdef")
    here = {one.student: without_times(marking.mark(one, sandbox)) for one in tasks}
    assert {result["student"]: without_times(result) for result in found} == here


def test_a_submission_that_ends_its_process_is_tried_alone_and_then_given_to_a_human(classroom):
    """The others that were marked beside it are graded, and it is tried again by the next run."""
    submissions = [handed_in(classroom, name, RIGHT, Ends if name == "b" else dict) for name in "abcde"]
    report = grade(classroom, submissions, Settings(jobs=2))
    assert report.graded == 5
    assert marks(classroom) == dict.fromkeys("acde", FULL) | {"b": {SOFTMAX: 0.0, LOSS: 0.0}}
    result = results(classroom)["b"]
    assert result["status"] == "stopped" and "twice" in result["detail"] and result["sandbox"] == ""
    assert all(grade["needs_manual_grade"] for grade in classes.book(classroom)["b"].values())
    assert not any(grade["needs_manual_grade"] for grade in classes.book(classroom)["a"].values())
    submissions[1] = handed_in(classroom, "b", RIGHT)
    report = grade(classroom, submissions, Settings(jobs=2))
    assert (report.graded, report.unchanged) == (1, 4) and marks(classroom)["b"] == FULL
    assert not any(grade["needs_manual_grade"] for grade in classes.book(classroom)["b"].values())


def test_one_that_ends_its_process_once_is_graded(classroom, kind, tmp_path):
    tasks = [task(classroom, name, RIGHT, EndsOnce if name == "b" else dict) for name in "abc"]
    tasks[1].submitted.been = tmp_path / "been"
    found = {result["student"]: result["status"] for result in workers.local(tasks, kind, 2)}
    assert found == dict.fromkeys("abc", "graded") and (tmp_path / "been").exists()


def test_marking_that_fails_by_a_fault_of_ours_costs_nobody_else_anything(classroom, kind):
    tasks = [task(classroom, name, RIGHT, Breaks if name == "b" else dict) for name in "abc"]
    found = {result["student"]: result for result in workers.local(tasks, kind, 2)}
    assert {name: result["status"] for name, result in found.items()} == {"a": "graded", "b": "stopped", "c": "graded"}
    assert found["b"]["detail"] == "marking it failed: RuntimeError: a fault of ours"


def test_processes_that_are_lost_while_they_wait_are_replaced(classroom, kind):
    """Killed from outside, as the system does that runs out of memory, between one result and the next."""
    tasks = [task(classroom, name) for name in "abcdef"]
    found = workers.local(tasks, kind, 1)
    names = [next(found)["student"]]
    begun = workers_of(os.getpid())
    for pid in begun:
        os.kill(pid, signal.SIGKILL)
    assert crash.wait_until(lambda: not begun & workers_of(os.getpid()), 30)
    time.sleep(0.5)  # the pool knows
    names += [result["student"] for result in found if result["status"] == "graded"]
    assert sorted(names) == list("abcdef")


def workers_of(pid):
    """The processes that a fork server below this one has forked."""
    servers = [child for child, line in crash.below(pid).items() if "forkserver" in line]
    return {worker for server in servers for worker, line in crash.below(server).items() if "forkserver" in line}


def test_whoever_stops_listening_ends_what_is_being_marked(classroom, kind):
    sleeps = {"week1-initial_loss": "import time\ntime.sleep(600)\n"}
    before = workers_of(os.getpid())
    tasks = [task(classroom, name, RIGHT if name == "a" else sleeps) for name in "abc"]
    found = workers.local([replace(one, patience=Patience(600, 600)) for one in tasks], kind, 2)
    assert next(found)["student"] == "a"
    begun = workers_of(os.getpid()) - before
    assert len(begun) == 2
    closing = threading.Thread(target=found.close, daemon=True)
    closing.start()
    closing.join(60)
    assert not closing.is_alive() and not begun & workers_of(os.getpid())


def test_processes_that_do_not_even_start_are_nobodys_fault(classroom, kind, monkeypatch):
    monkeypatch.setattr(workers, "_begin", os._exit)
    with pytest.raises(ClassError, match="end as they start"):
        list(workers.local([task(classroom, "a"), task(classroom, "b")], kind, 2))


def test_a_sandbox_that_is_gone_stops_the_run_and_costs_nobody_a_point(classroom):
    with pytest.raises(SandboxUnavailable, match="zygote does not answer"):
        list(workers.local([task(classroom, "a")], workers.Kind((), "warm", "/nowhere/zygote"), 1))


def test_the_pool_is_one_whose_processes_start_clean(classroom, kind, monkeypatch):
    """Forked from this process they would hold what it holds: the gradebook's connection, the class's lock."""
    made = []
    monkeypatch.setattr(workers, "ProcessPoolExecutor", lambda *a, **k: made.append(k) or ProcessPoolExecutor(*a, **k))
    list(workers.local([task(classroom, "a")], kind, 1))
    assert [one["mp_context"].get_start_method() for one in made] == ["forkserver"]
