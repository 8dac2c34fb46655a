"""`python -m autograde grade`: what is graded, what is left alone, what a stopped run leaves, and what it says."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import zipfile

import nbformat
import pytest

from autograde import grade as command
from autograde import learners, marking, report
from autograde.classroom import ClassError, Classroom
from autograde.grade import Settings, collect, grade
from autograde.gradebook import Book
from tests.grading import classes, crash
from tests.grading.classes import BLANK, FULL, HALF, LOSS, RIGHT, SOFTMAX, TWO, WRONG, graded, marks, results
from tests.grading.small import WEEK

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
PATIENCE = 300  # seconds, for a machine that has much else to do
NONE, HALF_SCORE = {SOFTMAX: 0.0, LOSS: 0.0}, {SOFTMAX: 0.0, LOSS: 1.0}


@pytest.fixture(scope="module")
def first(released, tmp_path_factory):
    """A class, graded once by the command → (the class, its exit status, what it said on standard error)."""
    submissions = {"right": RIGHT, "wrong": WRONG, "half": HALF, "blank": BLANK, "cut": b'{"cells": [{"cell_type": '}
    classroom = released.copy(tmp_path_factory.mktemp("first") / "class", submissions)
    status, _, error = classes.run_main(command.main, classroom.submitted, "--folder", classroom.folder, "--jobs", 2)
    return classroom, status, error


@pytest.fixture
def again(first, tmp_path):
    """The same class, to be changed."""
    return classes.Released(first[0].folder).copy(tmp_path / "again")


@contextlib.contextmanager
def grader(classroom, *words):
    """The command in a process of its own; what it says on standard error is in the class's `said`."""
    line = [sys.executable, "-m", "autograde", "grade", classroom.submitted, "--folder", classroom.folder, *words]
    with open(classroom.folder / "said", "wb") as said:
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def plans(classroom):
    return [[student for _, student, _ in plan["submissions"]] for plan in classroom.journal.entries("plan")]


# --- what is graded ---------------------------------------------------------------------------------------------------


def test_each_answer_gets_its_points(first):
    assert marks(first[0]) == {"right": FULL, "wrong": NONE, "half": HALF_SCORE, "blank": NONE, "cut": NONE}


def test_an_unreadable_notebook_is_its_learners_zero_with_a_reason_and_stops_nobody(first):
    classroom, status, error = first
    assert status == 3
    (line,) = error.strip().splitlines()
    assert line.startswith(f"unreadable: cut, {WEEK}: small.ipynb:") and "cut short" in line
    result = results(classroom)["cut"]
    assert result["status"] == "unreadable" and {check["told"] for check in classes.checks(classroom, "cut").values()}
    page = json.loads((classroom.path("autograded", "cut", WEEK) / "small.ipynb").read_text())
    assert "could not be read" in json.dumps(page["cells"][0])
    assert not any(grade["needs_manual_grade"] for grade in classes.book(classroom)["cut"].values())


def test_seeds_are_the_terms_own_the_same_for_all_and_in_the_journal(first):
    classroom, *_ = first
    for student in results(classroom):
        assert {key: check["seed"] for key, check in classes.checks(classroom, student).items()} == classroom.seeds(
            WEEK
        )


def test_a_second_run_grades_nothing(again, here):
    before, told = classes.everything(again), plans(again)
    report = graded(again)
    assert (report.graded, report.unchanged) == (0, 5)
    assert classes.everything(again) == before and plans(again) == told


def test_only_what_is_new_or_changed_is_graded(again, here):
    classes.hand_in(again, "blank", RIGHT)
    classes.hand_in(again, "new", HALF)
    before = classes.everything(again)
    report = graded(again)
    assert plans(again)[-1] == ["blank", "new"] and (report.graded, report.unchanged) == (2, 4)
    assert marks(again)["blank"] == FULL and marks(again)["new"] == HALF_SCORE
    after = classes.everything(again)
    assert all(after[student] == before[student] for student in ("right", "wrong", "half", "cut"))


def test_again_runs_everything_once_more(again, here):
    before = classes.everything(again)
    assert graded(again, again=True).graded == 5
    assert classes.everything(again) == before, "the same seeds, the same verdicts"


def test_a_changed_specification_asks_that_exercise_alone_again(again, here, monkeypatch):
    kept = "as it was told before"
    text = again.journal.path.read_text()
    for check in (classes.checks(again, student)[SOFTMAX] for student in ("wrong", "half")):
        text = text.replace(json.dumps(check["told"]), json.dumps(kept))
    again.journal.path.write_text(text)
    asked = []
    original, execute = marking.specification, marking.execute
    monkeypatch.setattr(marking, "specification", lambda key: "new" if key == LOSS else original(key))
    monkeypatch.setattr(marking, "execute", lambda *args, only: asked.append(only) or execute(*args, only=only))
    assert graded(again).graded == 5 and asked == [[LOSS]] * 4, "all but the one that cannot be read"
    assert (
        classes.checks(again, "wrong")[SOFTMAX]["told"] == kept and classes.checks(again, "wrong")[LOSS]["told"] != kept
    )
    assert marks(again) == marks(again) | {"right": FULL, "wrong": NONE, "half": HALF_SCORE}
    assert graded(again).graded == 0


def test_a_notebook_that_is_missing_costs_its_own_exercises(released, tmp_path, here):
    classroom = released.copy(tmp_path / "class")
    classes.with_two_notebooks(classroom)
    for name in ("first", "second"):
        classes.hand_in(classroom, "both", RIGHT, TWO, name)
    classes.hand_in(classroom, "one", RIGHT, TWO, "first")
    graded(classroom)
    assert {
        student: {key: grade["score"] for key, grade in grades.items()}
        for student, grades in classes.book(classroom, TWO).items()
    } == {"both": FULL, "one": {SOFTMAX: 2.0, LOSS: 0.0}}
    book = results(classroom)["one"]["notebooks"]["second"]
    assert (book["status"], book["detail"]) == ("missing", "it was not handed in")
    classes.hand_in(classroom, "one", RIGHT, TWO, "second")
    assert graded(classroom).graded == 1 and classes.book(classroom, TWO)["one"][LOSS]["score"] == 1.0


def test_a_note_on_several_files_outlives_a_stop(released, tmp_path, here):
    classroom, incoming = released.copy(tmp_path / "class"), tmp_path / "incoming"
    for student in ("ada", "bo"):
        for name, answers in (("small.ipynb", RIGHT), ("small (1).ipynb", BLANK)):
            target = incoming / student / WEEK / name
            target.parent.mkdir(parents=True, exist_ok=True)
            classes.hand_in(classroom, student, answers).rename(target)
    submissions, _ = collect(classroom, incoming)
    with pytest.raises(KeyboardInterrupt):
        grade(classroom, submissions, Settings(jobs=1), stop_after(0))
    assert resumed(classroom)[0] == 0
    notes = [results(classroom)[student]["notes"] for student in ("ada", "bo")]
    assert [len(note) for note in notes] == [1, 1] and all("2 files for small" in note for (note,) in notes)
    assert marks(classroom) == {"ada": FULL, "bo": FULL}


# --- late, and by hand ------------------------------------------------------------------------------------------------


def due(classroom, when="2026-03-01 10:00:00 UTC"):
    with Book(classroom) as book:
        book._gradebook.update_or_create_assignment(WEEK, duedate=when)


def late(classroom, student, when):
    (classroom.path("submitted", student, WEEK) / "timestamp.txt").write_text(when)


@pytest.mark.parametrize("plugin", ["c.LateSubmissionPlugin.penalty_method = 'zero'", None])
def test_a_late_submission_gets_the_penalty_that_the_settings_name(again, plugin, here):
    own = "from nbgrader.plugins import BasePlugin\nclass Half(BasePlugin):\n"
    own += "    def late_submission_penalty(self, student, score, seconds):\n        return score / 2\n"
    classroom = classes.configure(again, plugin or f"{own}c.AssignLatePenalties.plugin_class = Half")
    due(classroom)
    late(classroom, "right", "2026-03-01 10:00:01 UTC")
    late(classroom, "half", "2026-03-01 11:00:00 +0100")  # on time, in another zone
    for student in ("new", "wrong"):  # scores that the gradebook did not have before
        classes.hand_in(classroom, student, RIGHT)
        late(classroom, student, "2026-03-02 10:00:00 UTC")
    graded(classroom, again=True)
    with Book(classroom) as book:
        rows = {row.student: row for row in book.rows(WEEK)}
    assert rows["right"].score == (0.0 if plugin else 1.5) and rows["right"].late_s == 1
    assert sum(rows["right"].marks.values()) == 3.0, "the marks themselves stay"
    assert rows["half"].score == 1.0 and rows["half"].late_s == 0 and rows["blank"].score == 0.0
    assert rows["new"].score == rows["wrong"].score == rows["right"].score
    assert (classroom.path("autograded", "right", WEEK) / "timestamp.txt").read_text().startswith("2026-03-01T10:00:01")


def by_hand(classroom, student, key, points):
    """As formgrader does it."""
    with Book(classroom) as book:
        name = key.replace(".", "-") + "-check"
        grade = book._gradebook.find_grade(name, "small", WEEK, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book._gradebook.db.commit()


def test_a_score_given_by_hand_stays_and_is_flagged_where_the_automatic_one_changed_under_it(again, here):
    by_hand(again, "wrong", SOFTMAX, 1.5)
    by_hand(again, "wrong", LOSS, 0.5)
    graded(again, again=True)
    assert [grade["needs_manual_grade"] for grade in classes.book(again)["wrong"].values()] == [False, False]
    classes.hand_in(again, "wrong", WRONG | {"week1-log_softmax": RIGHT["week1-log_softmax"]})
    graded(again)
    for _ in range(2):
        grades = classes.book(again)["wrong"]
        assert [grades[key]["score"] for key in (SOFTMAX, LOSS)] == [1.5, 0.5]
        assert grades[SOFTMAX]["needs_manual_grade"] and not grades[LOSS]["needs_manual_grade"]
        assert grades[SOFTMAX]["auto_score"] == 2.0
        graded(again, again=True)  # the flag stays until a human has looked
    by_hand(again, "wrong", SOFTMAX, 2.0)
    graded(again, again=True)
    assert not classes.book(again)["wrong"][SOFTMAX]["needs_manual_grade"]


# --- stopped, killed, resumed -----------------------------------------------------------------------------------------


def stop_after(count):
    def progress(done, of, student):
        if done > count:
            raise KeyboardInterrupt

    return progress


def resumed(classroom, *words):
    return classes.run_main(command.main, "--resume", "--folder", classroom.folder, "--jobs", 2, *words)


def test_a_stopped_run_goes_on_with_what_it_had(released, tmp_path, here):
    classroom = released.copy(tmp_path / "class", dict.fromkeys(["a", "b", "c", "d"], HALF))
    assert resumed(classroom)[::2] == (1, "no run was stopped: there is nothing to go on with\n")
    submissions, _ = collect(classroom, classroom.submitted)
    with pytest.raises(KeyboardInterrupt):
        grade(classroom, submissions, Settings(jobs=1), stop_after(1))
    done = set(results(classroom))
    assert len(done) == 2
    classes.hand_in(classroom, "later", RIGHT)
    assert resumed(classroom)[0] == 0
    assert set(plans(classroom)[-1]) == {"a", "b", "c", "d"} - done, "not with who handed in since"
    assert marks(classroom) == dict.fromkeys("abcd", HALF_SCORE)
    assert resumed(classroom)[0] == 1, "and then there is nothing left"


def test_a_stopped_run_knows_of_whom_nothing_could_be_read(released, tmp_path, here):
    """An archive's link leaves nothing in the class's folder that could be read once more."""
    classroom, incoming = released.copy(tmp_path / "class"), tmp_path / "incoming.zip"
    with zipfile.ZipFile(incoming, "w") as archive:
        link = zipfile.ZipInfo(f"zoe/{WEEK}/small.ipynb")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(f"ada/{WEEK}/small.ipynb", nbformat.writes(classes.submission(classroom, RIGHT)))
    submissions, unreadable = collect(classroom, incoming)
    assert len(submissions) == 2 and len(unreadable) == 1
    with pytest.raises(KeyboardInterrupt):
        grade(classroom, submissions, Settings(), stop_after(0))
    assert here == ["ada"] and resumed(classroom)[0] == 3
    assert marks(classroom) == {"ada": FULL, "zoe": NONE} and results(classroom)["zoe"]["status"] == "unreadable"
    assert resumed(classroom)[0] == 1, "nothing is left"


def test_a_stopped_run_again_goes_on_with_those_that_it_did_not_reach(again, here):
    submissions, _ = collect(again, again.submitted)
    with pytest.raises(KeyboardInterrupt):
        grade(again, submissions, Settings(jobs=1, again=True), stop_after(2))
    assert resumed(again)[0] == 0
    runs = [entry["student"] for entry in again.journal.entries("result")]
    assert sorted(runs) == sorted(2 * ["right", "wrong", "half", "blank", "cut"])


def test_a_result_that_was_journaled_and_not_written_is_written_without_running_it(again, here, monkeypatch):
    """The same submission once more, so that an earlier 'written' of it stands in the journal already."""
    with Book(again) as book:
        for grade_ in book._gradebook.find_submission_notebook("small", WEEK, "half").grades:
            grade_.auto_score = 0.0  # what an earlier specification gave
        book._gradebook.db.commit()

    def killed(self, result):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Book, "write", killed)
        submissions = [one for one in collect(again, again.submitted)[0] if one.student == "half"]
        with pytest.raises(KeyboardInterrupt):
            grade(again, submissions, Settings(again=True))
    assert marks(again)["half"] == NONE and here == ["half"]
    assert graded(again).graded == 0 and here == ["half"]
    assert marks(again)["half"] == HALF_SCORE


def test_a_lost_gradebook_is_written_anew_from_the_journal(again, here):
    before = classes.everything(again)
    (again.folder / "gradebook.db").unlink()
    assert graded(again).graded == 0 and here == []
    assert classes.everything(again) == before


def test_a_gradebook_whose_maker_was_killed_is_completed(again):
    with Book(again) as book:
        with book._gradebook.engine.begin() as connection:
            (version,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
            connection.exec_driver_sql("DROP TABLE alembic_version")
    with Book(again) as book, book._gradebook.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [(version,)]


def test_ctrl_c_ends_what_runs_and_leaves_a_run_to_go_on_with(released, tmp_path):
    slow = RIGHT | {"week1-initial_loss": RIGHT["week1-initial_loss"] + "\nimport time\ntime.sleep(600)\n"}
    classroom = released.copy(tmp_path / "class", {"a": RIGHT, "b": slow, "c": slow, "d": HALF})
    with grader(classroom, "--jobs", "2", "--cell-seconds", "600") as process:
        assert crash.wait_until(lambda: crash.progress(classroom)[1] == 1, PATIENCE), crash.said(classroom)
        started = crash.below(process.pid)
        assert any("bwrap" in line for line in started.values()), "a is graded, the sleepers run"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    error = crash.said(classroom)
    assert error.count("\n") == 0 and f"--resume --folder {classroom.folder}" in error
    gone = lambda: not any(crash.words(pid) == line for pid, line in started.items())  # noqa: E731
    assert crash.wait_until(gone, PATIENCE), "what it had started ends with it"
    assert resumed(classroom, "--cell-seconds", 0.5)[0] == 0
    assert marks(classroom) == {"a": FULL, "b": FULL, "c": FULL, "d": HALF_SCORE}


# --- what stops it, in one line ---------------------------------------------------------------------------------------


def test_two_at_once_the_second_is_told_who_has_it_and_nothing_is_lost(again):
    for student in "mnop":
        classes.hand_in(again, student, RIGHT)
    with grader(again, "--jobs", "1") as process:
        lock = again.state / "lock"
        assert crash.wait_until(lambda: f"process {process.pid} " in lock.read_text(), PATIENCE), crash.said(again)
        status, _, error = classes.run_main(command.main, again.submitted, "--folder", again.folder)
        assert status == 1 and error.count("\n") == 1
        assert f"process {process.pid} on" in error and "is grading this class" in error
        assert process.wait(PATIENCE) == 0
    assert marks(again) == marks(again) | dict.fromkeys("mnop", FULL) and again.journal.unfinished() is None


def test_without_a_sandbox_nothing_is_graded_and_one_line_says_what_would_help(again, monkeypatch):
    classes.hand_in(again, "new", RIGHT)
    monkeypatch.setenv("PATH", "/nowhere")
    status, _, error = classes.run_main(command.main, again.submitted, "--folder", again.folder)
    assert status == 1 and error.count("\n") == 1 and "bubblewrap" in error and "--unsafe" in error
    assert "new" not in results(again) and "new" not in marks(again)
    assert set(again.journal.unfinished()["submissions"]) == {(WEEK, "new")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/nowhere"], "there is no /nowhere"),
        ([".", "--assignment", "week9"], "no release of 'week9'"),
        ([".", "--folder", "/"], "is no class"),
        (["--resume"], "no run was stopped"),
    ],
)
def test_what_cannot_be_done_is_one_line(again, words, said):
    where = [] if "--folder" in words else ["--folder", again.folder]
    status, _, error = classes.run_main(command.main, *words, *where)
    assert status == 1 and said in error and error.count("\n") == 1


@pytest.mark.parametrize("name", ["journal.jsonl", "secret", "policy.json", "roster.csv", "gradebook.db"])
def test_a_damaged_file_is_one_line_and_is_left_as_it_is(again, name):
    path = again.folder / name if name == "gradebook.db" else again.state / name
    path.write_text("{ this is no such file, and much too long for what stood there before\n" * 100)
    before = path.read_bytes()
    status, _, error = classes.run_main(command.main, again.submitted, "--folder", again.folder)
    assert status == 1 and error.count("\n") == 1 and name in error
    assert path.read_bytes() == before


def test_a_release_that_lost_an_exercise_is_refused(again):
    path = again.path("release", ".", WEEK) / "small.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"] = [cell for cell in notebook["cells"] if "initial_loss" not in cell["id"]]
    path.write_text(json.dumps(notebook))
    with pytest.raises(ClassError, match="keep the release"):
        graded(again)


# --- without a sandbox ------------------------------------------------------------------------------------------------


def test_unsafe_is_stamped_into_the_result_and_said_in_the_report(again):
    classes.hand_in(again, "new", RIGHT)
    status, out, _ = classes.run_main(command.main, again.submitted, "--folder", again.folder, "--unsafe")
    assert status == 0 and "UNSANDBOXED" in out
    stamps = {student: result["sandbox"] for student, result in results(again).items()}
    assert stamps.pop("new") == "none" and set(stamps.values()) <= {"warm", "cold", "container"}
    assert marks(again)["new"] == FULL
    page = report.of_class(again)
    assert "1 of 6 submissions ran" in " ".join(page["index.html"].split())
    assert "Unsandboxed" in page["index.html"] and "unsandboxed" in page["index.html"]


def test_verdicts_from_outside_the_sandbox_are_not_taken_over_by_a_run_inside(again):
    text = again.journal.path.read_text().replace('"sandbox":"warm"', '"sandbox":"none"')
    edition = json.dumps(results(again)["right"]["edition"][LOSS])
    again.journal.path.write_text(text.replace(edition, '"an earlier one"'))
    tasks = []
    with Book(again) as book:
        submissions, _ = collect(again, again.submitted)
        for backend in ("none", None):
            args = (again.journal.results(), set(), Settings(backend=backend), command.Report(), book)
            tasks.append({task.student: task.kept for task in command._tasks(again, WEEK, submissions, *args)})
    assert set(tasks[0]["right"]["small"]) == {SOFTMAX} and tasks[1]["right"] == {}


# --- the made-up class ------------------------------------------------------------------------------------------------


def test_the_made_up_class_is_graded_and_each_habit_earns_what_it_should(released, tmp_path, capsys, monkeypatch):
    top = shutil.copytree(released.folder.parent, tmp_path / "checkout")  # with the small week alone
    monkeypatch.chdir(top)
    assert command.main(["--week", WEEK, "--learners", "6", "--jobs", "2"]) == 0
    found = marks(Classroom(top / "class"))
    right, noisy, mistaken, _, hurried, absent = (found[name] for name in learners.students(6))
    assert right == noisy == FULL and mistaken == absent == NONE and hurried == FULL | {LOSS: 0.0}
    said = capsys.readouterr().out
    assert "6 graded, 0 unchanged" in said and learners.students(1)[0] in said and "1 week1.log_softmax" in said
    assert command.main(["--week", WEEK, "--learners", "6"]) == 0
    assert "0 graded, 6 unchanged" in capsys.readouterr().out


def test_a_week_that_does_not_exist_is_one_line(released, tmp_path, monkeypatch):
    monkeypatch.chdir(released.folder.parent)
    status, _, error = classes.run_main(command.main, "--week", "week7", "--folder", tmp_path / "other")
    assert status == 1 and "there is no week 'week7'" in error and error.count("\n") == 1


def test_a_file_that_cannot_be_opened_is_a_result_too_and_takes_no_mark_away(again, here):
    """A link in place of the notebook: a zero with a reason for who has no mark yet, and nothing for who has one."""
    for student in ("right", "new"):
        folder = again.path("submitted", student, WEEK)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "small.ipynb").unlink(missing_ok=True)
        (folder / "small.ipynb").symlink_to(again.path("submitted", "half", WEEK) / "small.ipynb")
    submissions, unreadable = collect(again, again.submitted)
    assert {one.student for one in unreadable} == {"right", "new"}
    report = grade(again, submissions)
    assert here == ["new"]
    assert (report.graded, report.unchanged) == (1, 5)
    assert marks(again)["right"] == FULL and marks(again)["new"] == NONE
    assert results(again)["new"]["status"] == "unreadable" and "symbolic link" in results(again)["new"]["detail"]
