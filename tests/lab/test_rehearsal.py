"""A practice submission runs the saved file as a grader would, and never stops the notebook that asked for it."""

import nbformat
import pytest

from course.lab import rehearsal


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path


GRADED = "import os\nassert os.environ['NBGRADER_EXECUTION']\nopen('elsewhere', 'w').write('x')\nraise ValueError"


def graded(source, name="week0-x-check", points=2):
    facts = {"grade": True, "grade_id": name, "locked": True, "points": points, "solution": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": facts})


def test_points_verdicts_and_errors_of_the_saved_file(folder, capsys):
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("1 / 0"),
        graded("from IPython.display import display\ndisplay({'text/plain': '✓ Right: x'}, raw=True)\n1.5"),
            graded(GRADED, "week0-y-check"),
    ])  # fmt: skip
    nbformat.write(notebook, folder / "week0.ipynb")
    before = (folder / "week0.ipynb").read_bytes()
    rehearsal.submit("week0.ipynb")
    said = capsys.readouterr().out
    assert "2 checks in a fresh kernel: 1.5 of 4 points" in said and "✓ Right: x" in said
    assert "ZeroDivisionError in the cell “1 / 0”" in said and "week0-y: did not run" in said
    assert (folder / "week0.ipynb").read_bytes() == before and len(list(folder.iterdir())) == 1


def test_an_endless_cell_is_stopped(folder, capsys):
    stale = graded("1.0")
    stale.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1.0"}, execution_count=1)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("while True: pass"), stale])
    nbformat.write(notebook, folder / "week0.ipynb")
    rehearsal.submit("week0.ipynb", seconds=2)
    said = capsys.readouterr().out
    assert "took longer than 2 s" in said and ": 0 of 2 points" in said  # an old output earns nothing


@pytest.mark.parametrize(("content", "said"), [(None, "There is no file"), ("{half", "no readable notebook")])
def test_a_file_that_cannot_be_run(folder, content, said, capsys):
    if content:
        (folder / "week0.ipynb").write_text(content)
    rehearsal.submit("week0.ipynb")
    assert said in capsys.readouterr().out


def test_a_rehearsal_within_a_rehearsal_does_nothing(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "practice")
    rehearsal.submit("week0.ipynb")
    assert capsys.readouterr().out == ""
