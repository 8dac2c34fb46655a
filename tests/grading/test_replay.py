"""`python -m autograde replay`: a mark made again, from the submission and the seed that it rests on."""

import pytest

from autograde import replay as command
from autograde.classroom import ClassError
from autograde.exercise import find
from autograde.oracle import questions
from tests.grading import classes
from tests.grading.classes import LOSS, RIGHT, SOFTMAX, WRONG, graded
from tests.grading.small import WEEK

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
HOSTILE = "def initial_loss(vocab_size):\n    raise ValueError('\\x1b[2J\\u202eevil' + 'x' * 10**6)\n"


@pytest.fixture(scope="module")
def first(released, tmp_path_factory, sandbox):
    submissions = {"right": RIGHT, "wrong": WRONG, "hostile": {"week1-initial_loss": HOSTILE}, "cut": b"{"}
    classroom = released.copy(tmp_path_factory.mktemp("replay") / "class", submissions)
    graded(classroom, sandbox)
    return classroom


def run(classroom, *words):
    return classes.run_main(command.main, *words, "--folder", classroom.folder)


def test_a_mark_comes_out_as_it_stands_in_the_journal_and_shows_what_was_asked(first):
    status, out, _ = run(first, "wrong", LOSS)
    assert status == 0 and "The same as in the journal." in out
    seed, exercise = first.seeds(WEEK)[LOSS], find(LOSS)
    assert f"seed {seed}: wrong, score 0" in out and classes.checks(first, "wrong")[LOSS]["misconception"] in out
    sizes = [case.inputs["vocab_size"] for case in exercise.draw(seed)]
    assert len(sizes) > 1 and all(f"{size}" in out for size in sizes)
    assert out.count("\n✗") > 0 and out.count("\n✗") + out.count("\n✓") == len(questions(exercise, seed))
    assert out.count("inputs") == out.count("got") == out.count("expected") == out.count("\n✗")


@pytest.mark.parametrize(("student", "key"), [("right", SOFTMAX), ("wrong", SOFTMAX), ("hostile", SOFTMAX)])
def test_the_verdict_is_the_journals(first, student, key):
    old, now = command.replay(first, student, key)
    assert old == classes.checks(first, student)[key]
    assert now | {"seconds": old["seconds"]} == old | {"details": now["details"]} and now["details"]
    assert now["status"] == old["status"] == {"right": "right", "wrong": "wrong", "hostile": "blank"}[student]


def test_what_an_answer_says_cannot_act_on_the_terminal(first):
    _, out, _ = run(first, "hostile", LOSS)
    assert "evil" in out and "\x1b" not in out and "\u202e" not in out and len(out) < 50_000


def test_a_mark_that_comes_out_otherwise_is_said_so(first, tmp_path):
    classroom = classes.Released(first.folder).copy(tmp_path / "again")
    text = classroom.journal.path.read_text()
    classroom.journal.path.write_text(text.replace('"score":1.0', '"score":0.5'))
    status, out, _ = run(classroom, "right", SOFTMAX)
    assert status == 3 and "NOT the same: the journal says 0.5" in out


def test_a_submission_that_changed_is_refused(first, tmp_path):
    classroom = classes.Released(first.folder).copy(tmp_path / "again")
    classes.hand_in(classroom, "wrong", RIGHT)
    with pytest.raises(ClassError, match="wrong's submission has changed since this mark: grade it again"):
        command.replay(classroom, "wrong", LOSS)
    (classroom.path("submitted", "wrong", WEEK) / "small.ipynb").unlink()
    with pytest.raises(ClassError, match="has no small.ipynb"):
        command.replay(classroom, "wrong", LOSS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", LOSS], "no mark of 'nobody'"),
        (["right", "week1.ema"], "no mark of 'right' for week1.ema"),
        (["right", "week1.nothing"], "There is no exercise"),
        (["cut", LOSS], "was never run"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(first, words, said):
    status, out, error = run(first, *words)
    assert status == 1 and out == "" and said in error and error.count("\n") == 1
