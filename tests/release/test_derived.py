"""The .ipynb beside a source: there when nbgrader looks, remade when stale, never lost when someone edited it."""

import nbformat
import pytest

from autograde import layout, needed, release


def derived(course):
    return course.lesson.with_suffix(".ipynb")


def edit(path, old, new):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)


def test_it_is_made_once_and_again_when_its_source_changes(course):
    assert layout.refresh(course.top) == []
    first = derived(course).stat().st_mtime_ns
    assert layout.refresh(course.top) == []
    assert derived(course).stat().st_mtime_ns == first
    course.edit("Twice the number.", "The number, twice.")
    layout.refresh(course.top)
    assert "The number, twice." in derived(course).read_text(encoding="utf-8")


def test_running_it_is_no_edit(course):
    layout.refresh(course.top)
    notebook = nbformat.read(derived(course), as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="4\n")]
    notebook.cells[1].execution_count = 1
    nbformat.write(notebook, derived(course))
    course.edit("Twice the number.", "The number, twice.")
    assert layout.refresh(course.top) == []
    assert "The number, twice." in derived(course).read_text(encoding="utf-8")


def test_an_edited_one_stays_and_says_what_to_do(course):
    layout.refresh(course.top)
    edit(derived(course), "Twice the number.", "My own words.")
    course.edit("Twice the number.", "The number, twice.")
    (line,) = layout.refresh(course.top)
    assert line.startswith("solutions/week1_toy/toy.ipynb was edited") and line.endswith("then delete the .ipynb")
    assert "My own words." in derived(course).read_text(encoding="utf-8")
    derived(course).unlink()
    assert layout.refresh(course.top) == []


def test_one_that_cannot_be_read_is_made_again(course):
    derived(course).write_text('{"cells": [')
    assert layout.refresh(course.top) == []
    nbformat.validate(nbformat.read(derived(course), as_version=4))


def test_an_authors_error_is_said_and_the_old_one_stays(course):
    layout.refresh(course.top)
    before = derived(course).read_bytes()
    course.edit('exercise="week1.double"', 'exercise="week1.doubble"')
    assert any("did you mean week1.double" in line for line in layout.refresh(course.top))
    assert derived(course).read_bytes() == before


def converter(course):
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    layout.configure(config, course.top)
    config.CourseDirectory.assignment_id = course.lesson.parent.name
    config.GenerateAssignment.no_database, config.SaveCells.enabled = True, False  # a gradebook takes seconds to make
    made = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    made.force = True
    return made


def test_nbgraders_generate_gives_the_bytes_of_the_build(course):
    course.build()
    built = course.notebook.read_bytes()
    course.notebook.unlink()
    converter(course).start()
    assert course.notebook.read_bytes() == built
    assert course.build(check_only=True)[0].changed == ()


def test_a_source_edited_after_nbgrader_started_is_what_it_generates(course):
    """formgrader's server reads its configuration once; its button comes later."""
    made = converter(course)
    course.edit("Twice the number.", "The number, twice.")
    made.start()
    assert "The number, twice." in course.notebook.read_text(encoding="utf-8")


def test_generating_refuses_an_edited_notebook(course, caplog):
    made = converter(course)
    edit(derived(course), "Twice the number.", "My own words.")
    with pytest.raises(Exception, match="error"):
        made.start()
    assert "toy.ipynb was edited, but toy.py is the source" in caplog.text
    assert "My own words." in derived(course).read_text(encoding="utf-8")


def test_a_notebook_without_a_source_is_nbgraders_own_business(course):
    own = course.lesson.with_name("own.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("By hand")]), own)
    converter(course).start()
    assert "By hand" in (course.notebook.parent / "own.ipynb").read_text(encoding="utf-8")


def test_the_stamp_of_a_derived_notebook_is_not_released(course):
    converter(course).start()
    assert "training_dynamics" in derived(course).read_text(encoding="utf-8")
    assert "training_dynamics" not in course.notebook.read_text(encoding="utf-8")
    assert release.source_notebook(course.lesson).metadata.keys() == {"colab", "kernelspec", "language_info"}


@pytest.mark.parametrize(
    ("lesson", "answer", "runs"),
    [
        ("x = 1", "y = x", True),
        ("x = 1", "y = 2", False),
        ("def helper(): pass", "def f():\n    return helper()", True),
        ("for x in range(3): pass", "def f(x):\n    return x", False),
        ("%matplotlib inline", "y = 2", True),
        ("import torch as T", "def f():\n    return [T.ones(n) for n in (1, 2)]", True),
    ],
)
def test_a_lesson_cell_runs_in_grading_if_an_answer_uses_what_it_defines(lesson, answer, runs):
    assert needed.to_grade([(lesson, "lesson"), (answer, "answer")]) == [runs, True]


def test_a_lesson_cell_that_another_one_needs_runs_too():
    cells = [("a = 1", "lesson"), ("b = a", "lesson"), ("c = 3", "lesson"), ("answer = b", "answer")]
    assert needed.to_grade(cells) == [True, True, False, True]


def test_a_cell_that_only_sets_a_name_does_not_need_the_one_before():
    cells = [("n = 1", "lesson"), ("n = 2", "lesson"), ("n += 1", "lesson"), ("def f(): return n", "answer")]
    assert needed.for_answer(cells, "f") == [True, True, True, True]
    assert needed.for_answer([("m = 1", "own"), ("import m", "own"), ("f = 1", "answer")], "f") == [False, False, True]
