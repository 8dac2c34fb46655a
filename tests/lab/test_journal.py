"""What a learner answered is kept the moment it is given, and nothing else is."""

import json
import threading

import pytest

from course.lab import journal


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    here = tmp_path / "week1_loss"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return here


def test_a_prediction_is_kept_before_the_measurement_is_made(folder, capsys):
    seen = []
    journal.commit("first loss", 5.0, lambda: seen.append(json.loads((folder / "journal.json").read_text())) or 5.557)
    assert seen[0]["predictions"]["first loss"][0]["prediction"] == 5.0
    said = capsys.readouterr().out
    assert "predicted  5" in said and "measured   5.557" in said and "(0.557 off)" in said


def test_the_first_prediction_stays(capsys):
    for guess in (3.0, 4.0, 4.0):
        journal.commit("loss", guess, lambda: 5.0)
    assert [one["prediction"] for one in journal.read()["predictions"]["loss"]] == [3.0, 4.0]
    assert "at first 3" in capsys.readouterr().out


def test_no_prediction_is_allowed_said_and_leaves_no_file(folder, capsys):
    journal.commit("loss", None, lambda: 5.0)
    assert "predicted  nothing" in capsys.readouterr().out
    assert not list(folder.iterdir())


def _blank():
    raise NotImplementedError


@pytest.mark.parametrize(
    ("measure", "said"),
    [(_blank, "still blank"), (lambda: nowhere, "nowhere"), (lambda: 1 / 0, "ZeroDivisionError")],  # noqa: F821
)
def test_a_measurement_that_cannot_be_made_says_why_and_goes_on(measure, said, capsys):
    journal.commit("loss", 1.0, measure)
    journal.attempt("loss", measure)
    assert capsys.readouterr().out.count(said) == 2
    assert journal.read()["predictions"]["loss"][0]["prediction"] == 1.0


def test_nothing_is_written_while_a_notebook_is_graded(folder, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    journal.commit("loss", 1.0, lambda: 2.0)
    assert not list(folder.iterdir())


def test_answers_given_at_once_from_many_threads_are_all_kept():
    threads = [
        threading.Thread(target=journal.change, args=("answers", "x", lambda old, n=n: {**old, str(n): n}))
        for n in range(20)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(journal.read()["answers"]["x"]) == 20


def test_a_broken_journal_is_set_aside(folder, capsys):
    (folder / "journal.json").write_text("{half")
    journal.commit("loss", 1.0, lambda: 2.0)
    assert [p.read_text() for p in folder.glob("journal-unreadable-*")] == ["{half"]
    assert "kept as" in capsys.readouterr().err
    assert journal.read()["predictions"]["loss"]


def test_a_name_given_in_one_week_is_known_in_the_next(folder, monkeypatch):
    journal.sign("Ada")
    other = folder.parent / "week2_loop"
    other.mkdir()
    monkeypatch.chdir(other)
    assert journal.learner() == "Ada" and list(journal.everything()) == ["week1_loss"]
