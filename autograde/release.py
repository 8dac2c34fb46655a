"""solutions/weekN_topic/*.py → course/weekN_topic/*.ipynb, by way of nbgrader's own GenerateAssignment.

A source is a jupytext percent script. Its cells name exercises; the rest about these comes from their specifications.
Two builds of the same sources are equal byte for byte.
"""

import argparse
import contextlib
import hashlib
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from autograde import prose, source, specified
from autograde.source import BuildError, Cell
from course.lab import files

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_COLAB = "https://colab.research.google.com/github/{owner}/blob/main/course/{week}/{name}.ipynb"
_SETUP = """\
import importlib.util

if importlib.util.find_spec("autograde") is None:  # on Colab; torch stays as it is
    %pip install --quiet git+{address}
from autograde import check"""
_METADATA = {
    "colab": {"provenance": [], "toc_visible": True},
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def root() -> Path:
    """The repository: the nearest folder around the working directory, else around this package, with the sources."""
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[1]):
        if (folder / "solutions").is_dir() and (folder / "nbgrader_config.py").is_file():
            return folder
    raise BuildError(f"{Path.cwd()} is not in a checkout of the course: no solutions/ and nbgrader_config.py around it")


def sources(top: Path | None = None) -> list[Path]:
    """Every lesson's source, in order."""
    return sorted(((top or root()) / "solutions").glob("week*_*/*.py"))


def source_notebook(py: Path):
    """The notebook that nbgrader reads: solutions in it, metadata from the specifications, ids that stay the same.

    Raises BuildError, one line for each error of the author.
    """
    import nbformat

    py = Path(py).resolve()
    cells, recorded = source.read(py), _recordings(py.parents[2])
    made = _opening(py)
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        text = cell.source
        if cell.kind == "markdown":
            try:
                text = prose.fill(text, recorded)
            except prose.UnknownFigure as error:
                raise BuildError(f"{'/'.join(py.parts[-3:])}:{cell.line}: {error}") from None
            if following and following.role == "exercise":
                text += "\n\n" + prose.header(following.exercise)
        made.append((cell.grade_id, cell.kind, text, _metadata(cell)))
    notebook = nbformat.v4.new_notebook(metadata=nbformat.from_dict(_METADATA))
    seen = {}
    for name, kind, text, metadata in made:
        name = name or hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        node = new(text, metadata=nbformat.from_dict(metadata))
        node["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
        notebook.cells.append(node)
    return notebook


def references(py: Path) -> dict[str, str]:
    """For each exercise of a source, the code that defines its reference: imports and exercise cells up to its own."""
    found, before = {}, []
    for cell in source.read(Path(py).resolve()):
        if cell.role == "exercise":
            before.append(source.solved(cell.source))
            found[cell.id] = "\n\n\n".join(before) + "\n"
        elif imports := source.imports(cell):
            before.append(imports)
    return found


def lesson_asking(names, opening: str, top: Path | None = None) -> tuple[str, dict[str, str]]:
    """A lesson that asks these exercises of the course's after its opening cells → (its source, {name: right answer}).

    names: of week 1, such as "ema". For the bench and the tests of grading, which need a class of their own.
    """
    cells = [cell for py in sources(top) if py.parent.name.startswith("week1_") for cell in source.read(py)]
    written = {cell.exercise.name: cell.source for cell in cells if cell.role == "exercise"}
    for name in names:
        opening += f'# %% [markdown]\n# ### {name}\n# %% exercise="week1.{name}"\n{written[name]}\n'
        opening += f'# %% check="week1.{name}"\ncheck("week1.{name}", {name})\n'
    return opening, {name: source.solved(written[name]) for name in names}


@dataclass(frozen=True)
class Built:
    """One week of a build; `changed` are the notebooks that differ from course/ (written, unless only checked)."""

    week: str
    notebooks: int
    exercises: int
    points: float
    changed: tuple[Path, ...]


def build(weeks=None, check_only: bool = False, top: Path | None = None) -> list[Built]:
    """Build the release of the named weeks ('week1' or a folder's name; all by default), writing what differs.

    Raises BuildError where an author must mend something; then no file is touched.
    """
    from autograde import leaks

    top = top or root()
    texts = _generate(_chosen(weeks, top), top)
    strays = [path for week in texts for path in leaks.strays(top / "course" / week, texts[week])]
    if strays:
        raise BuildError(*(f"{path.relative_to(top)}: not made by the build: remove it" for path in strays))
    report = []
    for week, notebooks in texts.items():
        targets = {top / "course" / week / f"{name}.ipynb": text for name, text in notebooks.items()}
        changed = [path for path, text in targets.items() if not path.is_file() or path.read_bytes() != text.encode()]
        if not check_only:
            for path in changed:
                files.write_text(path, targets[path])
        exercises = specified.of_week(week.partition("_")[0])
        points = sum(exercise.points for exercise in exercises)
        report.append(Built(week, len(notebooks), len(exercises), points, tuple(p.relative_to(top) for p in changed)))
    return report


def main(args=None) -> int:
    """python -m autograde build [--check] [WEEK…]"""
    parser = argparse.ArgumentParser(prog="autograde build", description="Build the student release from solutions/.")
    parser.add_argument("weeks", nargs="*", metavar="WEEK", help="week1, or its folder's name; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the release differs")
    options = parser.parse_args(args)
    try:
        with specified.read_ahead(), _light_jsonschema():
            import nbgrader.converters  # noqa: F401  now, while the other process reads the specifications

            report = build(options.weeks, options.check)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for week in report:
        said = f"{len(week.changed)} {'differ' if options.check else 'written'}" if week.changed else "unchanged"
        plural = "" if week.notebooks == 1 else "s"
        holds = f"{week.notebooks} notebook{plural}, {week.exercises} exercises, {week.points:g} points"
        print(f"{week.week}: {holds}, {said}")
    different = [path for week in report for path in week.changed] if options.check else []
    for path in different:
        print(f"{path} is not what its source builds: run `python -m autograde build`", file=sys.stderr)
    return 1 if different else 0


# --- in private -------------------------------------------------------------------------------------------------------


def _opening(py):
    """The two cells that every notebook opens with: Colab's badge and the setup."""
    address = _address(py.parents[2])
    owner = address.removeprefix("https://github.com/").removesuffix(".git")
    link = _COLAB.format(owner=owner, week=py.parent.name, name=py.stem)
    badge = {"id": "view-in-github", "colab_type": "text"}
    return [
        ("view-in-github", "markdown", f"[![Open in Colab]({_BADGE})]({link})", badge),
        ("setup", "code", _SETUP.format(address=address), {"tags": ["setup"]}),
    ]


def _address(top):
    """The repository's address: the one setting, [project.urls] Repository in pyproject.toml."""
    try:
        return tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    except (OSError, KeyError):
        raise BuildError('pyproject.toml:1: [project.urls] Repository = "https://github.com/…" is missing') from None


def _recordings(top):
    try:
        return prose.recordings(top / "assets" / "recordings")
    except ValueError as error:
        raise BuildError(f"assets/recordings: {error}") from None


def _metadata(cell: Cell) -> dict:
    """nbgrader's metadata and tags of a cell."""
    metadata = dict(cell.metadata)
    if not cell.role:
        return metadata
    graded = {"schema_version": 3, "grade_id": cell.grade_id, "task": False}
    graded |= {"grade": cell.role != "exercise", "solution": cell.role != "check", "locked": cell.role == "check"}
    points = cell.points if cell.role == "answer" else cell.exercise.points if cell.role == "check" else None
    if points is not None:
        graded["points"] = int(points) if points == int(points) else points
    if cell.role == "exercise":  # a syntax error must not end Run All
        metadata["tags"] = sorted({*metadata.get("tags", []), "raises-exception"})
    return metadata | {"nbgrader": graded}


def _chosen(weeks, top):
    """{folder's name: its sources} of the weeks asked for."""
    folders = {}
    for py in sources(top):
        folders.setdefault(py.parent.name, []).append(py)
    unknown = [week for week in weeks or () if not any(week in (name, name.partition("_")[0]) for name in folders)]
    if unknown:
        known = ", ".join(folders) or "none yet"
        raise BuildError(f"there is no week {unknown[0]!r} in solutions/: the weeks are {known}")
    asked = set(weeks or ())
    return {name: sources for name, sources in folders.items() if not asked or {name, name.partition("_")[0]} & asked}


def _generate(chosen, top):
    """{week: {notebook's name: text of its release}}, made by nbgrader in a folder of its own."""
    import nbformat

    from autograde import leaks

    notebooks, errors = {}, []
    for week, sources in chosen.items():
        for py in sources:
            try:
                notebooks[week, py.stem] = source_notebook(py)
            except BuildError as error:
                errors += error.lines
    errors += [] if errors else [line for week, sources in chosen.items() for line in _unused(week, sources)]
    if errors:
        raise BuildError(*errors)
    with tempfile.TemporaryDirectory() as folder:
        for (week, name), notebook in notebooks.items():
            files.write_text(Path(folder, "solutions", week, f"{name}.ipynb"), nbformat.writes(notebook))
        _run_nbgrader(folder)
        texts = {week: {} for week in chosen}
        for week, name in notebooks:
            texts[week][name] = Path(folder, "course", week, f"{name}.ipynb").read_text(encoding="utf-8")
            errors += leaks.in_notebook(f"course/{week}/{name}.ipynb", texts[week][name], notebooks[week, name])
    if errors:
        raise BuildError(*errors)
    return texts


def _run_nbgrader(folder):
    """nbgrader's GenerateAssignment over every week of a folder, without a gradebook."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(Path(folder).resolve())
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = "course"
    config.CourseDirectory.assignment_id = "*"
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    result = capture_log(GenerateAssignment(coursedir=CourseDirectory(config=config), config=config))
    if not result["success"]:
        raise BuildError(*(result["log"] + result.get("error", "")).splitlines())


def _unused(week, files):
    """A line for every exercise of a week's specification that no source of it holds."""
    used = {cell.id for py in files for cell in source.read(py) if cell.role == "exercise"}
    for exercise in specified.of_week(week.partition("_")[0]):
        if exercise.id not in used:
            yield f'solutions/{week}:1: no source has exercise="{exercise.id}", which autograde/exercises specifies'


@contextlib.contextmanager
def _light_jsonschema():
    """Keeps jsonschema from compiling a grammar of internationalised URLs as it is imported: two seconds, for a format
    that no notebook's schema names. It treats a missing module as a format it cannot check."""
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None
    try:
        yield
    finally:
        if absent:
            del sys.modules["rfc3987_syntax"]
