"""The doctor finds a whole sandbox whole, and each hole that is made in one."""

import os
import shutil
import sys

import pytest

from autograde import doctor
from autograde.sandbox import cgroups, kernel
from autograde.sandbox.inside import frames
from autograde.sandbox.proof import bounds, reach
from autograde.sandbox.proof.examined import Row
from tests.grading.enclosed import edit_inside, edit_words, needs_bubblewrap, run_as_plain_user

pytestmark = needs_bubblewrap


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """The doctor leaves traces for a while where it is started: not in the repository, which other tests read."""
    monkeypatch.chdir(tmp_path)


def broken(backend, *promises):
    """{promise: result} of the rows that fail."""
    return {row.promise: row.result for row in doctor.examine(backend, promises) if not row.holds}


def before(words, mark, *more):
    """The words with some more before `mark`."""
    place = words.index(mark)
    return [*words[:place], *more, *words[place:]]


def test_every_promise_holds_here():
    found = doctor.examine()
    assert {row.promise: row.result for row in found if not row.holds} == {}
    assert len(found) == 21
    assert found[0].result.startswith("warm: ")


def test_every_limit_holds_for_a_plain_user_cold_as_well_as_warm():
    code = """
from autograde import doctor
from autograde.sandbox.proof import bounds, reach
promises = (reach.a_kernel, reach.privileges, reach.processes_in_sight, bounds.memory, bounds.daemons)
for backend in ("warm", "cold"):
    for row in doctor.examine(backend, promises):
        print(row.holds, row.promise, row.result)
"""
    done = run_as_plain_user(sys.executable, "-c", code, timeout=120)
    lines = done.stdout.splitlines()
    assert len(lines) == 14, done.stderr
    assert [line for line in lines if not line.startswith("True ")] == []
    assert len([line for line in lines if "more memory than allowed" in line]) == 4


def test_a_network_is_found(monkeypatch):
    edit_words(monkeypatch, lambda words: [word for word in words if word != "--unshare-net"])
    found = broken("cold", reach.network)["No network"]
    assert "TCP to 127.0.0.1" in found and "the abstract socket" in found and "UDP" in found


def test_a_place_to_write_is_found(monkeypatch, tmp_path):
    tmp_path.chmod(0o777)
    edit_words(monkeypatch, lambda words: before(words, "--remount-ro", "--bind", str(tmp_path), "/open"))
    assert broken("warm", reach.write) == {"No write but to /tmp, /dev/shm": "succeeded: /open"}
    assert os.listdir(tmp_path) == []


def test_the_course_and_the_graders_variables_are_found(monkeypatch, repository):
    def edit(words):
        secret = os.environ["AUTOGRADE_DOCTOR"]
        tests = before(words, "--remount-ro", "--ro-bind", str(repository / "tests"), "/tests")
        return before(tests, "--chdir", "--setenv", "SOMETHING", secret)

    edit_words(monkeypatch, edit)
    found = broken("warm", reach.read, reach.environment)
    assert "/tests/" in found.pop("No file of the grader's")
    assert found == {"No variable of the grader's": "succeeded: SOMETHING"}


def test_an_open_file_and_a_missing_filter_of_calls_are_found(monkeypatch, tmp_path):
    edit_inside(monkeypatch, tmp_path, "zygote.py", "    os.closerange(3 if link is None else 4, 1 << 16)\n", "")
    edit_inside(monkeypatch, tmp_path, "enclose.py", "    filter_calls()\n\n\nclass", "\n\nclass")
    found = broken("warm", reach.descriptors, reach.privileges)
    assert "pipe:" in found.pop("No open file of the grader's")
    assert "the call ptrace" in found.pop("No privileges")
    assert found == {}


def test_other_processes_and_survivors_are_found(monkeypatch):
    monkeypatch.setattr(bounds, "SECONDS", 1.0)
    edit_words(monkeypatch, lambda words: [word for word in words if word not in ("--unshare-pid", "--as-pid-1")])
    found = broken("cold", reach.processes_in_sight, bounds.daemons)
    assert "process " in found.pop("No other process in sight")
    assert found.pop("Nothing outlives its kernel").startswith("still there")


def test_a_shared_folder_is_found(monkeypatch, tmp_path):
    edit_inside(
        monkeypatch,
        tmp_path,
        "enclose.py",
        'for folder in ("/tmp", "/dev/shm"):\n        options',
        "for folder in ():\n        options",
    )
    said = broken("warm", reach.each_other)["Kernels know nothing of each other"]
    assert sorted(said.removeprefix("succeeded: ").split(", ")) == ["/dev/shm", "/tmp"]


def test_missing_limits_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroups, "make", lambda *_: None)
    monkeypatch.setattr(bounds, "SECONDS", 1.5)
    edit_inside(
        monkeypatch,
        tmp_path,
        "enclose.py",
        "    for which, most in hard.items():\n        most",
        "    for which, most in ():\n        most",
        "size={megabytes}m",
        "size=999m",
    )
    edit_inside(monkeypatch, tmp_path, "supervise.py", "if memory_mb and _is_over", "if False and _is_over")
    found = broken("warm", bounds.processes, bounds.memory, bounds.disk, bounds.cpu)
    names = ["Processes are limited", "One process's memory is limited", "All its memory is limited"]
    names.append("Shared memory is counted too")
    assert list(found) == [*names, "/tmp is limited", "/dev/shm is limited", "Processor time is limited"]


def test_a_grader_that_waits_for_ever_or_reads_everything_is_found(monkeypatch):
    monkeypatch.setattr(kernel.Attended, "interrupt", lambda self: None)
    monkeypatch.setattr(frames, "MOST", 1 << 32)
    monkeypatch.setattr(kernel, "TOTAL", 1 << 32)
    found = broken("warm", bounds.endless, bounds.answers)
    assert found.pop("An endless cell ends").startswith("Late: ")
    assert "the grader grew by" in found.pop("What it says is bounded")
    assert found == {}


def test_the_command_says_how_it_went(monkeypatch, capsys):
    good, bad = Row("Fire", "a match", "nothing burned", True), Row("Flood", "a tap", "[/it is wet]", False)
    monkeypatch.setattr(doctor, "PROMISES", [lambda _: [good]])
    assert doctor.main([]) == 0
    said = capsys.readouterr().out
    assert "nothing burned" in said and "all 1 hold" in said
    monkeypatch.setattr(doctor, "PROMISES", [lambda _: [good], lambda _: [bad]])
    assert doctor.main([]) == 1
    said = capsys.readouterr().out
    assert "FAILS" in said and "[/it is wet]" in said and "1 of 2 do not hold" in said


def test_without_any_sandbox_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert doctor.main([]) == 2
    assert capsys.readouterr().err.startswith("No sandbox here: install bubblewrap")
