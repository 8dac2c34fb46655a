"""`check` as a notebook meets it: one result in html and text, a float for nbgrader, and never an exception."""

import html
import re
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from autograde import notebook, oracle
from tests.autograde.test_oracle import blank, noisy, right


@pytest.fixture
def shell(grade, mean_exercise, monkeypatch):
    """An IPython shell whose `check` knows the small exercise."""
    monkeypatch.setattr(notebook, "find", lambda exercise_id: mean_exercise)
    shell = InteractiveShell.instance()
    monkeypatch.setattr(shell, "ast_transformers", [notebook._LateTarget()])
    shell.push({"check": notebook.check, "right": right, "blank": blank, "noisy": noisy})
    yield shell
    InteractiveShell.clear_instance()


def run_cell(shell, source):
    """→ (the cell's result, its one output as {mime type: text})."""
    with capture_output() as captured:
        result = shell.run_cell(source)
    assert (captured.stderr, len(captured.outputs)) == ("", 1)
    return result, captured.outputs[0].data


def test_the_cell_returns_the_points_as_a_float_for_nbgrader(shell):
    result, _ = run_cell(shell, 'check("week1.mean_rows", right)')
    assert result.success and type(result.result) is float and result.result == 2.0


def test_html_and_text_say_the_same_words(shell):
    _, shown = run_cell(shell, 'check("week1.mean_rows", lambda x: x.sum(0))')
    words = re.sub(r"<summary.*?</summary>|<[^>]+>", " ", shown["text/html"])
    assert html.unescape(words).split() == shown["text/plain"].split()
    assert "Not yet: Mean of rows (week1.mean_rows), 0 of 2 points" in shown["text/plain"]
    assert "A sum grows with the number of rows." in shown["text/plain"]


def test_inputs_come_before_got_and_got_before_expected(shell):
    _, shown = run_cell(shell, 'check("week1.mean_rows", lambda x: x.sum(0))')
    order = [shown["text/plain"].index(word) for word in ("x = [[", "got      [", "expected [")]
    assert order == sorted(order)


def test_a_status_is_told_by_word_and_mark_and_not_by_colour_alone(shell):
    answers = {
        "✓ Right": "right",
        "○ Not answered yet": "blank",
        "✗ Not yet": "lambda x: 0",
        "◐ Partly right": "partly",
    }
    shell.push({"partly": lambda x: right(x) * (2 if x.shape[1] == 5 else 1)})
    for words, answer in answers.items():
        assert run_cell(shell, f'check("week1.mean_rows", {answer})')[1]["text/plain"].startswith(words)


def test_what_an_answer_returns_is_shown_escaped(shell):
    _, shown = run_cell(shell, 'check("week1.mean_rows", lambda x: "<script>alert(1)</script>")')
    assert "<script>" not in shown["text/html"] and "&lt;script&gt;" in shown["text/html"]


def test_a_name_that_no_cell_defined_costs_its_points_and_nothing_else(shell):
    result, shown = run_cell(shell, 'check("week1.mean_rows", mean_rows)')
    assert result.success and result.result == 0.0
    assert "`mean_rows` is not defined: run the cell above" in shown["text/plain"]


def test_prints_and_warnings_of_an_answer_reach_no_stream(shell):
    result, shown = run_cell(shell, 'check("week1.mean_rows", noisy)')
    assert result.result == 2.0 and "Your answer printed:\nthinking" in shown["text/plain"]


def test_what_is_no_function_is_one_clear_line(shell):
    result, shown = run_cell(shell, 'check("week1.mean_rows", 3)')
    assert result.result == 0.0 and "mean_rows is an int, not a function" in shown["text/plain"]


def test_a_fault_of_our_own_is_said_in_full_and_does_not_stop_the_notebook(shell, monkeypatch):
    monkeypatch.setattr(oracle, "compare", lambda *args: 1 / 0)
    result, shown = run_cell(shell, 'check("week1.mean_rows", right)')
    assert result.success and result.result == 0.0
    assert "this is not your mistake" in shown["text/plain"] and "ZeroDivisionError" in shown["text/plain"]


def test_an_interrupt_by_the_learner_stays_an_interrupt(shell):
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        notebook.check("week1.mean_rows", interrupted)


def test_an_unknown_id_lists_the_near_ones(capsys):
    assert notebook.check("week1.log_softmx", right) == 0.0
    shown = capsys.readouterr().out
    assert "There is no exercise 'week1.log_softmx': did you mean week1.log_softmax" in shown


def test_an_id_of_no_week_lists_the_weeks(capsys):
    assert notebook.check(None, right) == 0.0
    assert re.search(r"There is no exercise None: the weeks here are week0, week1", capsys.readouterr().out)


def test_the_package_imports_nothing_heavy():
    code = "import autograde, sys; print([m for m in ('torch', 'numpy', 'IPython', 'nbgrader') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_check_is_the_function_however_it_is_imported():
    code = "import autograde.notebook; from autograde import check, run; print(callable(check), callable(run))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "True True"
