"""A class on disk: its settings and folders, its secret and seeds, its lock; and the made-up one."""

import os
import signal
import stat
import subprocess
import sys
import threading

import nbformat
import pytest

from autograde import sample_class, seeds
from autograde.classroom import Busy, ClassError, Classroom
from autograde.learners import students
from tests.grading import classes
from tests.grading.classes import FULL, LOSS, SOFTMAX
from tests.grading.small import WEEK, make_course

HOLD = """
import subprocess, sys, time
from autograde.classroom import Classroom
with Classroom(sys.argv[1]).alone():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return classes.release(tmp_path_factory.mktemp("classroom"))


@pytest.fixture
def classroom(released, tmp_path):
    return released.copy(tmp_path / "class")


def is_one_line(error):
    text = str(error.value)
    return "\n" not in text and len(text) > 20


# --- what may be wrong with it ----------------------------------------------------------------------------------------


def test_a_folder_without_settings_is_no_class(tmp_path):
    with pytest.raises(ClassError, match="nbgrader_config.py") as error:
        Classroom(tmp_path)
    assert is_one_line(error)


@pytest.mark.parametrize("text", ["c = (", "import no_such_module_at_all", "1 / 0"])
def test_settings_that_do_not_work_are_one_line(classroom, text):
    (classroom.folder / "nbgrader_config.py").write_text(text)
    with pytest.raises(ClassError, match="nbgrader_config.py does not work") as error:
        Classroom(classroom.folder)
    assert is_one_line(error)


def test_an_assignment_that_is_not_released_is_told_from_those_that_are(classroom):
    with pytest.raises(ClassError, match=f"week9.*{WEEK}"):
        classroom.release("week9")
    assert classroom.assignments() == {WEEK: ["small"]}


@pytest.mark.parametrize("name", ["policy.json", "roster.csv", "secret", "journal.jsonl"])
def test_a_damaged_file_of_its_state_is_one_line_that_names_it(classroom, name):
    classroom.state.mkdir(exist_ok=True)
    (classroom.state / name).write_text("{\n")
    with pytest.raises(ClassError, match=name.replace(".", r"\.")) as error:
        _ = classroom.policy(), classroom.roster, classroom.secret, classroom.journal.results()
    assert is_one_line(error)


# --- what exercises are worth -----------------------------------------------------------------------------------------


def test_points_are_the_specifications_until_the_policy_says_otherwise(classroom):
    assert classroom.points(WEEK) == FULL and classroom.policy() == {}
    classroom.set_policy({LOSS: 0.0})
    assert Classroom(classroom.folder).points(WEEK) == {SOFTMAX: 2.0, LOSS: 0.0}


# --- the secret and the seeds -----------------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_for_its_owner_alone(classroom):
    first, path = classroom.secret, classroom.state / "secret"
    assert len(first) == 64 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Classroom(classroom.folder).secret == first
    assert [file.name for file in classroom.state.iterdir()] == ["secret"], "nothing half written beside it"


def test_many_who_make_the_secret_at_once_get_the_same(tmp_path):
    for number in range(20):
        found, barrier = [], threading.Barrier(4)

        def make(path=tmp_path / str(number) / "secret", found=found, barrier=barrier):
            barrier.wait()
            found.append(seeds.term_secret(path))

        threads = [threading.Thread(target=make) for _ in range(4)]
        _ = [thread.start() for thread in threads], [thread.join() for thread in threads]
        assert len(found) == 4 and len(set(found)) == 1


@pytest.mark.parametrize("kept", [0, 1, 40, 63])
def test_a_secret_that_was_cut_short_is_refused_and_left_as_it_is(classroom, kept):
    path, whole = classroom.state / "secret", classroom.secret
    path.write_bytes(whole[:kept])
    with pytest.raises(ClassError, match="restore it"):
        _ = classroom.secret
    assert path.read_bytes() == whole[:kept]


def test_each_exercise_has_a_seed_of_its_own_from_the_secret_alone(released, tmp_path):
    one, other = released.copy(tmp_path / "one"), released.copy(tmp_path / "other")
    found = one.seeds(WEEK)
    assert list(found) == [SOFTMAX, LOSS] and found[SOFTMAX] != found[LOSS]
    assert Classroom(one.folder).seeds(WEEK) == found
    assert not set(found.values()) & set(other.seeds(WEEK).values()), "another term, other seeds"
    (other.state / "secret").write_bytes(one.secret + b"\n")
    assert other.seeds(WEEK) == found
    assert 0 not in found.values(), "seed 0 is the one of the notebooks"


def test_the_seed_of_a_secret_never_changes():
    """Marks of an earlier term are replayed by whatever version is installed then."""
    assert seeds.seed_of(b"0" * 64, SOFTMAX) == 37636260828213
    assert len({seeds.seed_of(b"0" * 64, f"week1.{number}") for number in range(1000)}) == 1000


# --- one at a time ----------------------------------------------------------------------------------------------------


def test_the_second_is_told_who_has_the_lock(classroom):
    with classroom.alone():
        with pytest.raises(Busy, match=f"process {os.getpid()} on .* is grading this class") as error:
            with Classroom(classroom.folder).alone():
                pass
        assert is_one_line(error)
    with Classroom(classroom.folder).alone():
        pass


def test_the_lock_of_a_killed_process_blocks_nobody_even_while_its_children_live(classroom):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, classroom.folder], stdout=subprocess.PIPE, text=True)
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(Busy, match=f"process {holder.pid} on"):
            with classroom.alone():
                pass
        holder.kill()
        holder.wait()
        os.kill(child, 0)  # it is still there
        with classroom.alone():
            assert f"process {os.getpid()}" in (classroom.state / "lock").read_text()
    finally:
        os.kill(child, signal.SIGKILL)
        holder.stdout.close()
    assert (classroom.state / "lock").read_text() == "", "no name stays when it is let go"


# --- the made-up class ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    top = tmp_path_factory.mktemp("top")
    make_course(top)
    sample_class.make_class(top / "class", 6, WEEK, top=top)
    return top


def handed_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted((folder / "submitted").rglob("*.ipynb"))}


def test_the_same_class_is_made_again(top, tmp_path):
    assert sample_class.make_class(tmp_path, 6, WEEK, top=top) == []
    assert handed_in(tmp_path) == handed_in(top / "class") != {}
    assert students(20)[:12] == students(12)


def test_what_someone_edited_or_added_stays(top, tmp_path):
    sample_class.make_class(tmp_path, 2, WEEK, top=top)
    mine = tmp_path / "submitted" / students(1)[0] / WEEK / "small.ipynb"
    notebook = nbformat.read(mine, as_version=4)
    notebook.cells[2].source = "# My own"
    nbformat.write(notebook, mine)
    other = tmp_path / "submitted" / "a-real-learner" / WEEK / "small.ipynb"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    before = mine.read_bytes()
    assert sample_class.make_class(tmp_path, 2, WEEK, top=top) == [f"{mine} was edited: kept"]
    assert mine.read_bytes() == before and other.read_text() == "{}"


def test_a_gradebook_of_other_exercises_is_put_aside_with_its_journal(tmp_path):
    (tmp_path / "top").mkdir()
    source, folder = make_course(tmp_path / "top"), tmp_path / "class"
    sample_class.make_class(folder, 1, WEEK, top=tmp_path / "top")
    marked, journal = (folder / "gradebook.db").read_bytes(), Classroom(folder).journal
    journal.add("done", run="first")
    source.write_text(source.read_text().replace("# # A small week", "# # Another week"))
    (line,) = sample_class.make_class(folder, 1, WEEK, top=tmp_path / "top")
    assert "grading starts anew" in line and "gradebook.1.db" in line
    assert (folder / "gradebook.1.db").read_bytes() == marked
    assert not journal.path.exists() and "first" in journal.path.with_name("journal.1.jsonl").read_text()
