"""The pages that learners get from nbgrader's own commands after our grading: hints, and nothing that could harm."""

import csv
import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest

from autograde import grade as command
from autograde import report
from tests.grading import classes
from tests.grading.classes import FULL, LOSS, RIGHT, SOFTMAX, WRONG
from tests.grading.small import WEEK

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
LEAK = "'LE' + 'AK '"  # so that the mark of an answer's words is nowhere in its source
TELLS = {
    "prints": f"print({LEAK} + repr(args))\n    return 0",
    "raises": f"raise ValueError({LEAK} + repr(args))",
    "names-its-error": f"raise type({LEAK} + repr(args), (Exception,), {{}})('x')",
    "returns": f"return {LEAK} + repr(args)",
    "warns": f"__import__('warnings').warn({LEAK} + repr(args))\n    return 0",
    "writes": f"__import__('sys').stderr.write({LEAK} + repr(args))\n    return 0",
    "displays": f"__import__('IPython').display.display({LEAK} + repr(args))\n    return 0",
    "documents": f"{{name}}.__doc__ = {LEAK} + repr(args)\n    return 0",
    "logs": f"__import__('logging').error({LEAK} + repr(args))\n    return 0",
    "shapes-it": f"torch.zeros(3).view({LEAK} + repr(args))",
}
SCRIPT = '<script>HARM()</script><img src=x onerror="HARM()"><a href="javascript:HARM()">x</a></pre><iframe src="HARM">'


def tells(body):
    """An answer to each exercise that lets out what it was asked."""
    names = {"week1-log_softmax": "log_softmax", "week1-initial_loss": "initial_loss"}
    return {cell: f"def {name}(*args):\n    {body.replace('{name}', name)}\n" for cell, name in names.items()}


def with_scripts(classroom):
    """Scripts wherever a notebook holds text: sources, outputs of every kind, names, metadata."""
    notebook = classes.submission(classroom, {"week1-initial_loss": f"# {SCRIPT}\nprint('''{SCRIPT}''')\n{SCRIPT}"})
    for cell in notebook.cells:
        cell.metadata["tags"] = [SCRIPT]
        if cell.cell_type == "code":
            shown = {"text/html": SCRIPT, "text/plain": SCRIPT, "image/svg+xml": f"<svg>{SCRIPT}</svg>"}
            shown |= {"application/javascript": "HARM()", "text/markdown": SCRIPT, "text/latex": SCRIPT}
            cell.outputs = [
                nbformat.v4.new_output("display_data", shown, metadata={"x": SCRIPT}),
                nbformat.v4.new_output("stream", text=SCRIPT),
                nbformat.v4.new_output("error", ename=SCRIPT, evalue=SCRIPT, traceback=[SCRIPT]),
            ]
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(SCRIPT))
    notebook.cells.insert(1, nbformat.v4.new_raw_cell(SCRIPT))
    notebook.metadata["title"] = SCRIPT
    return nbformat.writes(notebook).encode()


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """A class graded by us, with feedback and an export by nbgrader."""
    submissions = {"right": RIGHT, "wrong": WRONG, "cut": b"{"} | {name: tells(body) for name, body in TELLS.items()}
    classroom = released.copy(tmp_path_factory.mktemp("feedback") / "class", submissions)
    classes.hand_in(classroom, "scripts", with_scripts(classroom))
    status, _, error = classes.run_main(command.main, classroom.submitted, "--folder", classroom.folder, "--jobs", 2)
    assert status == 3 and error.count("\n") == 1, error
    for words in (["generate_feedback", WEEK], ["export"]):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=classroom.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    return classroom


def page(classroom, student):
    return (classroom.path("feedback", student, WEEK) / "small.html").read_text(encoding="utf-8")


def test_every_learner_has_a_page_with_the_score(graded):
    scores = {"right": "Score: 3.0 / 3.0", "wrong": "Score: 0.0 / 3.0", "cut": "Score: 0.0 / 3.0"}
    for student, score in scores.items():
        assert score in page(graded, student)
    assert "could not be read" in page(graded, "cut")


def test_a_mistake_finds_its_hint(graded):
    for key in (SOFTMAX, LOSS):
        hint = classes.checks(graded, "wrong")[key]["hint"]
        assert len(hint) > 30 and hint in html.unescape(page(graded, "wrong"))


@pytest.mark.parametrize("student", TELLS)
def test_no_page_tells_what_an_answer_was_asked(graded, student):
    verdicts = classes.checks(graded, student).values()
    assert all(verdict["status"] == "wrong" for verdict in verdicts), "it was asked, and had the chance"
    assert student != "raises" or any("LEAK" in verdict["told"] for verdict in verdicts), "the instructor may see it"
    for path in [*graded.folder.glob(f"feedback/{student}/*/*"), *graded.folder.glob(f"autograded/{student}/*/*")]:
        assert "LEAK" not in path.read_text(encoding="utf-8"), path
    learners = [text for name, text in report.of_class(graded).items() if name == f"learners/{student}.html"]
    assert len(learners) == 1 and "LEAK" not in learners[0]


class Tags(HTMLParser):
    """What a browser would act on: the text of scripts, and each tag with its attributes."""

    def __init__(self):
        super().__init__()
        self.found, self._in_script = [], False

    def handle_starttag(self, tag, attributes):
        self._in_script = tag == "script"
        self.found.append(f"{tag} {json.dumps(attributes)}")

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if self._in_script:
            self.found.append(data)


def test_no_page_runs_what_a_learner_wrote(graded):
    text = page(graded, "scripts")
    assert "HARM" in text, "their words are shown"
    tags = Tags()
    tags.feed(text)
    assert len(tags.found) > 50 and not [found for found in tags.found if "HARM" in found]
    autograded = (graded.path("autograded", "scripts", WEEK) / "small.ipynb").read_text()
    kinds = {
        kind
        for cell in json.loads(autograded)["cells"]
        for one in cell.get("outputs", ())
        for kind in one.get("data", ())
    }
    assert kinds <= {"text/plain", "text/html", "image/png"}
    theirs = [cell for cell in json.loads(autograded)["cells"] if "grade_id" not in json.dumps(cell["metadata"])]
    assert not [one for cell in theirs for one in cell.get("outputs", ()) if "text/html" in one.get("data", {})]


def test_the_export_has_every_learners_points(graded):
    with open(graded.folder / "grades.csv", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"right", "wrong", "cut", "scripts", *TELLS}
    scores = {student: float(row["score"]) for student, row in rows.items()}
    assert scores == {student: sum(FULL.values()) * (student == "right") for student in rows}
    assert {row["max_score"] for row in rows.values()} == {"3.0"}


def test_the_seeds_are_on_no_page(graded):
    numbers = re.compile("|".join(map(str, graded.seeds(WEEK).values())))
    for path in [*graded.folder.glob("feedback/**/*.html"), *graded.folder.glob("autograded/**/*.ipynb")]:
        assert not numbers.search(path.read_text(encoding="utf-8")), path
