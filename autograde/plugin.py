"""nbgrader's own `autograde`, and formgrader's button, run by our executor: its configuration names these.

Reading, rebuilding and marking are what `autograde grade` does; here they come one notebook at a time.
"""

import os
import stat
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import marking, rebuild, workers
from autograde.journal import Journal
from autograde.seeds import seed_of, term_secret

SUBMITTED = "submitted"  # in nbconvert's resources: the file's bytes, or why it cannot be read


class ReadsAnything(NotebookExporter):
    """Reads a submitted file without believing that it is a notebook: an unreadable one is its learner's result."""

    def from_filename(self, filename, resources=None, **kw):
        resources = dict(resources or {})
        resources[SUBMITTED] = _bytes(filename)
        resources["metadata"] = {"name": Path(filename).stem, "path": str(Path(filename).parent)}
        try:
            notebook = nbformat.reads(resources[SUBMITTED], as_version=4)
        except Exception:  # whatever is wrong with it: Rebuild reads it once more, and says what
            notebook = nbformat.v4.new_notebook()
        return self.from_notebook_node(notebook, resources=resources, **kw)


def _bytes(filename):
    """The bytes of an ordinary file; a link, which may lead to another learner's work, is none."""
    try:
        handle = os.open(filename, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return f"it cannot be opened ({error.strerror}): a symbolic link is not read"
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return "it is no ordinary file"
        return file.read(rebuild.MOST_BYTES + 1)


class _Preprocessor(NbGraderPreprocessor):
    @property
    def _directory(self):
        return self.parent.parent.coursedir  # preprocessor → exporter → converter

    def _release(self, resources):
        directory, named = self._directory, resources["nbgrader"]
        folder = directory.format_path(directory.release_directory, ".", named["assignment"])
        path = Path(folder, named["notebook"] + ".ipynb")
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: run `nbgrader generate_assignment {named['assignment']}`")
        return path.read_text(encoding="utf-8")


class Rebuild(_Preprocessor):
    """The first sanitizer: the release's notebook with the learner's cells, whatever the submitted file says it is."""

    def preprocess(self, nb, resources):
        release, data = nbformat.reads(self._release(resources), as_version=4), resources[SUBMITTED]
        try:
            if isinstance(data, str):
                raise rebuild.Unreadable(data)
            return rebuild.rebuild(data, release), resources
        except rebuild.Unreadable as error:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], error)
            return rebuild.blank(release, str(error)), resources


class Mark(_Preprocessor):
    """In place of Execute: runs the rebuilt notebook in the sandbox, and puts each verdict into its check's cell."""

    def preprocess(self, nb, resources):
        named, text, state = resources["nbgrader"], self._release(resources), Path(self._directory.root, ".autograde")
        points, secret = _points(nb), term_secret(state / "secret")
        kind = workers.Kind(tuple(marking.modules([text])), os.environ.get("AUTOGRADE_BACKEND"))
        sandbox = workers.sandbox_of(kind)
        seeds = {key: seed_of(secret, key) for key in points}
        book = marking.mark_rebuilt(nb, seeds, sandbox)
        entry = {"student": named["student"], "assignment": named["assignment"], "notebook": named["notebook"]}
        Journal(state / "journal.jsonl").add("notebook", **entry, sandbox=sandbox.backend, book=book)
        return marking.show(nb, book["checks"], points), resources


def _points(notebook):
    """{exercise's id: points}, as the gradebook gave them to the check cells."""
    checks = [cell for cell in notebook.cells if rebuild.role(cell) == "check"]
    return {marking.exercise_of(cell): float(cell.metadata["nbgrader"]["points"]) for cell in checks}
