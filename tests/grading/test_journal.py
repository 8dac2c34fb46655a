"""The journal: what is in it stays, half a line at its end harms nobody, and it says what was left undone."""

import fcntl
import threading
import time

import pytest

from autograde.journal import ClassError, Journal

BIG = "x" * 200_000  # more than one block of a file, and than a buffer


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "state" / "journal.jsonl")


def result(journal, student, assignment="week1", **more):
    journal.add("result", student=student, assignment=assignment, **more)


def written(journal, student, assignment="week1"):
    journal.add("written", student=student, assignment=assignment)


def plan(journal, *students, again=False, notes=(), assignment="week1"):
    journal.add("plan", again=again, submissions=[[assignment, student, {"notes": notes}] for student in students])


def notebook(student, name, mark):
    book = {"checks": {}, "mark": mark}
    return {"student": student, "assignment": "week1", "notebook": name, "book": book, "sandbox": "warm"}


def numbers(journal):
    return [entry["number"] for entry in journal.entries("note")]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_entries_come_in_order_and_of_the_kinds_that_are_asked_for(journal):
    for number in range(5):
        journal.add("note", number=number, text="zwölf\n\u2028 Zeilen")
        journal.add("other", number=-number)
    assert numbers(journal) == [0, 1, 2, 3, 4]
    assert [entry["kind"] for entry in journal.entries("other", "note")] == ["note", "other"] * 5
    assert {entry["text"] for entry in journal.entries("note")} == {"zwölf\n\u2028 Zeilen"}


def test_one_that_is_not_there_is_empty_and_looking_makes_none(journal):
    assert list(journal.entries("note")) == [] and journal.results() == {}
    assert journal.unfinished() is None and journal.unwritten() == set()
    assert not journal.path.parent.exists()


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("half", ["{", '{"kind":"note","number":9}', '{"kind":"note","text":"' + BIG])
def test_half_a_line_is_no_entry_and_is_cut_off_by_the_next(journal, before, half):
    """Whatever of a line was on the disk when its writer was killed: a byte, all but the line's end, or much."""
    journal.path.parent.mkdir()
    for number in range(before):
        journal.add("note", number=number)
    with open(journal.path, "a") as file:
        file.write(half)
    assert numbers(journal) == list(range(before))
    journal.add("note", number=7)
    assert numbers(journal) == [*range(before), 7]
    assert journal.path.read_text().count("\n") == before + 1


def test_a_line_that_grows_cut_at_every_place(journal):
    journal.add("note", number=1)
    journal.add("note", number=2)
    whole = journal.path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        journal.add("note", number=3)
        assert numbers(journal) == [1] * (cut >= first) + [2] * (cut == len(whole)) + [3], cut


@pytest.mark.parametrize("line", ["{half", "[1, 2]", '"text"', '{"no": "kind"}', "\udcff", ""])
def test_a_broken_line_in_the_middle_is_one_clear_error(journal, line):
    journal.add("note", number=1)
    with open(journal.path, "a", errors="surrogateescape") as file:
        file.write(line + "\n")
    journal.add("note", number=2)
    with pytest.raises(ClassError) as error:
        numbers(journal)
    assert str(journal.path) in str(error.value) and "line 2" in str(error.value) and "\n" not in str(error.value)


def test_an_entry_in_the_making_by_another_process_is_waited_for(journal):
    """What looks like half a line may be a neighbour's that is still at it: nbgrader's own command takes no lock."""
    journal.add("note", number=1)
    begun = threading.Event()

    def slowly():
        with open(journal.path, "ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(b'{"kind":"note",')
            begun.set()
            time.sleep(0.5)
            file.write(b'"number":2}\n')

    writer = threading.Thread(target=slowly)
    writer.start()
    begun.wait()
    journal.add("note", number=3)
    writer.join()
    assert numbers(journal) == [1, 2, 3]


# --- what it tells ----------------------------------------------------------------------------------------------------


def test_the_latest_result_of_each_submission_counts(journal):
    result(journal, "ada", mark=1)
    result(journal, "bo", mark=2)
    result(journal, "ada", mark=3)
    result(journal, "ada", "week2", mark=4)
    found = {key: entry["mark"] for key, entry in journal.results().items()}
    assert found == {("week1", "ada"): 3, ("week1", "bo"): 2, ("week2", "ada"): 4}


def test_what_nbgraders_own_command_marked_is_merged_a_notebook_at_a_time(journal):
    result(journal, "ada", digest="d", notebooks={"a": {"mark": 1}, "b": {"mark": 1}}, sandbox="cold", notes=["n"])
    journal.add("notebook", **notebook("ada", "b", 2))
    journal.add("notebook", **notebook("bo", "a", 3))
    journal.add("notebook", **notebook("bo", "b", 4))
    ada, bo = journal.results()["week1", "ada"], journal.results()["week1", "bo"]
    assert {name: book["mark"] for name, book in ada["notebooks"].items()} == {"a": 1, "b": 2}
    assert ada["digest"] == "" and ada["sandbox"] == "warm" and ada["notes"] == ["n"]
    assert {name: book["mark"] for name, book in bo["notebooks"].items()} == {"a": 3, "b": 4}
    assert bo["status"] == "graded" and bo["student"] == "bo" and bo["edition"] == {}, "as complete as any result"
    result(journal, "bo", notebooks={"a": {"mark": 5}})
    assert journal.results()["week1", "bo"]["notebooks"] == {"a": {"mark": 5}}


def test_a_result_waits_until_it_is_written_each_time_anew(journal):
    result(journal, "ada", digest="d")
    assert journal.unwritten() == {("week1", "ada")}
    written(journal, "ada")
    assert journal.unwritten() == set()
    result(journal, "ada", digest="d")  # the same submission, run again
    result(journal, "bo")
    assert journal.unwritten() == {("week1", "ada"), ("week1", "bo")}


def test_all_results_of_an_assignment_wait_when_it_was_weighed(journal):
    for student in ("ada", "bo"):
        result(journal, student)
        written(journal, student)
    result(journal, "ada", "week2")
    written(journal, "ada", "week2")
    journal.add("weighed", assignment="week1")
    written(journal, "bo")
    assert journal.unwritten() == {("week1", "ada")}


def test_what_a_stopped_run_has_left(journal):
    plan(journal, "ada", "bo", "cy")
    assert set(journal.unfinished()["submissions"]) == {("week1", "ada"), ("week1", "bo"), ("week1", "cy")}
    result(journal, "bo")
    written(journal, "bo")
    result(journal, "ada")  # and killed before it was written
    assert set(journal.unfinished()["submissions"]) == {("week1", "ada"), ("week1", "cy")}
    written(journal, "ada")
    result(journal, "cy")
    written(journal, "cy")
    assert journal.unfinished() is None, "killed just before the last line: nothing is left all the same"


def test_a_run_of_others_in_between_changes_nothing_of_what_is_left(journal):
    plan(journal, "ada", notes=["3 submissions"], again=True)
    plan(journal, "bo")
    result(journal, "bo")
    written(journal, "bo")
    journal.add("done")
    left = {("week1", "ada"): {"notes": ["3 submissions"]}}
    assert journal.unfinished() == {"submissions": left, "again": True}


def test_a_result_from_before_does_not_count_for_a_later_plan(journal):
    plan(journal, "ada")
    result(journal, "ada")
    written(journal, "ada")
    journal.add("done")
    plan(journal, "ada", again=True)
    assert journal.unfinished() == {"submissions": {("week1", "ada"): {"notes": []}}, "again": True}
    journal.add("weighed", assignment="week1")
    written(journal, "ada")  # weighing wrote the former result once more
    assert journal.unfinished()["again"] is True
