"""A gradebook on PostgreSQL, which several machines can reach: the same rows as SQLite's, and one writer at a time."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograde import grade as command
from autograde import marks as weighing
from autograde.classroom import Busy, ClassError
from autograde.gradebook import Book
from tests.grading import classes
from tests.grading.classes import FULL, HALF, LOSS, RIGHT, WRONG, graded, marks
from tests.grading.small import WEEK

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))  # on no PATH
pytestmark = [
    pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL here: apt-get install postgresql"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
HOLD = """
import sys
from autograde.classroom import Classroom
from autograde.gradebook import Book
with Book(Classroom(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
SUBMISSIONS = {"right": RIGHT, "half": HALF, "wrong": WRONG, "cut": b"{"}


@pytest.fixture(scope="module")
def server():
    """A private server that listens on a socket in a folder of its own, and on no port → that folder."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path may have 107 characters
    user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.getuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres", "postgres")

    def run(program, *words):
        line = [*user, str(PROGRAMS[-1] / program), "-D", str(folder / "data"), *words]
        done = subprocess.run(line, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run("initdb", "--username", "grader", "--auth", "trust", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def shared(server, released, tmp_path, here):
    """A class whose gradebook is a new database of the server."""
    name = f"class_{len(list(server.glob('made-*')))}"
    (server / f"made-{name}").touch()
    with connection(server) as database:
        database.execute(f"CREATE DATABASE {name}")
    classroom = released.copy(tmp_path / "shared", SUBMISSIONS)
    return classes.configure(classroom, f"c.CourseDirectory.db_url = {url(server, name)!r}")


def url(server, name):
    return f"postgresql://grader:a%20secret@/{name}?host={server}"


@contextlib.contextmanager
def connection(server, name="postgres"):
    import psycopg

    with psycopg.connect(dbname=name, host=str(server), user="grader", autocommit=True) as made:
        yield made


@contextlib.contextmanager
def held(classroom):
    """Another process has the gradebook."""
    words = [sys.executable, "-c", HOLD, classroom.folder]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_the_rows_are_those_of_sqlite(shared, here, tmp_path):
    _, untouched = shared.secret, (shared.folder / "gradebook.db").read_bytes()
    plain = classes.Released(shared.folder).copy(tmp_path / "plain")
    plain = classes.configure(plain, f"c.CourseDirectory.db_url = 'sqlite:///{plain.folder}/gradebook.db'")
    for classroom in (shared, plain):
        assert graded(classroom).graded == 4
        classes.hand_in(classroom, "half", RIGHT)
        assert graded(classroom).graded == 1 and graded(classroom).graded == 0
        weighing.weigh(classroom, LOSS, 5.0)
    assert classes.everything(shared) == classes.everything(plain)
    assert marks(shared)["right"] == FULL | {LOSS: 5.0}
    assert (shared.folder / "gradebook.db").read_bytes() == untouched
    assert here == sorted(SUBMISSIONS) + ["half"] + sorted(SUBMISSIONS) + ["half"]
    rows = []
    for classroom in (shared, plain):
        with Book(classroom) as book:
            rows.append((book.rows(), book.names(), book.has(WEEK), book.due(WEEK)))
    assert rows[0] == rows[1]


def test_a_second_writer_from_another_folder_is_refused_until_the_first_has_ended(shared, tmp_path):
    """The folder's own lock does not reach so far."""
    other = classes.Released(shared.folder).copy(tmp_path / "other")
    with held(other):
        status, _, error = classes.run_main(command.main, shared.submitted, "--folder", shared.folder)
        assert status == 1 and error.count("\n") == 1 and "another program is writing to this gradebook" in error
        with pytest.raises(Busy):
            weighing.weigh(shared, LOSS, 0.0)
    assert shared.journal.results() == {}
    assert graded(shared).graded == 4 and marks(shared)["right"] == FULL


def test_the_lock_of_a_killed_writer_ends_with_it(shared):
    with held(shared) as holder:
        with pytest.raises(Busy), Book(shared):
            pass
        holder.kill()
        holder.wait()
        for _ in range(100):  # the server notices soon, and not at once
            with contextlib.suppress(Busy), Book(shared):
                break
        else:
            pytest.fail("the lock outlived its holder")


def test_a_lock_is_let_go_with_the_book_and_another_database_has_its_own(shared, server):
    for _ in range(3):
        with Book(shared):
            pass
    with connection(server) as database:
        count = database.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert count.fetchone() == (0,)


def test_a_server_that_does_not_answer_is_one_line_without_the_password(shared):
    text = (shared.folder / "nbgrader_config.py").read_text()
    (shared.folder / "nbgrader_config.py").write_text(text.replace("?host=", "?host=/nowhere"))
    status, _, error = classes.run_main(command.main, shared.submitted, "--folder", shared.folder)
    assert status == 1 and error.count("\n") == 1
    assert "cannot be opened" in error and "secret" not in error and "/nowhere" in error


def test_without_the_driver_one_line_says_what_brings_it(shared, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ClassError, match=r"needs psycopg: pip install .*\[postgres\]"):
        Book(shared)
