"""What a submission contributes to the notebook that is graded, what it never does, and which cells grading runs."""

import base64
import copy
import json
import random

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograde import needed, rebuild
from autograde.rebuild import Unreadable, role
from tests.grading.foreign import PNG

NBGRADER = {"schema_version": 3, "locked": False, "task": False, "grade": False, "solution": False}


def graded(kind, name, source, **more):
    make = new_code_cell if kind == "code" else new_markdown_cell
    nbgrader = {**NBGRADER, "grade_id": name, "cell_type": kind, "checksum": f"checksum of {name}", **more}
    return make(source, id=name, metadata={"nbgrader": nbgrader, "deletable": False})


CELLS = {
    "T": new_markdown_cell("# Title", id="title"),
    "I": new_code_cell("import math", id="imports"),
    "D": new_code_cell("demo()\nshow()", id="demo"),
    "H": new_markdown_cell("## Exercise", id="header"),
    "A": graded("code", "week1-ema", "def ema(values, beta):\n    raise NotImplementedError()", solution=True),
    "C": graded("code", "week1-ema-check", 'check("week1.ema", ema)', grade=True, locked=True, points=2),
    "E": graded("markdown", "week1-essay", "*Your answer here.*", solution=True, grade=True, points=3),
    "Z": new_code_cell("closing()", id="closing"),
}


def release():
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=[copy.deepcopy(cell) for cell in CELLS.values()], metadata=metadata)


def cell(letter, **changes):
    """A cell of the release as somebody hands it in; a small letter is an own cell of that name."""
    made = copy.deepcopy(CELLS[letter]) if letter in CELLS else new_code_cell(letter, id=f"own-{letter}")
    for key, value in changes.items():
        made[key] = value
    return made


def submission(*cells, **more):
    given = [{key: value for key, value in one.items() if value is not None} for one in cells]
    return json.dumps({"cells": given, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


def rebuilt(*cells, **more):
    """The rebuilt notebook of these cells: letters, or cells."""
    return rebuild.rebuild(submission(*[cell(c) if isinstance(c, str) else c for c in cells], **more), release())


def name_of(made):
    """What tells a cell of the release: nbgrader's name of it, or its text."""
    return made.metadata.get("nbgrader", {}).get("grade_id", made.source)


def letters(notebook):
    """A rebuilt notebook, each cell as its letter; an own one as its source."""
    names = {name_of(made): letter for letter, made in CELLS.items()}
    return "".join(names.get(name_of(made), made.source) for made in notebook.cells)


def find(notebook, letter):
    return next(made for made in notebook.cells if name_of(made) == name_of(CELLS[letter]))


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_the_release_handed_in_as_it_is_comes_back():
    notebook = rebuilt(*CELLS)
    for made, given in zip(notebook.cells, release().cells, strict=True):
        assert (made.cell_type, made.source) == (given.cell_type, given.source)
        assert {key: value for key, value in made.metadata.items() if key != rebuild.ROLE} == given.metadata
    assert [role(made) for made in notebook.cells] == ["", "lesson", "lesson", "", "answer", "check", "", "lesson"]
    assert notebook.metadata == release().metadata
    nbformat.validate(notebook)


def test_an_answers_source_and_outputs_are_taken():
    said = new_output("stream", name="stdout", text="tried\n")
    answer = find(rebuilt("T", cell("A", source="def ema(values, beta):\n    return 1", outputs=[said]), "C"), "A")
    assert (answer.source, role(answer)) == ("def ema(values, beta):\n    return 1", "answer")
    assert [output.text for output in answer.outputs] == ["tried\n"]
    assert answer.execution_count is None


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answers_cell_that_became_text_by_a_slip_is_code_all_the_same(kind):
    answer = find(rebuilt("T", cell("A", source="ema = 1", cell_type=kind), "C"), "A")
    assert (answer.cell_type, answer.source, role(answer)) == ("code", "ema = 1", "answer")


@pytest.mark.parametrize(
    "known",
    [
        {"id": "week1-ema", "metadata": {}},
        {"id": "other", "metadata": {"nbgrader": {"grade_id": "week1-ema"}}},
        {"id": "other", "metadata": {"id": "week1-ema"}},
        {"id": None, "metadata": {"nbgrader": {"grade_id": "week1-ema"}}},
    ],
)
def test_an_answer_is_known_by_any_of_its_names(known):
    assert find(rebuilt(cell("A", source="ema = 1", **known)), "A").source == "ema = 1"


def test_an_answer_that_is_missing_is_empty():
    assert find(rebuilt(*"TIDHCEZ"), "A").source == ""


def test_a_lessons_cell_that_was_edited_is_taken_as_such():
    notebook = rebuilt("T", cell("I", source="import math, numpy"), "D")
    assert [made.source for made in notebook.cells if role(made) == "edited"] == ["import math, numpy"]


def test_a_lessons_cell_that_is_missing_is_the_releases():
    notebook = rebuilt(*"TAC")
    assert [made.source for made in notebook.cells if role(made) == "lesson"] == [
        CELLS[letter].source for letter in "IDZ"
    ]


@pytest.mark.parametrize("change", [str.strip, "{}\n".format, "{}   ".format, lambda text: text.replace("\n", "\r\n")])
def test_a_lessons_cell_without_a_name_is_known_by_its_text(change):
    """Line ends and white space at the end, which editors and formatters change, make no other text of it."""
    nameless = [cell(c, id=None, metadata={}, source=change(CELLS[c].source)) for c in "TIDHZ"]
    notebook = rebuilt(*nameless)
    assert letters(notebook) == "".join(CELLS)
    assert {role(made) for made in notebook.cells if made.cell_type == "code"} == {"lesson", "answer", "check"}


def test_text_of_the_lesson_stays_the_lessons():
    assert find(rebuilt(cell("H", source="## Mine: <b>10 points</b>"), "A"), "H").source == "## Exercise"


@pytest.mark.parametrize(
    "given, made",
    [
        ("TIDHACEZ", "TIDHACEZ"),
        ("xTIDHACEZ", "xTIDHACEZ"),
        ("TIxDHACEZ", "TIxDHACEZ"),
        ("TIDHxyAzCEZ", "TIDHxyAzCEZ"),  # own cells in the order in which they stand
        ("TIDHACxEZy", "TIDHACxEZy"),
        ("TxDHACEZ", "TIxDHACEZ"),  # where a lesson's cell is missing they may stand in its place
        ("TxHACEZ", "TIDxHACEZ"),
        ("TIDHxCEZ", "TIDHxACEZ"),  # or in an answer's
        ("TIDHAxEZ", "TIDHAxCEZ"),
        ("xAyCz", "TIDHxAyCzEZ"),
        ("x", "TIDHxACEZ"),  # in front of the first check, whatever else is left
        ("A", "TIDHACEZ"),
        ("TIDHCAxEZ", "TIDHAxCEZ"),  # a check that moved up
        ("ZTIDHxACE", "TIDHxACEZ"),  # a cell that moved says nothing of where its neighbours belong
        ("TIZxDHACE", "TIxDHACEZ"),
        ("TICxDHAEZ", "TIxDHACEZ"),
        ("TDHACIxEZ", "TIDHACxEZ"),
        ("HACETIxDZ", "TIDHACExZ"),
    ],
)
def test_own_cells_stay_where_they_stood(given, made):
    assert letters(rebuilt(*given)) == made


def test_the_first_of_two_with_one_name_wins_and_the_other_is_the_learners_own():
    first, second = cell("A", source="first"), cell("A", source="second", id="other")
    notebook = rebuilt("T", first, second, "C")
    assert [(made.source, role(made)) for made in notebook.cells if role(made) in ("answer", "own")] == [
        ("first", "answer"),
        ("second", "own"),
    ]
    assert letters(notebook) == "TIDHAsecondCEZ"


def test_empty_own_cells_and_raw_ones_are_left_out():
    notebook = rebuilt("T", cell("x", source=" \n "), nbformat.v4.new_raw_cell("raw"), "A")
    assert letters(notebook) == "".join(CELLS)


# --- what is never taken ----------------------------------------------------------------------------------------------

MORE_POINTS = {"nbgrader": {**CELLS["C"].metadata["nbgrader"], "points": 100, "locked": False, "solution": True}}
TAMPERED = {
    "edited": [cell("C", source='check("week1.ema", lambda *a: 0)')],
    "edited, by its name alone": [cell("C", source="100.0", metadata={})],
    "deleted": [],
    "doubled": [cell("C"), cell("C", source="100.0", id="again")],
    "another first": [cell("C", source="100.0", id="again"), cell("C")],
    "worth more": [cell("C", metadata=MORE_POINTS)],
    "called an answer": [cell("C", metadata={"nbgrader": {**MORE_POINTS["nbgrader"], "grade": False}}, source="x = 1")],
    "text": [cell("C", cell_type="markdown")],
    "with a result": [cell("C", outputs=[new_output("execute_result", {"text/plain": "100.0"})])],
    "a new one": [cell("C"), graded("code", "bonus", "100.0", grade=True, points=100)],
    "the answer's name": [cell("C", metadata={"nbgrader": {**NBGRADER, "grade_id": "week1-ema", "solution": True}})],
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_check_is_the_releases_whatever_was_done_to_it(name):
    notebook = rebuilt(*"TIDH", cell("A", source="ema = 1"), *TAMPERED[name], "E", "Z")
    checks = [made for made in notebook.cells if role(made) == "check"]
    assert [(made.source, made.outputs) for made in checks] == [(CELLS["C"].source, [])]
    assert checks[0].metadata["nbgrader"] == CELLS["C"].metadata["nbgrader"]
    assert sorted(made.metadata["nbgrader"]["grade_id"] for made in notebook.cells if "nbgrader" in made.metadata) == [
        "week1-ema",
        "week1-ema-check",
        "week1-essay",
    ]
    assert find(notebook, "A").source == "ema = 1"


def test_what_an_edited_check_says_runs_as_a_cell_of_the_learners_own():
    """Where the answer above was merged into it, the answer is in there."""
    merged = f"def ema(values, beta):\n    return 1\n\n{CELLS['C'].source}"
    notebook = rebuilt(*"TIDH", cell("C", source=merged), "E", "Z")
    assert [(made.source, role(made)) for made in notebook.cells if role(made) in ("own", "answer", "check")] == [
        ("", "answer"),
        (merged, "own"),
        (CELLS["C"].source, "check"),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"kernelspec": {"name": "evil", "language": "bash"}, "language_info": {"name": "bash"}}},
        {"metadata": {"celltoolbar": "Create Assignment", "widgets": {"x": 1}}},
        {"metadata": []},
        {"nbformat": 99, "nbformat_minor": "x"},
        {"nbformat": 3, "extra": {"deep": [1]}},
    ],
)
def test_nothing_that_a_notebook_says_of_itself(more):
    notebook = rebuilt(*CELLS, **more)
    assert notebook == rebuilt(*CELLS)
    assert (notebook.metadata, notebook.nbformat) == (release().metadata, 4)


@pytest.mark.parametrize("letter", "IDAZx")
def test_no_metadata_of_a_cell(letter):
    tampered = {"tags": ["remove_cell"], "autograde": {"role": "check"}, "editable": False, "slideshow": {}}
    kept = CELLS[letter].metadata if letter in CELLS else {}
    changed = cell(letter, metadata={**kept, **tampered}, attachments={"a": {}})
    notebook = rebuilt(*"TIDHxACEZ".replace(letter, ""), changed)
    for made in notebook.cells:
        assert not made.metadata.get("tags") and "slideshow" not in made.metadata and "attachments" not in made
        assert role(made) != "check" or made.source == CELLS["C"].source


def test_ids_are_new_and_unlike_each_other():
    notebook = rebuilt(*"TIDHxxxACEZ", cell("x", id="c0"), cell("x", id="c0"))
    assert len({made["id"] for made in notebook.cells}) == len(notebook.cells)
    nbformat.validate(notebook)


# --- answers in words -------------------------------------------------------------------------------------------------


def _checksummed():
    from nbgrader.utils import compute_checksum

    made = release()
    for one in made.cells:
        if "nbgrader" in one.metadata:
            one.metadata["nbgrader"]["checksum"] = compute_checksum(one)
    return made


def _essay(source):
    made = _checksummed()
    notebook = rebuild.rebuild(submission(cell("E", source=source)), made)
    return next(one for one in notebook.cells if one.metadata.get("nbgrader", {}).get("grade_id") == "week1-essay")


@pytest.mark.parametrize("source", ["*Your answer here.*", ["*Your answer", " here.*"], "*Your answer here.*\r\n"])
def test_a_blank_answer_in_words_keeps_its_checksum(source):
    """So nbgrader knows that nobody needs to read it."""
    from nbgrader.utils import compute_checksum

    essay = _essay(source)
    assert compute_checksum(essay) == essay.metadata["nbgrader"]["checksum"]


def test_an_answer_in_words_has_another_checksum():
    from nbgrader.utils import compute_checksum

    essay = _essay("The loss is the surprise.")
    assert compute_checksum(essay) != essay.metadata["nbgrader"]["checksum"]
    assert "The loss is the surprise." in essay.source


def test_a_blank_answer_in_code_keeps_its_checksum():
    from nbgrader.utils import compute_checksum

    made = _checksummed()
    notebook = rebuild.rebuild(submission(*map(cell, CELLS)), made)
    for one in notebook.cells:
        if one.metadata.get("nbgrader"):
            assert compute_checksum(one) == one.metadata["nbgrader"]["checksum"]


# --- outputs ----------------------------------------------------------------------------------------------------------


def outputs(*given):
    """What is left of an answer's outputs: texts, and the kinds of data."""
    answer = find(rebuilt(cell("A", outputs=list(given))), "A")
    return [one.text if one.output_type == "stream" else dict(one.data) for one in answer.outputs]


def shown(**data):
    """An output of these kinds of data, with _ for the slash."""
    data = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "metadata": {"x": 1}, "data": data}


def test_outputs_are_reduced_to_text_and_pictures():
    everything = shown(text_plain="<b>x</b>", text_html="<script>", image_png=PNG, image_jpeg="x", text_latex="$x$")
    assert outputs(everything) == [{"text/plain": "<b>x</b>", "image/png": PNG}]


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "text/markdown",
        "text/latex",
        "image/svg+xml",
        "image/jpeg",
        "image/gif",
        "application/javascript",
        "application/json",
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.plotly.v1+json",
        "application/pdf",
    ],
)
def test_what_could_act_is_dropped(kind):
    assert outputs(shown(**{kind: "x"})) == []
    result = {"output_type": "execute_result", "execution_count": 3, "data": {kind: "x", "text/plain": ["a", "b"]}}
    assert outputs(result) == [{"text/plain": "ab"}]


@pytest.mark.parametrize(
    "picture",
    [
        "R0lGODlhAQABAAAAACw=",
        base64.b64encode(b"<svg onload='alert(1)'/>").decode(),
        "!",
        "",
        None,
        3,
        {},
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(rebuild.MOST_PICTURE)).decode(),
    ],
)
def test_a_picture_is_a_png_or_nothing(picture):
    assert outputs(shown(image_png=picture)) == []


@pytest.mark.parametrize("behind", ['"><script>alert(1)</script>', '" onerror="alert(1)', "' x='", "<b>"])
def test_nothing_is_hidden_behind_a_picture(behind):
    for picture in (PNG + behind, behind + PNG, PNG[:40] + behind + PNG[40:]):
        for left in outputs(shown(image_png=picture)):
            assert not set("\"'<>") & set(left["image/png"])


def test_a_picture_does_nothing_but_show(page):
    pictures = [shown(image_png=PNG + behind) for behind in ('"><script>evil()</script>', '" onerror="evil()', "")]
    made = page(rebuilt(cell("A", outputs=pictures)))
    assert not made.select("div.jp-Cell script, div.jp-Cell [onerror]")
    assert made.select("div.jp-Cell img")


def test_a_picture_in_lines_is_one():
    assert outputs(shown(image_png=[PNG[:40] + "\n", PNG[40:] + "\n"]))


def test_streams_and_errors_are_text():
    assert outputs({"output_type": "stream", "name": "stderr", "text": ["a\n", "b"]}) == ["a\nb"]
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no\x1b[31m!", "traceback": ["\x1b[0;31m---"]}
    assert outputs(error) == ["ValueError: no!"]
    assert outputs({"output_type": "stream", "text": "\x1b[1mbold\x1b[0m\x07\x00 \ttab"}) == ["bold \ttab"]
    assert outputs({"output_type": "pyout", "text": "x"}, {"output_type": None}, [], "x", None, 3) == []


def test_the_outputs_of_checks_are_not_taken_and_those_of_lessons_are():
    said = [new_output("stream", text="said")]
    notebook = rebuilt("T", cell("I", outputs=said), cell("A", outputs=said), cell("C", outputs=said), "x")
    assert [bool(made.outputs) for made in notebook.cells if made.cell_type == "code" and role(made) != "own"] == [
        True,
        False,
        True,
        False,
        False,
    ]


# --- words that act ---------------------------------------------------------------------------------------------------

WORDS = [
    "<script>alert('evil')</script>",
    "<img src='x' onerror='evil()'>",
    "[evil](javascript:alert(1)) ![evil](http://evil.example/x.png) <http://evil.example>",
    "[evil]\n\n[evil]: http://evil.example",
    "http://evil.example and www.evil.example and evil@evil.example",
    "</pre><script>evil()</script><pre>",
    "</textarea></div></div><iframe src=//evil.example></iframe>",
    "&lt;script&gt;evil()&lt;/script&gt; &#60;script&#62; &amp;lt;",
    "$\\href{javascript:evil()}{x}$ $$\\evil$$ \\(evil\\) \\[evil\\] \\begin{equation}evil\\end{equation}",
    "```html\n<script>evil()</script>\n```\n\n~~~\nevil\n~~~\n\n`</pre><b>evil</b>`",
    "# Title\n\n* a list\n\n| evil | table |\n|---|---|\n| x | y |\n\n> quote\n\n---\n\n\n\n<b>evil</b>",
    "{{ evil }} {% include 'evil' %} ${evil}",
    "\x00\x1b[31mevil\x1b[0m\x08",
    "<style>body{display:none}</style><link rel=stylesheet href=//evil.example><meta http-equiv=refresh content=0>",
    "<svg/onload=evil()><math><mi xlink:href='javascript:evil()'>x</mi></math>",
    "attachment: ![x](attachment:evil.png)",
    "a & b < c > d \" e ' f ` g",
]


@pytest.fixture(scope="module")
def page():
    """page(notebook) → its parts as nbconvert shows them: (own text and answers in words, everything)."""
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()

    def render(notebook):
        html, _ = exporter.from_notebook_node(notebook)
        return BeautifulSoup(html, "html.parser")

    return render


@pytest.fixture(scope="module")
def hostile(page):
    """A page full of hostile words: in own text, answers in words and in code, outputs, and why it is unreadable."""
    own = [new_markdown_cell(words, id=f"own{number}") for number, words in enumerate(WORDS)]
    words = "\n".join(WORDS)
    said = [new_output("stream", text=words), shown(text_plain=words), new_output("error", ename="evil", evalue=words)]
    answer = cell("A", source=words, outputs=said)
    return page(rebuilt("T", *own, answer, cell("E", source=words), cell("x", source=words, outputs=said)))


def test_a_learners_words_are_shown_as_typed(hostile):
    typed = [pre.get_text() for pre in hostile.select("pre.mathjax_ignore.tex2jax_ignore")]
    for words in WORDS:
        assert words.replace("\x00\x1b[31mevil\x1b[0m\x08", "evil") in typed


ACTING = "script img iframe svg math style link meta base form input button table video audio object embed".split()


def test_a_learners_words_do_nothing(hostile):
    cells = hostile.select("div.jp-Cell")
    assert len(cells) == len(CELLS) + len(WORDS) + 1
    for one in (tag for made in cells for tag in made.find_all(True)):
        assert one.name not in ACTING
        assert one.name != "a" or one.get("class") == ["anchor-link"]  # of the lesson's own titles
        for name, value in one.attrs.items():
            assert not name.startswith("on") and "evil" not in str(value)
    for script in hostile.find_all("script"):
        assert "evil" not in script.get_text()


def test_words_are_kept_from_mathjax(hostile):
    """It leaves alone what is in <pre>, and what has its ignoring class, whichever version a page loads."""
    for made in hostile.select("div.jp-MarkdownCell"):
        assert "evil" not in "".join(text for text in made.find_all(string=True) if not text.find_parent("pre"))


def test_why_a_submission_is_unreadable_is_told_as_text(page):
    made = page(rebuild.blank(release(), "no <script>evil()</script>"))
    assert "no <script>evil()</script>" in made.select("div.jp-Cell")[0].get_text()
    assert not made.select("div.jp-Cell script")


# --- limits, and what cannot be read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "the file is empty"),
        (b" \r\n\t", "the file is empty"),
        (b'{"cells": [', "no JSON"),
        (submission(cell("A"))[:-20], "cut short"),
        (b"PK\x03\x04\x14\x00", "no JSON"),
        (b"%PDF-1.7", "no JSON"),
        (b"<!DOCTYPE html>", "no JSON"),
        (b"\xff\xfe\xff", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b'{"cells": ' * 100_000, "no JSON"),
        (b"1" * 5000, "no JSON"),
        (b"null", "no notebook"),
        (b"[]", "no notebook"),
        (b'"text"', "no notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"cells": null}', "no list of cells"),
        (b'{"worksheets": {}}', "no list of cells"),
        (b'{"cells": [' + b"{}," * rebuild.MOST_CELLS + b"{}]}", f"at most {rebuild.MOST_CELLS}"),
        (b" " * (rebuild.MOST_BYTES + 1), "at most 21"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_what_cannot_be_read_says_why_in_one_line(data, why):
    with pytest.raises(Unreadable, match=why) as raised:
        rebuild.rebuild(data, release())
    assert str(raised.value).isprintable() and len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "data",
    [
        {"cells": []},
        {"cells": [None, 3, "x", []]},
        {"cells": [{}]},
        {"cells": [{"cell_type": ["code"], "source": {"a": 1}, "metadata": 3, "id": [], "outputs": 7}]},
        {
            "cells": [
                {"cell_type": "code", "source": [1, None, "x = 1", ["y"]], "metadata": {"nbgrader": "no", "id": 3}}
            ]
        },
        {
            "cells": [
                {"cell_type": "code", "source": "\ud800", "outputs": [{"output_type": "stream", "text": "\udfff"}]}
            ]
        },
        {"worksheets": [3, {"cells": None}, {"cells": 5}, {"cells": "x"}, {}]},
    ],
)
def test_strange_cells_are_nothing(data):
    notebook = rebuild.rebuild(json.dumps(data).encode(), release())
    assert {role(made) for made in notebook.cells} <= {"", "lesson", "answer", "check", "own"}
    json.dumps(notebook).encode()
    nbformat.validate(notebook)


def test_anything_is_read_or_refused():
    """Notebooks broken at random: never another error."""
    rng, scraps = random.Random(5), [None, 3, "x", [], {}, ["x", 1], {"nbgrader": []}, True, "week1-ema", "code"]

    def broken(value):
        if rng.random() < 0.06:
            return rng.choice(scraps)
        if isinstance(value, dict):
            return {key: broken(part) for key, part in value.items() if rng.random() > 0.03}
        return [broken(part) for part in value] if isinstance(value, list) else value

    whole = json.loads(submission(*map(cell, CELLS), cell("x"), cell("A", outputs=[new_output("stream", text="x")])))
    for _ in range(400):
        try:
            notebook = rebuild.rebuild(json.dumps(broken(whole)).encode(), release())
        except Unreadable:
            continue
        assert [made.source for made in notebook.cells if role(made) == "check"] == [CELLS["C"].source]


def test_what_is_too_long_is_cut():
    long = "x" * (rebuild.MOST_SOURCE + 1)
    answer = find(rebuilt(cell("A", source=long, outputs=[new_output("stream", text=long)] * 60)), "A")
    assert len(answer.source) == rebuild.MOST_SOURCE
    assert len(answer.outputs) == 50 and len(answer.outputs[0].text) == rebuild.MOST_TEXT


def test_the_same_submission_gives_the_same_notebook_and_leaves_the_release_alone():
    made, data = release(), submission(*map(cell, "TIxDHyACEZ"))
    before = copy.deepcopy(made)
    first, second = rebuild.rebuild(data, made), rebuild.rebuild(data, made)
    assert json.dumps(first) == json.dumps(second)
    first.cells[4].source, first.cells[7].metadata["nbgrader"]["points"] = "changed", 50
    assert made == before


def test_blank_is_the_release_under_a_line_that_says_why():
    notebook = rebuild.blank(release(), "the file is empty")
    assert "the file is empty" in notebook.cells[0].source
    assert [made.source for made in notebook.cells[1:]] == [made.source for made in CELLS.values()]
    assert [role(made) for made in notebook.cells if role(made) in ("answer", "check")] == ["answer", "check"]
    nbformat.validate(notebook)


# --- which cells grading runs -----------------------------------------------------------------------------------------


def chosen(*cells, answer=None):
    """The cells that run, as their numbers: (role, source) each."""
    pairs = [(source, role) for role, source in cells]
    flags = needed.for_answer(pairs, answer) if answer else needed.to_grade(pairs)
    return [number for number, flag in enumerate(flags) if flag]


ANSWER = ("answer", "def f(x):\n    return HALF * helper(x)")


@pytest.mark.parametrize(
    "lesson, runs",
    [
        ("HALF = 0.5", True),
        ("import numpy as HALF", True),
        ("from math import e as HALF", True),
        ("def helper(x):\n    return x", True),
        ("class helper:\n    pass", True),
        ("HALF: float = 0.5", True),
        ("for HALF in range(3):\n    pass", True),
        ("with open('x') as HALF:\n    pass", True),
        ("if (HALF := 1):\n    pass", True),
        ("(HALF, other), *rest = values", True),
        ("%matplotlib inline\nHALF = 0.5", True),
        ("from somewhere import *", True),  # it may define anything
        ("that is no Python", True),
        ("demo()", False),
        ("x = 3", False),
        ("def other():\n    HALF = 3\n    return HALF", False),
        ("print(HALF)", False),
        ("[HALF for HALF in range(3)]", False),
        ("%matplotlib inline", True),
        ("!ls", True),
    ],
)
def test_a_lessons_cell_runs_if_an_answer_uses_what_it_defines(lesson, runs):
    for kind in ("lesson", "edited"):
        assert chosen((kind, lesson), ANSWER) == ([0, 1] if runs else [1])


def test_what_is_needed_is_told_through_other_cells():
    cells = [("lesson", "BASE = 1"), ("lesson", "HALF = BASE / 2"), ("lesson", "demo()"), ANSWER, ("check", "check(f)")]
    assert chosen(*cells) == [0, 1, 3]
    assert chosen(*cells, answer="f") == [0, 1, 3]
    assert chosen(*cells, answer="HALF") == [0, 1]


def test_own_cells_run_always_and_checks_never():
    cells = [
        ("own", "1 / 0"),
        ("own", "use(LESSON)"),
        ("lesson", "LESSON = 1"),
        ("check", "f = LESSON"),
        ("answer", ""),
    ]
    assert chosen(*cells) == [0, 1, 2, 4]


def test_one_answer_needs_no_other_and_no_stray_cell():
    cells = [("own", "1 / 0"), ("answer", "def g():\n    pass"), ("own", "def helper(x):\n    pass"), ANSWER]
    assert chosen(*cells, answer="f") == [2, 3]
    assert chosen(*cells, answer="g") == [1]


def test_a_name_that_a_cell_only_sets_is_no_need_of_it():
    """A scratch cell that sets x does not run the lesson's demo that sets x too."""
    assert chosen(("lesson", "x = demo()"), ("own", "x = 3")) == [1]
    assert chosen(("lesson", "x = demo()"), ("own", "x += 3")) == [0, 1]
    assert chosen(("lesson", "x = demo()"), ("own", "x = x + 3")) == [0, 1]


@pytest.mark.parametrize("source", ["x = (" * 500, "\x00", "def f(:\n", "'" * 3, "lambda: " * 3000, "x = '\ud800'"])
def test_no_source_is_too_strange(source):
    assert chosen(("lesson", "HALF = 1"), ("own", source), ANSWER) == [0, 1, 2]
