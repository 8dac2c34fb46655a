"""Every notebook of the course with its solutions, from its first cell to its last."""

import nbformat
import pytest

from autograde import release
from tests.notebooks import run

SOURCES = release.sources()
NAMES = [f"{py.parent.name}/{py.stem}" for py in SOURCES]


def test_there_are_notebooks():
    assert {name.split("_")[0] for name in NAMES} >= {"week0", "week1", "week2"}


@pytest.mark.parametrize("py", SOURCES, ids=NAMES)
def test_a_solved_notebook_runs_to_its_end_with_full_points_and_alike_twice(py, tmp_path):
    runs = []
    for name in ("first", "second"):
        folder = tmp_path / name / py.parent.name
        folder.mkdir(parents=True)
        notebook = release.source_notebook(py)
        nbformat.write(notebook, folder / f"{py.stem}.ipynb")  # the file lies there, as it does for a learner
        run.execute(notebook, folder)
        assert run.errors(notebook) == []
        for cell in run.checks(notebook):
            assert float(run.result(cell)) == cell.metadata.nbgrader.points, run.shown(cell)
        runs.append([run.VARIES.sub("…", run.shown(cell)) for cell in notebook.cells if cell.cell_type == "code"])
    assert runs[0] == runs[1]
