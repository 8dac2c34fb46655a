"""Reads a lesson's source (jupytext percent) into cells that know their line, and finds its author's errors."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from autograde import prose, specified

LINES, CELLS = 25, 45  # of a cell, and of a notebook: what a reader can hold
_OPTIONS = ("exercise", "check", "answer", "points", "tags", "jupyter")
_MARKER = re.compile(r"\s*#\s*%%+(\s|$)")
_REGION = re.compile(r"^[^\n]*BEGIN SOLUTION[^\n]*\n(.*?)^[^\n]*END SOLUTION[^\n]*$", re.DOTALL | re.MULTILINE)


class BuildError(Exception):
    """What an author must mend: one line each, with file and line."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass
class Cell:
    """One cell. `role` is exercise, check, answer or '' for the rest; `id` is its exercise's."""

    kind: str  # code or markdown
    source: str
    line: int  # of its '# %%', from 1
    role: str = ""
    id: str = ""
    points: float | None = None
    metadata: dict = field(default_factory=dict)

    @property
    def exercise(self):
        """The specification of an exercise or check cell."""
        return specified.find(self.id)

    @property
    def grade_id(self) -> str:
        return self.id.replace(".", "-") + ("-check" if self.role == "check" else "") if self.role else ""

    @property
    def solutions(self) -> list[str]:
        """The text of each solution region."""
        return _REGION.findall(self.source)


def read(py: Path) -> list[Cell]:
    """The cells of a source. Raises BuildError with every error of its author."""
    import jupytext

    text, errors = py.read_text(encoding="utf-8"), []
    lines = text.split("\n")
    markers = [number for number, line in enumerate(lines, 1) if _MARKER.match(line)]
    raw = jupytext.reads(text, fmt="py:percent").cells
    if len(raw) != len(markers):
        first = next((n for n, line in enumerate(lines, 1) if line.strip()), 1)
        where = first if not markers or first < markers[0] else markers[0]
        raise BuildError(_at(py, where, f"{len(raw)} cells but {len(markers)} lines '# %%': each cell opens with one"))
    cells = []
    for node, line in zip(raw, markers, strict=True):
        cell = Cell(node.cell_type, node.source, line)
        errors += [_at(py, line, error) for error in _options(cell, dict(node.metadata), lines[line - 1])]
        cells.append(cell)
    errors += [_at(py, line, error) for line, error in _errors(cells, py.parent.name.partition("_")[0])]
    for cell, end in zip(cells, [*markers[1:], len(lines) + 1], strict=True):
        if cell.kind == "markdown":
            words = "\n".join(re.sub(r"^# ?", "", line) for line in lines[cell.line : end - 1])
            errors += [_at(py, cell.line + 1 + offset, _FIGURE % found) for offset, found in prose.by_hand(words)]
    if errors:
        raise BuildError(*sorted(errors, key=lambda error: int(error.split(":")[1])))
    return cells


_FIGURE = "'%s' is typed by hand: take it from a recording, {{ recording.key }}, or let code print it"


def _at(py, line, words):
    """'solutions/week1_x/y.py:12: what is wrong'."""
    return f"{'/'.join(py.parts[-3:])}:{line}: {words}"


def _options(cell, metadata, marker):
    """Fills in what the '# %%' line says; yields what it says wrongly."""
    metadata.pop("lines_to_next_cell", None)
    strange = sorted(set(metadata) - set(_OPTIONS))
    if strange or cell.kind == "raw":
        yield f'{marker.strip()!r} is not understood: options are key="value" with the keys {", ".join(_OPTIONS)}'
        return
    roles = [role for role in ("exercise", "check", "answer") if role in metadata]
    if len(roles) > 1:
        yield f"a cell is either {' or '.join(roles)}, not both"
        return
    if roles:
        cell.role, cell.id = roles[0], str(metadata.pop(roles[0]))
    cell.points = metadata.pop("points", None)
    cell.metadata = metadata
    if (cell.points is not None) != (cell.role == "answer"):
        yield 'points belong to an answer="…" cell, and it needs them; those of an exercise stand in its specification'


def _errors(cells, week):
    """(line, words) of everything that is wrong between cells."""
    seen, exercises, checks = {}, {}, {}
    before = None
    for cell in cells:
        yield from ((cell.line, error) for error in _role_errors(cell, week, before))
        if cell.role:
            first = seen.setdefault((cell.role == "check", cell.id), cell)
            if first is not cell:
                yield cell.line, f'{cell.role}="{cell.id}" is used twice: first on line {first.line}'
            if cell.role == "exercise":
                exercises.setdefault(cell.id, cell)
            if cell.role == "check":
                checks.setdefault(cell.id, cell)
                if cell.id not in exercises:
                    yield cell.line, f'check="{cell.id}" without an exercise="{cell.id}" above it'
        long = len(blanked(cell.source).split("\n"))
        if long > LINES:
            yield cell.line, f"a cell of {long} lines: split it, a reader holds {LINES}"
        before = cell
    for cell in exercises.values():
        if cell.id not in checks:
            yield cell.line, f'exercise="{cell.id}" without a check="{cell.id}" below it'
    if len(cells) + 2 > CELLS:
        yield cells[-1].line, f"{len(cells) + 2} cells with badge and setup: a notebook holds {CELLS}, make it two"


def _role_errors(cell, week, before):
    marks = [mark for mark in re.findall(r"(BEGIN|END) SOLUTION", cell.source)]
    if re.search(r"(BEGIN|END) HIDDEN TESTS", cell.source):
        yield "hidden tests: a course that shows its checks has none; put the case into the specification"
    if marks and cell.role not in ("exercise", "answer"):
        yield 'a solution region outside an exercise="…" cell would reach the learners'
    elif marks != ["BEGIN", "END"] * (len(marks) // 2):
        yield "BEGIN SOLUTION and END SOLUTION do not pair"
    if not cell.role:
        return
    if not cell.id.startswith(week + "."):
        yield f'{cell.role}="{cell.id}" does not belong to {week}, whose folder this is'
    if (cell.kind == "markdown") != (cell.role == "answer"):
        yield f"an {cell.role} cell is " + ("markdown: '# %% [markdown] answer=…'" if cell.role == "answer" else "code")
    if cell.role == "answer":
        return
    if cell.role == "check" and _called(cell.source) != cell.id:
        yield f'the cell is one line, check("{cell.id}", {_defined_name(cell)})'
    if cell.role == "exercise":
        try:
            cell.exercise  # noqa: B018  raises where there is none
        except LookupError as error:
            yield str(error)
        if not marks:
            yield "an exercise without '### BEGIN SOLUTION' and '### END SOLUTION'"
        if before is None or before.kind != "markdown" or before.role:
            yield f'exercise="{cell.id}" needs a markdown cell right before it, for the task and its header'


def _defined_name(cell):
    try:
        return cell.exercise.name
    except LookupError:
        return cell.id.partition(".")[2]


def _called(source):
    """The id in `check("id", …)`, where that is all of a cell."""
    try:
        tree = ast.parse(source, mode="eval").body
        return tree.args[0].value if tree.func.id == "check" and len(tree.args) == 2 else None
    except (SyntaxError, AttributeError, IndexError):
        return None


def blanked(source: str) -> str:
    """A cell as a learner gets it, in length: each solution region is two lines."""
    return _REGION.sub("# YOUR CODE HERE\nraise NotImplementedError()", source)


def solved(source: str) -> str:
    """A cell as it runs: the solution without its markers."""
    return "\n".join(line for line in source.split("\n") if not re.search(r"(BEGIN|END) SOLUTION", line))


def imports(cell: Cell) -> str:
    """The import statements at the top level of an ordinary code cell, a line each; "" where there are none."""
    if cell.kind != "code" or cell.role:
        return ""
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return ""
    return "\n".join(ast.unparse(one) for one in body if isinstance(one, ast.Import | ast.ImportFrom))
