"""Notebooks as other programs save them, and as learners rearrange them, each made from one with its answers in it."""

import copy
import hashlib
import json
import re

import jupytext
import nbformat
from nbformat import NotebookNode

from autograde.exercise import find

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_TIMES = {
    "iopub.execute_input": "2026-03-01T10:00:00.000000Z",
    "iopub.status.busy": "2026-03-01T10:00:00.000000Z",
    "iopub.status.idle": "2026-03-01T10:00:00.100000Z",
    "shell.execute_reply": "2026-03-01T10:00:00.100000Z",
}


def notebook(release: str, answers: dict[str, str]) -> NotebookNode:
    """The release with some cells answered, by cell id."""
    made = nbformat.reads(release, as_version=4)
    for cell in made.cells:
        cell.source = answers.get(cell.id, cell.source)
    return made


def place(made, cell_id: str) -> int:
    """The number of a cell in a notebook."""
    return next(number for number, cell in enumerate(made.cells) if cell.get("id") == cell_id)


def is_answer(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_check(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


# --- what a program makes of cells ------------------------------------------------------------------------------------


def _run(made):
    """As if every cell had been run: counts and outputs."""
    for count, cell in enumerate((cell for cell in made.cells if cell.cell_type == "code"), 1):
        shown = {"text/plain": "<Figure size 640x480>", "image/png": PNG, "text/html": "<b>figure</b>"}
        cell.execution_count = count
        cell.outputs = nbformat.from_dict(
            [
                {"output_type": "stream", "name": "stdout", "text": "printed\n"},
                {"output_type": "display_data", "data": shown, "metadata": {}},
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "1.0"},
                    "metadata": {},
                    "execution_count": count,
                },
            ]
        )
    return made


def _new_id(cell):
    return hashlib.sha256(f"new {cell.get('id')} {cell.source}".encode()).hexdigest()


def _without_ids(made, nbgrader=True):
    """No cell ids; the metadata that nbgrader needs is kept, or is not."""
    for cell in made.cells:
        cell.pop("id", None)
        if not nbgrader:
            cell.metadata = NotebookNode()
    return made


def _with_new_ids(made, length=8):
    for cell in made.cells:
        cell["id"] = _new_id(cell)[:length]
    return made


def _text(made, minor, **how) -> bytes:
    """JSON as it is written by `how`; sources in lines, as all of these programs have them."""
    plain = json.loads(json.dumps({**made, "nbformat": 4, "nbformat_minor": minor}))
    for cell in plain["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return (json.dumps(plain, ensure_ascii=False, **{"indent": 1, "sort_keys": True, **how}) + "\n").encode()


# --- programs ---------------------------------------------------------------------------------------------------------


def jupyterlab_4(made):
    made = _run(made)
    made.metadata.language_info = NotebookNode(name="python", version="3.12.3", file_extension=".py")
    made.metadata.widgets = NotebookNode(
        {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
    )
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.metadata.execution = NotebookNode(_TIMES)  # with "record cell timing"
            cell.metadata.jupyter = NotebookNode(outputs_hidden=True)
    return _text(made, 5)


def jupyterlab_2(made):
    """Format 4.4: it knows no cell ids."""
    return _text(_without_ids(_run(made)), 4)


def classic_notebook_6(made):
    """It drops ids that it does not know, and the server makes new ones at every save."""
    made = _with_new_ids(_run(made))
    for cell in made.cells:
        cell.metadata.scrolled = cell.metadata.collapsed = False
    made.metadata.toc = NotebookNode(nav_menu={}, number_sections=True)
    return _text(made, 5)


def _colab(made, nbgrader, same_ids):
    """Format 4.0, ids in the metadata, its own badge, keys in its own order, two spaces of indentation."""
    made = _run(made)
    made.metadata.update({"accelerator": "GPU", "kernelspec": {"name": "python3", "display_name": "Python 3"}})
    made.metadata.colab = NotebookNode(provenance=[], gpuType="T4", include_colab_link=True, toc_visible=True)
    for cell in made.cells:
        name = cell.pop("id") if same_ids else _new_id(cell)[:12]
        cell.pop("id", None)
        kept = {key: value for key, value in cell.metadata.items() if nbgrader}
        cell.metadata = NotebookNode({**kept, "id": name})
        if cell.cell_type == "code":
            user = {"displayName": "A Learner", "userId": "01234567890123456789"}
            ran = {"status": "ok", "timestamp": 1772359200000, "user_tz": -60, "user": user, "elapsed": 12}
            cell.metadata.update({"executionInfo": ran, "colab": {"base_uri": "https://localhost:8080/", "height": 35}})
            cell.metadata.outputId = _new_id(cell)[:8] + "-0000-4000-8000-000000000000"
            for output in cell.outputs:
                output["metadata"] = NotebookNode({"tags": ["id1_content_0", "outputarea_id1"]})
        if "Open in Colab" in cell.source:
            cell.metadata = NotebookNode(id="view-in-github", colab_type="text")
            image = '<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/>'
            cell.source = f'<a href="https://colab.research.google.com/github/x" target="_parent">{image}</a>'
    return _text(made, 0, indent=2, sort_keys=False)


def colab_with_nbgraders_metadata(made):
    return _colab(made, nbgrader=True, same_ids=True)


def colab_without_nbgraders_metadata(made):
    return _colab(made, nbgrader=False, same_ids=True)


def colab_with_ids_of_its_own(made):
    return _colab(made, nbgrader=True, same_ids=False)


def colab_from_a_blank_notebook(made):
    """Every cell pasted by hand into a new notebook: nothing but the text is as it was."""
    return _colab(made, nbgrader=False, same_ids=False)


def _vscode(made):
    made = _run(made)
    made.metadata = NotebookNode(kernelspec={"display_name": ".venv", "language": "python", "name": "python3"})
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.metadata.vscode = NotebookNode(languageId="markdown")
        elif "%pip" in cell.source:
            cell.metadata.vscode = NotebookNode(languageId="shellscript")
    return made


def vscode_today(made):
    return _text(_vscode(made), 5)


def vscode_of_2022(made):
    """It lost the ids of the file that it opened, and gave each cell a new one."""
    return _text(_with_new_ids(_vscode(made)), 5)


def vscode_of_2021(made):
    return _text(_without_ids(_vscode(made)), 2)


def _kaggle(made):
    made = _without_ids(_run(made))
    made.metadata.kaggle = NotebookNode(
        accelerator="none", dataSources=[], dockerImageVersionId=30000, isGpuEnabled=False
    )
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.metadata.update({"trusted": True, "execution": _TIMES, "_uuid": _new_id(cell)[:40]})
            cell.metadata["_cell_guid"] = _new_id(cell)[:8] + "-0000-4000-8000-000000000000"
    return made


def kaggle(made):
    return _text(_kaggle(made), 4, indent=None, separators=(",", ":"), sort_keys=False)


def kaggle_without_nbgraders_metadata(made):
    made = _kaggle(made)
    for cell in made.cells:
        cell.metadata.pop("nbgrader", None)
    return _text(made, 4, indent=None, separators=(",", ":"), sort_keys=False)


def _jupytext(made, form):
    back = jupytext.reads(jupytext.writes(made, fmt=form), fmt=form)
    return _text(back, back.nbformat_minor)


def jupytext_percent(made):
    return _jupytext(made, "py:percent")


def jupytext_light(made):
    return _jupytext(made, "py:light")


def jupytext_markdown(made):
    return _jupytext(made, "md")


def format_3(made):
    """IPython 2 and 3: cells in a worksheet, code as `input`, outputs as `pyout`."""
    old = nbformat.convert(_without_ids(_run(made)), 3)
    return nbformat.versions[3].writes_json(old).encode()


def papermill(made):
    made = _run(made)
    for cell in made.cells:
        cell.metadata.papermill = NotebookNode(duration=0.1, exception=False, status="completed")
        cell.metadata.tags = [*cell.metadata.get("tags", []), "papermill"]
    injected = nbformat.v4.new_code_cell(
        "# Parameters\nlearning_rate = 0.1\n", metadata={"tags": ["injected-parameters"]}
    )
    made.cells.insert(1, injected)
    return _text(made, 5)


def deepnote(made):
    made = _without_ids(_run(made))
    for cell in made.cells:
        kind = "code" if cell.cell_type == "code" else "text-cell-p"
        cell.metadata.update({"cell_id": _new_id(cell)[:32], "deepnote_cell_type": kind, "source_hash": "b623e53d"})
    made.cells.append(nbformat.v4.new_markdown_cell("<a href='https://deepnote.com'>Created in Deepnote</a>"))
    made.cells[-1].pop("id")
    made.metadata = NotebookNode(deepnote_notebook_id="00000000", deepnote_execution_queue=[])
    return _text(made, 0)


def nbstripout(made):
    """By default ids become numbers; what cells hold beside text and metadata is gone."""
    for number, cell in enumerate(made.cells):
        cell["id"] = str(number)
    return _text(made, 5)


def nbstripout_of_all_metadata(made):
    for cell in made.cells:
        cell.metadata = NotebookNode()
    return _text(made, 5)


def strip(made):
    """Neither ids nor metadata: an answer's cell is one of the learner's own."""
    made.metadata = NotebookNode()
    return _without_ids(made, nbgrader=False)


def stripped_to_nothing_but_text(made):
    return _text(strip(made), 4)


def nbdime_merged(made):
    """A merge of two copies that left a conflict over an answer: both are there, between marks, with one id."""
    first = next(cell for cell in made.cells if is_answer(cell))
    here = made.cells.index(first)
    mark = nbformat.v4.new_markdown_cell
    made.cells[here : here + 1] = [
        mark("<span style='color:red'><b><<<<<<< local</b></span>"),
        first,
        mark("<span style='color:red'><b>=======</b></span>"),
        copy.deepcopy(first),
        mark("<span style='color:red'><b>>>>>>>> remote</b></span>"),
    ]
    first.metadata["nbdime-conflicts"] = NotebookNode(local_diff=[], remote_diff=[])
    return _text(made, 5)


# --- bytes ------------------------------------------------------------------------------------------------------------


def indented_by_four(made):
    return _text(made, 5, indent=4)


def on_one_line(made):
    return _text(made, 5, indent=None, separators=(",", ":"))


def in_ascii(made):
    return json.dumps(json.loads(_text(made, 5))).encode("ascii")


def sources_in_one_piece(made):
    return json.dumps({**made, "nbformat": 4, "nbformat_minor": 5}).encode()


def with_a_byte_order_mark(made):
    return b"\xef\xbb\xbf" + _text(made, 5)


def in_utf_16(made):
    return _text(made, 5).decode().encode("utf-16")


def with_windows_line_ends(made):
    return _text(made, 5).replace(b"\n", b"\r\n")


def _windows_sources(made):
    for cell in made.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    return made


def with_windows_line_ends_in_the_sources(made):
    return _text(_windows_sources(made), 5)


def with_windows_line_ends_and_nothing_but_text(made):
    return stripped_to_nothing_but_text(_windows_sources(made))


def with_trailing_line_ends(made):
    """An editor that ends every text with a line end, and code that was formatted as it was saved."""
    for cell in made.cells:
        cell.source = re.sub(r"[ \t]+$", "", cell.source, flags=re.MULTILINE) + "\n"
    return stripped_to_nothing_but_text(made)


# --- cells rearranged -------------------------------------------------------------------------------------------------


def name_of(cell):
    """What an answer's cell defines."""
    return find(cell.id.replace("-", ".", 1)).name


def halves(made):
    """(place, upper half, lower half) of every answer: a helper that does the work, and the answer that calls it."""
    for cell in [cell for cell in made.cells if is_answer(cell)]:
        name = name_of(cell)
        upper = re.sub(rf"\b{name}\b", f"helper_{name}", cell.source)
        yield made.cells.index(cell), upper, f"def {name}(*arguments):\n    return helper_{name}(*arguments)"


def split_by_jupyterlab_4(made):
    """The upper half is a new cell with a copy of the metadata; the lower half is the cell that was there."""
    for number, upper, lower in list(halves(made))[::-1]:
        new = copy.deepcopy(made.cells[number])
        new["id"], new.source, made.cells[number].source = _new_id(new)[:8], upper, lower
        made.cells.insert(number, new)
    return _text(made, 5)


def split_by_classic_notebook(made):
    """The upper half is a new cell without metadata."""
    for number, upper, lower in list(halves(made))[::-1]:
        made.cells[number].source = lower
        made.cells.insert(number, nbformat.v4.new_code_cell(upper))
    return _text(made, 4)


def split_by_vscode(made):
    """The lower half is a new cell without metadata."""
    for number, upper, lower in list(halves(made))[::-1]:
        made.cells[number].source = upper
        made.cells.insert(number + 1, nbformat.v4.new_code_cell(lower))
    return _text(made, 5)


def split_and_stripped(made):
    split_by_vscode(made)
    return stripped_to_nothing_but_text(made)


def _merged(made, kept):
    """Each answer and its check in one cell, which is `kept` of the two."""
    for check in [cell for cell in made.cells if is_check(cell)]:
        answer = made.cells[made.cells.index(check) - 1]
        both = f"{answer.source}\n\n{check.source}"
        one, other = (answer, check) if kept == "answer" else (check, answer)
        one.source = both
        made.cells.remove(other)
    return _text(made, 5)


def answer_merged_with_the_check_below(made):
    """JupyterLab refuses it, where a check is read-only; not every program does."""
    return _merged(made, "answer")


def check_merged_with_the_answer_above(made):
    return _merged(made, "check")


def answers_merged_into_the_first(made):
    answers = [cell for cell in made.cells if is_answer(cell)]
    answers[0].source = "\n\n\n".join(cell.source for cell in answers)
    made.cells = [cell for cell in made.cells if cell is answers[0] or not is_answer(cell)]
    return _text(made, 5)


def helper_merged_into_the_answer_below(made):
    for number, upper, lower in list(halves(made)):
        made.cells[number].source = f"{upper}\n\n{lower}"
    return _text(made, 5)


def answers_moved_to_the_end(made):
    made.cells.sort(key=lambda cell: is_answer(cell) or is_check(cell))
    return _text(made, 5)


def answers_moved_to_the_top(made):
    made.cells.sort(key=lambda cell: not is_answer(cell))
    return _text(made, 5)


def checks_moved_to_the_end(made):
    made.cells.sort(key=is_check)
    return _text(made, 5)


def last_cell_moved_to_the_top_and_a_helper_below_it(made):
    """The helper stands at the top, wherever the cell above it came from."""
    helpers = [nbformat.v4.new_code_cell(upper) for _, upper, _ in halves(made)]
    for number, _, lower in list(halves(made)):
        made.cells[number].source = lower
    made.cells[2:2] = [made.cells.pop(), *helpers]
    return _text(made, 5)


def first_cells_moved_to_the_end(made):
    made.cells = made.cells[5:] + made.cells[:5]
    return _text(made, 5)


PROGRAMS = (
    jupyterlab_4,
    jupyterlab_2,
    classic_notebook_6,
    colab_with_nbgraders_metadata,
    colab_without_nbgraders_metadata,
    colab_with_ids_of_its_own,
    colab_from_a_blank_notebook,
    vscode_today,
    vscode_of_2022,
    vscode_of_2021,
    kaggle,
    kaggle_without_nbgraders_metadata,
    jupytext_percent,
    jupytext_light,
    jupytext_markdown,
    format_3,
    papermill,
    deepnote,
    nbstripout,
    nbstripout_of_all_metadata,
    stripped_to_nothing_but_text,
    nbdime_merged,
)
BYTES = (
    indented_by_four,
    on_one_line,
    in_ascii,
    sources_in_one_piece,
    with_a_byte_order_mark,
    in_utf_16,
    with_windows_line_ends,
    with_windows_line_ends_in_the_sources,
    with_windows_line_ends_and_nothing_but_text,
    with_trailing_line_ends,
)
REARRANGED = (
    split_by_jupyterlab_4,
    split_by_classic_notebook,
    split_by_vscode,
    split_and_stripped,
    answer_merged_with_the_check_below,
    check_merged_with_the_answer_above,
    answers_merged_into_the_first,
    helper_merged_into_the_answer_below,
    answers_moved_to_the_end,
    answers_moved_to_the_top,
    checks_moved_to_the_end,
    last_cell_moved_to_the_top_and_a_helper_below_it,
    first_cells_moved_to_the_end,
)
