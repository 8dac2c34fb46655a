"""`python -m autograde grade`: a made-up class, its marks, and what a second run leaves alone."""

import nbformat
import pytest

from autograde import classroom
from tests.grading.small import WEEK, make_course

LEARNERS = 6  # all right, noisy, mistaken, mixed, hurried, absent


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    top = tmp_path_factory.mktemp("classroom")
    make_course(top)
    return top


@pytest.fixture(scope="module")
def graded(top):
    classroom.make_class(top / "class", LEARNERS, top=top)
    seen = []
    rows = classroom.grade_class(top / "class", lambda done, total, student: seen.append((done, total)), jobs=2)
    assert seen == [(done, LEARNERS) for done in range(1, LEARNERS + 1)]
    return {row.student: row for row in rows}


def submitted(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted((folder / "submitted").rglob("*.ipynb"))}


def test_each_habit_earns_what_it_should(graded):
    right, noisy, mistaken, mixed, hurried, absent = (graded[name] for name in classroom.students(LEARNERS))
    assert right.score == noisy.score == right.most > 0
    assert mistaken.score == absent.score == 0
    assert 0 < hurried.score < hurried.most
    assert list(right.marks) == ["week1.log_softmax", "week1.initial_loss"]
    assert sum(mixed.marks.values()) == mixed.score


def test_a_second_run_grades_nothing_again(graded, top):
    classroom.make_class(top / "class", LEARNERS, top=top)
    assert not any(classroom._is_stale(top / "class", *pair) for pair in classroom._submissions(top / "class"))
    rows = classroom.grade_class(top / "class", lambda *_: pytest.fail("graded again"))
    assert {row.student: row for row in rows} == graded


def test_the_same_class_is_made_again(graded, top, tmp_path):
    classroom.make_class(tmp_path, LEARNERS, top=top)
    assert submitted(tmp_path) == submitted(top / "class") != {}
    assert classroom.students(20)[:12] == classroom.students(12)


def test_what_someone_edited_or_added_stays(top, tmp_path):
    classroom.make_class(tmp_path, 2, top=top)
    mine = tmp_path / "submitted" / classroom.students(1)[0] / WEEK / "small.ipynb"
    notebook = nbformat.read(mine, as_version=4)
    notebook.cells[2].source = "# My own"
    nbformat.write(notebook, mine)
    other = tmp_path / "submitted" / "a-real-learner" / WEEK / "small.ipynb"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    before = mine.read_bytes()
    assert classroom.make_class(tmp_path, 2, top=top) == [f"{mine} was edited: kept"]
    assert mine.read_bytes() == before and other.read_text() == "{}"
    assert ("week1_small", "a-real-learner") in classroom._submissions(tmp_path)


def test_a_gradebook_of_other_exercises_is_put_aside(tmp_path):
    (tmp_path / "top").mkdir()
    source, folder = make_course(tmp_path / "top"), tmp_path / "class"
    classroom.make_class(folder, 1, top=tmp_path / "top")
    marked = (folder / "gradebook.db").read_bytes()
    source.write_text(source.read_text().replace("# # A small week", "# # Another week"))
    (line,) = classroom.make_class(folder, 1, top=tmp_path / "top")
    assert "grading starts anew" in line
    assert (folder / "gradebook.1.db").read_bytes() == marked


def test_a_week_that_does_not_exist_is_one_line(top, capsys, monkeypatch):
    monkeypatch.chdir(top)
    assert classroom.main(["--week", "week7", "--folder", str(top / "other")]) == 1
    assert "there is no week 'week7'" in capsys.readouterr().err
