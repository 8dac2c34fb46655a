"""nbgrader on this layout: its settings, and the derived .ipynb beside each source that its own commands read.

nbgrader knows notebooks alone. Each solutions/weekN_topic/NAME.py therefore has a NAME.ipynb beside it, ignored by git
and remade when stale; and as a release is generated, by command or by formgrader's button, the notebook is taken from
the .py once more, so that the newest source is always what is released.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
)

from autograde import plugin, release
from autograde.source import BuildError
from course.lab import files

COURSE_ID = "training-dynamics"
_STAMP = "training_dynamics"  # notebook metadata: what a derived .ipynb was made from, and what it held then


def configure(config, top: Path):
    """nbgrader's settings for a checkout, with its derived notebooks fresh."""
    grading(config)
    config.CourseDirectory.root = str(top)
    config.CourseDirectory.source_directory, config.CourseDirectory.release_directory = "solutions", "course"
    config.GenerateAssignment.preprocessors = [FromSource, *GenerateAssignment().preprocessors]
    for line in refresh(top):
        print(line, file=sys.stderr)


def grading(config):
    """The settings that grade this course, wherever its folders lie."""
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.ignore = [".ipynb_checkpoints", "__pycache__", "*.py", "*.pyc", "*.tmp", "feedback"]
    config.Autograde.exporter_class = plugin.ReadsAnything
    config.Autograde.sanitize_preprocessors = [plugin.Rebuild, OverwriteCells, CheckCellMetadata]
    marked = [plugin.Mark, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
    config.Autograde.autograde_preprocessors = marked
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):  # nbgrader calls `alembic` by its bare name
        os.environ["PATH"] = os.pathsep.join(filter(None, [scripts, os.environ.get("PATH")]))


class FromSource(NbGraderPreprocessor):
    """Takes the notebook from the .py beside it, where there is one."""

    def preprocess(self, nb, resources):
        py = Path(resources["metadata"]["path"], resources["metadata"]["name"] + ".py")
        if not py.is_file():
            return nb, resources
        if is_edited(nb):
            raise BuildError(edited(py))
        return release.source_notebook(py), resources


def refresh(top: Path) -> list[str]:
    """Remake the stale notebooks beside the sources → what its author must know, one line each."""
    said = []
    for py in release.sources(top):
        path, made_from = py.with_suffix(".ipynb"), _inputs(py, top)
        try:
            old = nbformat.read(path, as_version=4) if path.is_file() else None
        except Exception:  # half written or not a notebook: derived, so made again
            old = None
        if old is not None and is_edited(old):
            said.append(edited(py))
        elif old is None or old.metadata.get(_STAMP, {}).get("inputs") != made_from:
            try:
                notebook = release.source_notebook(py)
            except BuildError as error:
                said += error.lines
                continue
            stamp(notebook, made_from)
            files.write_text(path, nbformat.writes(notebook))
    return said


def stamp(notebook, made_from):
    """Note in a notebook what it was made from and what it holds, so that an edit of it can be told."""
    notebook.metadata[_STAMP] = {"inputs": made_from, "content": _content(notebook)}


def is_edited(notebook) -> bool:
    """Whether someone changed the cells of a derived notebook; running it is no change."""
    return notebook.metadata.get(_STAMP, {}).get("content") != _content(notebook)


def edited(py: Path) -> str:
    """What to do about a derived notebook that was edited."""
    path = "/".join([*py.parts[-3:-1], py.stem])
    return f"{path}.ipynb was edited, but {py.name} is the source: move the edit there, then delete the .ipynb"


def _content(notebook):
    """A digest of what an author edits: the cells' kinds, sources and grading metadata."""
    cells = [[cell.cell_type, cell.source, cell.metadata.get("nbgrader")] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def _inputs(py, top):
    """A digest of all that a notebook is made from, found without importing torch."""
    code = Path(__file__).parent
    files = [py, top / "pyproject.toml", *sorted((top / "assets" / "recordings").glob("*.jsonl"))]
    files += [code / name for name in ("exercise.py", "prose.py", "release.py", "source.py", "specified.py")]
    files += sorted((code / "exercises").rglob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
