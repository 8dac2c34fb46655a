"""From source to release: what the notebook holds, that it is the same each time, and that nothing leaks."""

import ast
import json
import os

import nbformat
import pytest

from autograde import release


def cells(course):
    return {cell.id: cell for cell in nbformat.read(course.notebook, as_version=4).cells}


def test_the_release_is_what_a_learner_needs(course):
    (week,) = course.build()
    assert (week.week, week.notebooks, week.exercises, week.points) == ("week1_toy", 1, 2, 3)
    assert [str(path) for path in week.changed] == [os.path.join("course", "week1_toy", "toy.ipynb")]
    found = cells(course)
    assert list(found)[:2] == ["view-in-github", "setup"]
    assert "/blob/main/course/week1_toy/toy.ipynb)" in found["view-in-github"].source
    exercise, check, answer = found["week1-double"], found["week1-double-check"], found["week1-why"]
    assert exercise.source.endswith("    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert "raises-exception" in exercise.metadata.tags
    assert exercise.metadata.nbgrader.items() >= {"solution": True, "grade": False, "locked": False}.items()
    assert check.source == 'check("week1.double", double)'
    assert check.metadata.nbgrader.items() >= {"points": 2, "grade": True, "solution": False, "locked": True}.items()
    assert not check.metadata.editable and not check.metadata.deletable
    assert answer.source == "YOUR ANSWER HERE" and answer.metadata.nbgrader.points == 3


def test_the_header_of_an_exercise_comes_from_its_specification(course):
    course.build()
    before = [cell.source for cell in cells(course).values() if "### Double" in cell.source]
    assert before == [
        "### Double\n\nTwice the number.\n\n> **Exercise** `week1.double` · 2 points · about 5 minutes"
        " · checked against arithmetic\n>\n> *Why:* Signs go wrong first."
    ]


def test_a_rebuild_is_equal_byte_for_byte_and_writes_nothing(course):
    course.build()
    first, when = course.notebook.read_bytes(), course.notebook.stat().st_mtime_ns
    assert course.build()[0].changed == ()
    assert course.notebook.stat().st_mtime_ns == when
    course.notebook.unlink()
    course.build()
    assert course.notebook.read_bytes() == first


def test_equal_cells_get_different_ids_that_stay(course):
    course.edit("# %% [markdown]\n# ### Negate", "# %%\n1 + 1\n# %%\n1 + 1\n# %% [markdown]\n# ### Negate")
    course.build()
    first = list(cells(course))
    assert len(set(first)) == len(first)
    course.notebook.unlink()
    course.build()
    assert list(cells(course)) == first


def test_only_what_differs_is_written(course):
    course.write("# %% [markdown]\n# More to read.\n", name="more")
    course.build()
    course.edit("Twice the number.", "The number, twice.")
    assert [path.name for path in course.build()[0].changed] == ["toy.ipynb"]


def test_one_week_is_built_by_number_or_folder(course):
    assert [week.week for week in course.build(weeks=["week1"])] == ["week1_toy"]
    assert [week.week for week in course.build(weeks=["week1_toy"])] == ["week1_toy"]
    with pytest.raises(release.BuildError, match="no week 'week7'.*week1_toy"):
        course.build(weeks=["week7"])


def test_check_writes_nothing_and_fails_on_an_edited_release(course, capsys):
    assert release.main(["--check"]) == 1
    assert not course.notebook.exists()
    assert release.main([]) == 0
    assert release.main(["--check"]) == 0
    edited = course.notebook.read_text(encoding="utf-8").replace("Twice", "Thrice")
    course.notebook.write_text(edited, encoding="utf-8")
    capsys.readouterr()
    assert release.main(["--check"]) == 1
    said = capsys.readouterr()
    assert "1 differ" in said.out and "toy.ipynb is not what its source builds" in said.err
    assert course.notebook.read_text(encoding="utf-8") == edited
    assert release.main([]) == 0
    assert "1 written" in capsys.readouterr().out


def test_no_solution_marker_output_or_source_is_released(course):
    (course.lesson.parent / "__pycache__").mkdir()
    (course.lesson.parent / "__pycache__" / "toy.pyc").write_bytes(b"x")
    (course.lesson.parent / "notes.txt").write_text("twice = x + x")
    course.build()
    assert [path.name for path in (course.top / "course").rglob("*") if path.is_file()] == ["toy.ipynb"]
    text = course.notebook.read_text(encoding="utf-8")
    for secret in ("copysign", "SOLUTION", "minus one", "twice = x"):
        assert secret not in text
    assert all(not cell.get("outputs") for cell in cells(course).values())


def test_a_solution_shown_in_another_cell_is_refused(course):
    course.edit("# ### Negate", "# ### Negate\n#\n#     twice = x + x\n#     return twice * math.copysign(1.0, 1.0)")
    (error,) = course.errors()
    assert "course/week1_toy/toy.ipynb: cell" in error and error.endswith("shows the text of a solution")


@pytest.mark.parametrize("name", ["toy.py", "data.csv", "old.ipynb", "folder/toy.ipynb"])
def test_a_file_that_the_build_did_not_make_is_refused(course, name):
    course.build()
    stray = course.notebook.parent / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("{}")
    for check_only in (True, False):
        with pytest.raises(release.BuildError, match="remove it"):
            course.build(check_only=check_only)
    assert stray.exists()


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        ({"source": "### BEGIN SOLUTION"}, "marker"),
        ({"outputs": [nbformat.v4.new_output("stream", text="4\n")]}, "output"),
        ({"execution_count": 3}, "output"),
    ],
)
def test_a_leak_through_nbgrader_itself_is_caught(course, monkeypatch, plant, said):
    generate = release._run_nbgrader

    def leaking(folder):
        generate(folder)
        path = os.path.join(folder, "course", "week1_toy", "toy.ipynb")
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[1].update(plant)
        nbformat.write(notebook, path)

    monkeypatch.setattr(release, "_run_nbgrader", leaking)
    assert any(said in line for line in course.errors())


def test_an_interrupted_write_leaves_the_old_release(course, monkeypatch):
    course.build()
    before = course.notebook.read_bytes()
    course.edit("Twice the number.", "The number, twice.")

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        course.build()
    assert course.notebook.read_bytes() == before
    assert [path.name for path in course.notebook.parent.iterdir()] == ["toy.ipynb"]


def test_references_are_the_imports_and_the_answers_so_far(course):
    found = release.references(course.lesson)
    assert list(found) == ["week1.double", "week1.negate"]
    assert "def negate" not in found["week1.double"] and "SOLUTION" not in found["week1.negate"]
    for exercise_id, expected in (("week1.double", 6.0), ("week1.negate", -3.0)):
        namespace = {}
        exec(compile(ast.parse(found[exercise_id]), "reference", "exec"), namespace)
        assert namespace[exercise_id.partition(".")[2]](3.0) == expected


def test_the_source_notebook_holds_the_solution_and_the_same_setup(course):
    notebook = release.source_notebook(course.lesson)
    nbformat.validate(notebook)
    by_id = {cell.id: cell for cell in notebook.cells}
    assert "copysign" in by_id["week1-double"].source
    assert "%pip install --quiet git+https://" in by_id["setup"].source
    assert "torch" not in by_id["setup"].source.replace("torch stays as it is", "")


def test_outside_a_checkout_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(release, "__file__", str(tmp_path / "site-packages" / "autograde" / "release.py"))
    with pytest.raises(release.BuildError, match="not in a checkout"):
        release.root()


def test_the_repository_address_stands_in_one_place(course):
    (course.top / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/someone/else"\n')
    course.build()
    text = course.notebook.read_text(encoding="utf-8")
    assert "github/someone/else/blob/main" in text and "git+https://github.com/someone/else" in text
    (course.top / "pyproject.toml").write_text("")
    course.notebook.unlink()
    assert "pyproject.toml:1" in course.errors()[0]


def test_metadata_is_sorted_and_plain(course):
    course.build()
    data = json.loads(course.notebook.read_text(encoding="utf-8"))
    assert data["nbformat"] == 4 and data["nbformat_minor"] == 5
    assert set(data["metadata"]) == {"colab", "kernelspec", "language_info"}
