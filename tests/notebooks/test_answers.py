"""Wrong answers and odd right ones, each in a cell of one notebook, as Run All meets them."""

import subprocess
import sys
import time

import pytest

from tests.notebooks import run

RIGHT = "z = logits - logits.max(-1, keepdim=True).values\n    return z - z.exp().sum(-1, keepdim=True).log()"
HEAD = "def log_softmax(logits):\n    "

WRONG = {  # name: (the answer's cell, what the check says)
    "blank": (HEAD + "raise NotImplementedError", "Not answered yet"),
    "syntax error": (HEAD + "return logits -", "`log_softmax` is not defined"),
    "wrong type": (HEAD + "return 'loss'", "str"),
    "wrong shape": (HEAD + "return logits.sum()", "shape"),
    "NaN": (HEAD + "return logits * float('nan')", "nan instead of"),
    "mutated input": (
        HEAD
        + "logits -= logits.max(-1, keepdim=True).values\n    return logits - logits.exp().sum(-1, keepdim=True).log()",
        "changes its argument `logits`",
    ),
    "raises": (HEAD + "raise ValueError('no idea')", "no idea"),
    "exits": (HEAD + "raise SystemExit(3)", "SystemExit"),
}
ODD = {
    "float64": HEAD + "logits = logits.double()\n    " + RIGHT,
    "requires grad": HEAD + "logits = logits.clone().requires_grad_()\n    " + RIGHT,
    "prints and warns": "import sys, warnings\n"
    + HEAD
    + "print('hello'); print('oh', file=sys.stderr)\n    warnings.warn('beware')\n    "
    + RIGHT,
}
CHECK = 'check("week1.log_softmax", log_softmax)'


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Every answer, its check, and then the name taken away, so that no answer profits from the one before."""
    sources = ["import torch\nfrom autograde import check"]
    for answer in [cell for cell, _ in WRONG.values()] + list(ODD.values()):
        sources += [answer, CHECK, "globals().pop('log_softmax', None)\nprint('next')"]
    return run.execute(run.code(*sources, tags=["raises-exception"]), tmp_path_factory.mktemp("answers"))


def check_of(notebook, name):
    place = [*WRONG, *ODD].index(name)
    return notebook.cells[3 * place + 2]


def test_run_all_came_to_the_end(notebook):
    assert run.errors(notebook) == []
    assert all(cell.execution_count for cell in notebook.cells)
    assert [run.shown(cell) for cell in notebook.cells[3::3]] == ["next\n"] * (len(WRONG) + len(ODD))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_earns_nothing_and_is_told_why(notebook, name):
    cell = check_of(notebook, name)
    assert run.result(cell) == "0.0"
    said = run.shown(cell)
    assert WRONG[name][1] in said and "Traceback" not in said, said
    assert len(said.splitlines()[1]) < 300, "the reason is one line that can be read"


@pytest.mark.parametrize("name", ODD)
def test_an_odd_right_answer_earns_full_points(notebook, name):
    cell = check_of(notebook, name)
    assert "Right" in run.shown(cell) and float(run.result(cell)) > 0
    assert not [out for out in cell.outputs if out.output_type == "stream" and out.name == "stderr"], (
        "nbgrader fails stderr"
    )


def test_a_loop_without_an_end_is_stopped_and_said(tmp_path):
    """In a process of its own: were it not stopped, it would not end."""
    answer = HEAD + "while True: pass"
    code = f"from autograde import check\n{answer}\n\n\nprint({CHECK})\nprint('went on')"
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "a loop that never ends" in done.stdout and done.stdout.endswith("0.0\nwent on\n")
    assert time.monotonic() - start < 60
