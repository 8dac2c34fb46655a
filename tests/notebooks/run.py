"""Run a notebook without a front end, and read what its cells showed."""

import re

import nbformat
from nbclient import NotebookClient

# What may differ between two runs of the same notebook: measured times and speeds, and addresses of objects.
VARIES = re.compile(r"\d[\d,.]*\s*(?:ms|µs|s|seconds|tokens/s|steps/s|it/s|GB|MB)\b|0x[0-9a-f]+|<Figure size [^>]*>")


def execute(notebook, folder, timeout=180):
    """Run every cell of `notebook` with `folder` as its working directory, as Run All does; returns it with outputs."""
    # one print may come in several messages, as it pleases the kernel: coalesced, two runs show the same
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", coalesce_streams=True, resources=resources
    )
    client.execute()
    return notebook


def code(*sources, tags=()):
    """A notebook of code cells; those that define something get the tag of an exercise's cell."""
    cells = [nbformat.v4.new_code_cell(s, metadata={"tags": list(tags)} if "def " in s else {}) for s in sources]
    return nbformat.v4.new_notebook(cells=cells)


def shown(cell) -> str:
    """All the text that a code cell showed, streams and plain results together."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}")
        parts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(filter(None, parts))


def result(cell):
    """The value of the cell's last expression as text; None where it has none."""
    results = [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
    return results[0] if results else None


def errors(notebook) -> list[str]:
    """What was raised, cell by cell, where no tag allows it."""
    return [
        f"{output.ename}: {output.evalue}\n{cell.source[:200]}"
        for cell in notebook.cells
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "error"
    ]


def checks(notebook) -> list:
    """The locked cells that grade an exercise."""
    return [
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked") and cell.cell_type == "code"
    ]
