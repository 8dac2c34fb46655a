"""Every notebook of the course as it is released, from its first cell to its last."""

import shutil

import nbformat
import pytest

from autograde import release
from tests.notebooks import run

SOURCES = release.sources()
NAMES = [f"{py.parent.name}/{py.stem}" for py in SOURCES]


@pytest.mark.parametrize("py", SOURCES, ids=NAMES)
def test_a_released_notebook_runs_to_its_end_unanswered(repository, py, tmp_path):
    file = repository / "course" / py.parent.name / f"{py.stem}.ipynb"
    shutil.copy(file, tmp_path)
    notebook = run.execute(nbformat.read(file, 4), tmp_path)
    assert run.errors(notebook) == []
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in cells)
    for cell in run.checks(notebook):
        assert "Not answered yet" in run.shown(cell) and run.result(cell) == "0.0", run.shown(cell)
