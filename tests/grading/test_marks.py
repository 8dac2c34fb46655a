"""`python -m autograde marks`: what exercises count, what they were asked with, whose marks they are."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

import autograde
from autograde import marks as command
from autograde.classroom import Classroom
from autograde.exercise import find
from autograde.gradebook import Book
from tests.grading import classes
from tests.grading.classes import FULL, HALF, LOSS, RIGHT, SOFTMAX, WRONG, graded, marks
from tests.grading.small import WEEK

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
PARTLY = {
    "week1-log_softmax": RIGHT["week1-log_softmax"].replace(
        "shifted =", "if logits.dim() == 1: return logits\n    shifted ="
    )
}
ROSTER = "id,name,email\nright,Ada Lovelace,ada@uni.edu\nhalf,Zoë Müller,\nabsent,Bo Nowak,\n"
CANVAS = "Student,ID,SIS Login ID,Section,week1_small (4711)\nPoints Possible,,,,{most}\n{rows}"


@pytest.fixture(scope="module")
def first(released, tmp_path_factory, sandbox):
    submissions = {"right": RIGHT, "half": HALF, "wrong": WRONG, "partly": PARTLY}
    classroom = released.copy(tmp_path_factory.mktemp("marks") / "class", submissions)
    assert graded(classroom, sandbox).graded == 4
    return classroom


@pytest.fixture
def again(first, tmp_path, here):
    """A copy of the graded class; whatever is marked in it from now on is in `here`."""
    return classes.Released(first.folder).copy(tmp_path / "again")


def run(classroom, *words, status=0):
    done, out, error = classes.run_main(command.main, "--folder", classroom.folder, *words)
    assert done == status and error.count("\n") == bool(status), error
    return error if status else out


def scores(classroom):
    with Book(classroom) as book:
        return {row.student: (row.score, row.most) for row in book.rows(WEEK)}


def shown(classroom, student):
    """The points that a learner's marked notebook shows."""
    text = (classroom.path("autograded", student, WEEK) / "small.ipynb").read_text()
    return [float(number) for number in re.findall(r"of ([0-9.]+) points\"", text)]


# --- what they count --------------------------------------------------------------------------------------------------


def test_an_exercise_that_is_void_counts_for_nobody_and_nothing_is_run_again(again, here):
    before = classes.everything(again)
    assert "4 results written anew" in run(again, "void", LOSS)
    assert scores(again) == scores(again) | {"right": (2.0, 2.0), "half": (0.0, 2.0), "wrong": (0.0, 2.0)}
    assert marks(again)["right"] == {SOFTMAX: 2.0, LOSS: 0.0} and shown(again, "right") == [2.0]
    assert graded(again).graded == 0 and scores(again)["right"] == (2.0, 2.0), "a new run leaves it so"
    classes.hand_in(again, "new", RIGHT)
    assert graded(again).graded == 1 and scores(again)["new"] == (2.0, 2.0), "and counts it so for others"
    (again.path("submitted", "new", WEEK) / "small.ipynb").unlink()
    run(again, "restore", LOSS)
    after = classes.everything(again)
    assert {student: after[student] for student in before} == before and after["new"]["row"][1] == 3.0
    assert here == ["new"] and again.policy() == {}


def test_an_exercise_that_is_weighed_counts_as_much_and_shares_stay_shares(again, here):
    share = marks(again)["partly"][SOFTMAX] / 2.0
    assert 0 < share < 1
    assert "counts 8 points now" in run(again, "weigh", SOFTMAX, 8)
    assert scores(again)["right"] == (9.0, 9.0) and scores(again)["half"] == (1.0, 9.0)
    assert marks(again)["partly"][SOFTMAX] == pytest.approx(8 * share, abs=1e-3) and here == []
    assert run(again, "weigh", SOFTMAX, 2) and again.policy() == {} and scores(again)["right"] == (3.0, 3.0)


def test_points_given_by_hand_stay_when_an_exercise_is_weighed(again):
    with Book(again) as book:
        grade = book._gradebook.find_grade("week1-log_softmax-check", "small", WEEK, "half")
        grade.manual_score = 1.5
        book._gradebook.db.commit()
    run(again, "weigh", LOSS, 4)
    assert scores(again)["half"] == (5.5, 6.0)
    assert not classes.book(again)["half"][SOFTMAX]["needs_manual_grade"]


def test_killed_while_it_weighs_the_next_run_writes_the_rest(again, here, monkeypatch):
    written = []

    def killed(self, result, write=Book.write):
        if written:
            raise KeyboardInterrupt
        written.append(result["student"])
        write(self, result)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Book, "write", killed)
        command.weigh(again, LOSS, 5.0)
    assert sum(scores(again)[student] == (points, 7.0) for student, points in (("right", 7.0), ("half", 5.0))) < 2
    assert graded(again).graded == 0 and here == []
    assert scores(again)["right"] == (7.0, 7.0) and scores(again)["half"] == (5.0, 7.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["void", "week1.log_softmx"], "did you mean week1.log_softmax"),
        (["weigh", LOSS, "1e9"], "give a number from 0 to 1000"),
        (["weigh", LOSS, "nan"], "give a number from 0 to 1000"),
        (["seeds", "week9"], "not in the gradebook"),
        (["roster", "/nowhere.csv"], "/nowhere.csv"),
        (["export", "--assignment", "week9"], "no marks yet"),
    ],
)
def test_what_cannot_be_done_is_one_line(first, words, said):
    assert said in run(first, *words, status=1)


# --- seeds ------------------------------------------------------------------------------------------------------------


def due(classroom, when):
    with Book(classroom) as book:
        book._gradebook.update_or_create_assignment(WEEK, duedate=when and when.isoformat())


def test_seeds_are_kept_until_the_due_date(again):
    now = datetime.now(UTC)
    assert "no due date" in run(again, "seeds", WEEK, status=1)
    due(again, now + timedelta(minutes=5))
    error = run(again, "seeds", WEEK, status=1)
    assert f"is due on {now + timedelta(minutes=5):%d %b %Y}" in error and "--now" in error
    assert not set(re.findall("[0-9]{6,}", error)) & set(map(str, again.seeds(WEEK).values()))
    assert str(again.seeds(WEEK)[LOSS]) in run(again, "seeds", WEEK, "--now")
    due(again, now - timedelta(minutes=5))
    assert str(again.seeds(WEEK)[LOSS]) in run(again, "seeds", WEEK)


def test_a_revealed_seed_gives_a_learner_the_verdict_that_the_mark_rests_on(again, monkeypatch):
    """What the command prints is put into a notebook as it stands."""
    lines = run(again, "seeds", WEEK, "--now").splitlines()
    assert len(lines) == len(FULL)
    for student, answers in (("right", RIGHT), ("wrong", WRONG), ("partly", PARTLY)):
        names = {"check": autograde.check}
        exec("import math, torch\nHALF = 0.5\n" + "\n".join(answers.values()), names)
        for line in lines:
            key = next(key for key in FULL if f'"{key}"' in line)
            if find(key).name in names:
                earned = eval(line, names)
                assert earned == pytest.approx(marks(again)[student][key], abs=1e-3), (student, line)
                verdict = autograde.run(key, names[find(key).name], seed=again.seeds(WEEK)[key])
                journaled = classes.checks(again, student)[key]
                assert (verdict.status, verdict.misconception) == (journaled["status"], journaled["misconception"])


# --- the roster, and marks for an LMS ---------------------------------------------------------------------------------


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_roster_names_learners_in_the_gradebook_and_in_the_export(again, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(ROSTER)
    assert "3 learners" in run(again, "roster", path)
    with Book(again) as book:
        assert book.names() == book.names() | {"right": "Ada Lovelace", "half": "Zoë Müller", "absent": "Bo Nowak"}
    assert scores(again)["right"] == (3.0, 3.0)
    found = {row["id"]: (row["name"], row["score"], row["max_score"]) for row in rows(run(again, "export"))}
    assert found["right"] == ("Ada Lovelace", "3", "3") and found["absent"] == ("Bo Nowak", "", "3")
    assert found["wrong"] == ("", "0", "3")
    assert {learner.id for learner in Classroom(again.folder).roster} == {"right", "half", "absent"}


def test_a_bad_roster_leaves_the_former_in_place(again, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(ROSTER)
    run(again, "roster", path)
    path.write_text("id,name\nada,Ada\nada,Another Ada\n")
    assert "line 3" in run(again, "roster", path, status=1)
    assert len(list(Classroom(again.folder).roster)) == 3


def test_a_template_of_the_lms_comes_back_with_the_marks_filled_in(again, tmp_path):
    roster, template, out = tmp_path / "roster.csv", tmp_path / "canvas.csv", tmp_path / "out.csv"
    roster.write_text(ROSTER)
    run(again, "roster", roster)
    template.write_text(CANVAS.format(most="3", rows='"Lovelace, Ada",501,right,A,\n"Müller, Zoë",502,half,A,2\n'))
    words = ["--folder", again.folder, "export", "--assignment", WEEK, "--template", template, "--out", out]
    status, said, error = classes.run_main(command.main, *words)
    assert status == 0 and "out.csv written" in said
    assert error == f"no row in {template} for partly, wrong: their marks are not in it\n"
    filled = {row["Student"]: row["week1_small (4711)"] for row in rows(out.read_text())}
    assert filled["Lovelace, Ada"] == "3" and filled["Müller, Zoë"] == "1"


def test_the_export_waits_for_marks_and_counts_penalties(released, again, tmp_path):
    empty = released.copy(tmp_path / "empty")
    assert "no marks yet" in run(empty, "export", status=1)
    classroom = classes.configure(again, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    due(classroom, datetime(2026, 3, 1, tzinfo=UTC))
    (classroom.path("submitted", "right", WEEK) / "timestamp.txt").write_text("2026-03-02 00:00:00 UTC")
    graded(classroom, again=True)
    assert {row["id"]: row["score"] for row in rows(run(classroom, "export"))}["right"] == "0"
