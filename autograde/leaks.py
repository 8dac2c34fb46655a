"""What must not be in a release: solutions, markers, outputs, and files that the build did not make."""

import re
import textwrap
from pathlib import Path

import nbformat

from autograde.source import Cell


def in_notebook(path: str, text: str, original) -> list[str]:
    """A line for everything in the text of a release that a learner must not see; `original` is its source notebook."""
    found, release = [], nbformat.reads(text, as_version=4)
    hidden = [region for cell in original.cells for region in _solutions(cell)]
    for number, cell in enumerate(release.cells, 1):
        where = f"{path}: cell {number} ({cell.id})"
        if re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", cell.source):
            found.append(f"{where} still holds a marker of nbgrader's")
        if cell.get("outputs") or cell.get("execution_count"):
            found.append(f"{where} has an output")
        shown = _squeezed(cell.source)
        if any(region in shown for region in hidden):
            found.append(f"{where} shows the text of a solution")
    return found


def strays(folder: Path, notebooks) -> list[Path]:
    """Files of a released week that are none of its notebooks, given by name."""
    skipped = {".ipynb_checkpoints", "__pycache__"}
    files = [path for path in folder.rglob("*") if path.is_file() and not skipped & set(path.parts)]
    made = {folder / f"{name}.ipynb" for name in notebooks}
    return sorted(path for path in files if path not in made)


def _solutions(cell):
    regions = Cell(cell.cell_type, cell.source, 0).solutions
    if cell.cell_type == "markdown" and cell.metadata.get("nbgrader") and not regions:
        regions = [cell.source]  # a written answer
    return [text for text in map(_squeezed, regions) if len(text) >= 24]  # shorter ones stand anywhere by chance


def _squeezed(text):
    return re.sub(r"\s+", "", textwrap.dedent(text))
