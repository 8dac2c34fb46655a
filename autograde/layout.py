"""nbgrader on this layout: its settings, and the derived .ipynb beside each source that its own commands read.

nbgrader knows notebooks alone. Each solutions/weekN_topic/NAME.py therefore has a NAME.ipynb beside it, ignored by git
and remade when stale; and as a release is generated, by command or by formgrader's button, the notebook is taken from
the .py once more, so that the newest source is always what is released.
"""

import hashlib
import json
import os
import symtable
import sys
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import release
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
    config.Autograde.autograde_preprocessors = [OnlyWhatAnswersNeed, *Autograde().autograde_preprocessors]
    config.Execute.timeout = 120
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


class OnlyWhatAnswersNeed(NbGraderPreprocessor):
    """While grading, skips the lesson's own demos: they take a minute a learner and earn nothing.

    A lesson's cell that the learner left alone runs only if an answer, or a cell that it needs, uses a name it defines.
    """

    def preprocess(self, nb, resources):
        theirs, lesson, own = [], [], self._lesson(resources)
        for cell in nb.cells:
            if cell.cell_type == "code":
                (lesson if cell.source in own and "nbgrader" not in cell.metadata else theirs).append(cell)
        wanted = set().union(*(_names(cell.source)[1] for cell in theirs))
        waiting = [(cell, *_names(cell.source)) for cell in lesson]
        while found := [uses for _, defined, uses in waiting if defined is None or defined & wanted]:
            waiting = [entry for entry in waiting if entry[1] is not None and not entry[1] & wanted]
            wanted = wanted.union(*found)
        for cell, *_ in waiting:
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), "skip-execution"]  # nbclient's word
        return nb, resources

    def _lesson(self, resources):
        """Sources of the release's ungraded code cells; none, so that all run, where there is no release."""
        course = self.parent.parent.coursedir  # preprocessor → exporter → converter
        folder = course.format_path(course.release_directory, ".", resources["nbgrader"]["assignment"])
        path = Path(folder, resources["nbgrader"]["notebook"] + ".ipynb")
        if not path.is_file():
            return set()
        cells = nbformat.read(path, as_version=4).cells
        return {cell.source for cell in cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata}


def _names(code):
    """(names that a cell defines, names that it uses); (None, nothing) for magics and errors of syntax."""
    try:
        top = symtable.symtable(code, "cell", "exec")
    except SyntaxError:
        return None, set()
    tables = [top]
    for table in tables:
        tables += table.get_children()
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    symbols = [(table, symbol) for table in tables for symbol in table.get_symbols()]
    return defined, {symbol.get_name() for table, symbol in symbols if table is top or symbol.is_global()}


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
