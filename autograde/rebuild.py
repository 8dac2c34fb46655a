"""The notebook that is graded: the release's own, with the learner's cells in it.

A submission contributes the sources of cells, and for a reader the text and pictures it was handed in with. What it
says of its own points, locks, ids, kernels or formats is not believed; so deleted, edited, doubled, relabelled and
moved checks cease to matter.
"""

import base64
import binascii
import bisect
import html
import json
import re
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

MOST_BYTES = 20 << 20  # of a notebook file
MOST_CELLS, MOST_SOURCE, MOST_TEXT, MOST_PICTURE = 2000, 100_000, 20_000, 2 << 20
MOST_CODE = 1_000_000  # characters of code in all: a parser, which no limit of the sandbox holds, takes seconds for it
ROLE = "autograde"  # cell metadata of a rebuilt notebook: {"role": lesson, edited, own, answer or check}
_PNG = b"\x89PNG\r\n\x1a\n"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class Unreadable(ValueError):
    """A file that is no notebook; the message is one line that says why."""


@dataclass
class _Given:
    """A cell as it was handed in, reduced to text."""

    kind: str
    source: str
    names: list[str]  # what it may be known by: nbgrader's grade_id, the cell's id, Colab's
    outputs: list = field(default_factory=list)


def rebuild(data: bytes, release) -> NotebookNode:
    """The release notebook with the learner's cells in it; `data` is the submitted file. Raises Unreadable."""
    given = _read(data)
    matched = _match(given, release.cells)
    in_order = _in_order(matched)
    extras, anchor = {}, -1
    for number, cell in enumerate(given):
        if number in matched:
            anchor = matched[number] if number in in_order else anchor
        elif cell.source.strip() and cell.kind in ("code", "markdown"):
            extras.setdefault(anchor, []).append(cell)
    taken = {place: given[number] for number, place in matched.items()}
    cells, waiting = [], extras.get(-1, [])
    for place, cell in enumerate(release.cells):
        if place in taken or _grade_id(cell) is not None:
            cells += map(_own, waiting)  # after a lesson's cell that is missing: they may stand in its place
            waiting = []
        if _is_check(cell) and place in taken and not _same(taken[place].source, cell.source):
            cells.append(_own(taken[place]))  # an answer may have been merged into it
        cells.append(_filled(_copied(cell), taken.get(place)))
        waiting = waiting + extras.get(place, [])
    cells += map(_own, waiting)
    for number, cell in enumerate(cells):
        cell["id"] = f"c{number}"
    return NotebookNode(cells=cells, metadata=release.metadata, nbformat=4, nbformat_minor=5)


def blank(release, why: str) -> NotebookNode:
    """The release as it was handed out, under a line that says why nothing could be taken from the submission."""
    notebook = rebuild(nbformat.writes(release).encode(), release)
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"**This submission could not be read:** {_inert(why)}"))
    notebook.cells[0]["id"] = "unreadable"
    return notebook


def role(cell) -> str:
    """lesson, edited (a lesson's cell that the learner changed), own, answer, check, or '' for text."""
    return cell.metadata.get(ROLE, {}).get("role", "")


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(data):
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it has {len(data) / 1e6:.0f} MB, at most {MOST_BYTES / 1e6:.0f} are read")
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({type(error).__name__}): was the upload cut short?") from None
    if type(notebook) is not dict:
        raise Unreadable("it is JSON, but no notebook")
    cells = notebook.get("cells")
    if cells is None and type(notebook.get("worksheets")) is list:  # nbformat 3, and 2 before it
        sheets = [sheet for sheet in notebook["worksheets"] if type(sheet) is dict]
        cells = [cell for sheet in sheets if type(sheet.get("cells")) is list for cell in sheet["cells"]]
    if type(cells) is not list or len(cells) > MOST_CELLS:
        many = f", at most {MOST_CELLS} are read" if type(cells) is list else ""
        raise Unreadable(f"it has no list of cells{many}")
    given = [_given(cell) for cell in cells if type(cell) is dict]
    code = sum(len(cell.source) for cell in given if cell.kind == "code")
    if code > MOST_CODE:
        raise Unreadable(f"it has {code:,} characters of code, at most {MOST_CODE:,} are read")
    return given


def _given(cell):
    kind = cell.get("cell_type")
    metadata = cell.get("metadata") if type(cell.get("metadata")) is dict else {}
    nbgrader = metadata.get("nbgrader") if type(metadata.get("nbgrader")) is dict else {}
    names = [name for name in (nbgrader.get("grade_id"), cell.get("id"), metadata.get("id")) if type(name) is str]
    outputs = cell.get("outputs") if type(cell.get("outputs")) is list else []
    source = _text(cell.get("source", cell.get("input", "")), MOST_SOURCE).replace("\r\n", "\n")
    shown = [output for output in map(_output, outputs[:50]) if output] if kind == "code" else []
    return _Given(kind if type(kind) is str else "", source, names, shown)


def _text(value, most):
    """Text as notebooks hold it, in one piece or in lines; what else may stand there is nothing."""
    if type(value) is list:
        value = "".join(part for part in value if type(part) is str)
    text = value if type(value) is str else ""
    return text.encode("utf-8", "replace").decode("utf-8")[:most]


def _output(output):
    """An output reduced to what cannot act: text, errors, and PNG pictures."""
    if type(output) is not dict:
        return None
    kind, data = output.get("output_type"), output.get("data") if type(output.get("data")) is dict else {}
    if kind == "stream":
        return _stream(_plain(output.get("text")))
    if kind == "error":
        return _stream(_plain(f"{_text(output.get('ename'), 200)}: {_text(output.get('evalue'), 2000)}"))
    if kind not in ("execute_result", "display_data"):
        return None
    shown = {"text/plain": _plain(data["text/plain"])} if "text/plain" in data else {}
    picture = "".join(_text(data.get("image/png"), MOST_PICTURE + 1).split())
    if 0 < len(picture) <= MOST_PICTURE and _is_png(picture):
        shown["image/png"] = picture
    parts = {"data": NotebookNode(shown), "metadata": NotebookNode()}
    return NotebookNode(output_type="display_data", **parts) if shown else None


def _stream(text):
    return NotebookNode(output_type="stream", name="stdout", text=text)


def _plain(value):
    return _ANSI.sub("", _text(value, MOST_TEXT))


def _is_png(text):
    try:
        return base64.b64decode(text, validate=True).startswith(_PNG)
    except (binascii.Error, ValueError):
        return False


# --- putting together -------------------------------------------------------------------------------------------------


def _match(given, release):
    """{number of a submitted cell: place in the release}: by name, then by an unchanged source; the first one wins."""
    places, matched, taken = {}, {}, set()
    for place, cell in enumerate(release):
        for name in {_grade_id(cell), cell.get("id")} - {None}:
            places[name] = place
    for number, cell in enumerate(given):
        place = next((places[name] for name in cell.names if name in places), None)
        if place is not None and place not in taken and _may_fill(cell, release[place]):
            matched[number] = place
            taken.add(place)
    same = {}
    for place, cell in enumerate(release):
        if place not in taken and _grade_id(cell) is None:
            same.setdefault((cell.cell_type, _words(cell.source)), []).append(place)
    for number, cell in enumerate(given):
        if number not in matched and same.get((cell.kind, _words(cell.source))):
            matched[number] = same[cell.kind, _words(cell.source)].pop(0)
    return matched


def _in_order(matched):
    """The most of the matched cells that stand in the release's order; the others were moved."""
    lowest, ends, before = [], [], {}
    for number, place in sorted(matched.items()):
        length = bisect.bisect_left(lowest, place)
        before[number] = ends[length - 1] if length else None
        lowest[length : length + 1], ends[length : length + 1] = [place], [number]
    found, number = set(), ends[-1] if ends else None
    while number is not None:
        found.add(number)
        number = before[number]
    return found


def _words(source):
    """A text without the white space at the end of its lines, which editors and formatters change."""
    return "\n".join(line.rstrip() for line in source.split("\n")).strip()


def _same(one, other):
    return _words(one) == _words(other)


def _may_fill(cell, place):
    """A learner may turn an answer's cell into text by a slip of the keyboard; a check and a lesson keep their kind."""
    return cell.kind == place.cell_type or _is_answer(place)


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _is_check(cell):
    return cell.cell_type == "code" and _grade_id(cell) is not None and not _is_answer(cell)


def _is_answer(cell):
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def _filled(cell, given):
    """A cell of the release, with what the learner made of it where that is the learner's to change."""
    graded = cell.metadata.get("nbgrader")
    if cell.cell_type != "code":
        if graded and _is_answer(cell) and given and not _same(given.source, cell.source):
            cell.source = _inert(given.source)
        return cell
    cell.outputs, cell.execution_count = [], None
    if graded and not _is_answer(cell):
        return _with_role(cell, "check")
    if graded:
        cell.source = given.source if given else ""
        cell.outputs = given.outputs if given else []
        return _with_role(cell, "answer")
    edited = given is not None and not _same(given.source, cell.source)
    if edited:
        cell.source = given.source
    cell.outputs = given.outputs if given else []
    return _with_role(cell, "edited" if edited else "lesson")


def _copied(cell):
    """A cell of its own, as deep as it will be changed; nbformat's makers would check each against its schema."""
    copied = NotebookNode(cell)
    metadata = NotebookNode(cell.metadata)
    if "nbgrader" in metadata:
        metadata["nbgrader"] = NotebookNode(metadata["nbgrader"])
    copied["metadata"] = metadata
    return copied


def _own(given):
    if given.kind == "markdown":
        return NotebookNode(cell_type="markdown", metadata=NotebookNode(), source=_inert(given.source))
    parts = {"source": given.source, "outputs": given.outputs, "execution_count": None}
    return _with_role(NotebookNode(cell_type="code", metadata=NotebookNode(), **parts), "own")


def _with_role(cell, name):
    cell.metadata[ROLE] = NotebookNode(role=name)
    return cell


def _inert(text):
    """A learner's words as they were typed: no markup of theirs reaches a page, no formula, no link, no picture."""
    escaped = html.escape(_plain(text)).replace("\n", "&#10;").replace("`", "&#96;").replace("$", "&#36;")
    return f'<pre class="tex2jax_ignore mathjax_ignore" style="white-space: pre-wrap; font: inherit">{escaped}</pre>'
