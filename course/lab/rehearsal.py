"""A practice submission: what would be handed in, and what a grader would find, before anybody else sees it."""

import ast
import json
import os
import subprocess
import tempfile
from pathlib import Path

from course.lab import journal


def submit(name: str, seconds: int = 180) -> None:
    """Runs the saved notebook `name` from top to bottom in a fresh kernel, as a grader does, and shows each check.

    The file itself stays as it is: what runs is a copy. Where there is no such file it says so (Colab keeps notebooks
    elsewhere); inside such a run it does nothing.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return
    path = Path(name)
    if not path.is_file():
        journal.show(
            f"There is no file {path.name} in {Path.cwd().name}/. "
            "Save the notebook under this name; on Colab, download it instead.",
            bold="Nothing to submit",
        )
        return
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
    except ImportError as error:
        journal.show(f"{error.name} is not installed; it comes with JupyterLab.", bold="Nothing to submit")
        return
    try:
        notebook = nbformat.read(path, as_version=4)
    except (ValueError, json.JSONDecodeError, nbformat.reader.NotJSONError):
        journal.show(f"{path.name} is no readable notebook: save it again.", bold="Nothing to submit")
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # what an earlier run showed is no result of this one
    ended = ""
    # Only the copy's kernel is told that it is graded: its demos draw one figure, and its journal stays as it is.
    environ = {**os.environ, "NBGRADER_EXECUTION": "practice"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(
                notebook,
                timeout=seconds,
                allow_errors=True,
                kernel_name="python3",
                resources={"metadata": {"path": folder}},
            ).execute(env=environ, stderr=subprocess.DEVNULL)
    except CellTimeoutError:
        ended = f"The run was stopped: a cell took longer than {seconds} s."
    except DeadKernelError:
        ended = "The run ended early: the kernel died, perhaps for want of memory."
    _report(notebook, ended)


def _report(notebook, ended):
    rows, lines, errors = [], [], []
    for cell in notebook.cells:
        facts = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                place = (
                    f"in {facts['grade_id']}"
                    if facts.get("solution")
                    else f"in the cell “{cell.source.strip().splitlines()[0]}”"
                )
                errors.append(f"{output.ename} {place}: {(output.evalue.splitlines() or [''])[0]}")
        if facts.get("grade"):
            rows.append((facts["grade_id"].removesuffix("-check"), _points(cell), float(facts.get("points", 0))))
            lines.append(_verdict(cell) or f"{rows[-1][0]}: did not run")
    head = f"{len(rows)} checks in a fresh kernel" + (
        f": {sum(got for _, got, _ in rows):g} of {sum(of for *_, of in rows):g} points"
        if any(of for *_, of in rows)
        else ""
    )
    journal.show("\n".join([*lines, *errors, *([ended] if ended else [])]), bold=head)


def _points(cell):
    for output in cell.outputs:
        if output.output_type == "execute_result":
            try:
                return float(ast.literal_eval(output.data["text/plain"]))
            except (ValueError, SyntaxError, KeyError):
                return 0.0
    return 0.0


def _verdict(cell):
    for output in cell.outputs:
        if output.output_type == "display_data":
            return "".join(output.data.get("text/plain", "")).split("\n")[0]
    return ""
