"""The audit of every week is clean; and the audit can fail: each kind of weakness has its line."""

import json
import subprocess
import sys

import pytest
import torch

from autograde import audit, oracle
from autograde.exercise import Case, Exercise, Misconception, find, of_week, weeks
from autograde.mutants import mutants

IDS = [exercise.id for week in weeks() for exercise in of_week(week)]


@pytest.mark.parametrize("week", weeks())
def test_a_week_is_clean(repository, tmp_path, week):
    command = [sys.executable, "-m", "autograde", "audit", "--week", week, "--seeds", "2"]
    command += ["--json", str(tmp_path / "audit.json")]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=2400)
    assert done.returncode == 0, done.stdout + done.stderr
    reports = json.loads((tmp_path / "audit.json").read_text())
    assert [report["id"] for report in reports] == [exercise.id for exercise in of_week(week)]
    for report in reports:
        assert report["failures"] == []
        assert report["right"] >= 2 and report["misconceptions"] >= 3 and report["wrong"] >= 2
        assert report["mutants"] >= 2 or find(report["id"]).is_report
    telling = sum(report["mutants"] - report["crashed"] - len(report["equivalent"]) for report in reports)
    assert telling > 4 * len(reports)  # mutants that give a wrong result, not just an error


# --- an exercise of our own, whose audit is clean until something is taken from it ------------------------------------


def good_cases(rng):
    for n in (3, 5):
        yield Case(f"{n} numbers", {"x": torch.randn(n, generator=rng)})
    yield Case("zeros", {"x": torch.zeros(2)}, edge=True)


def make(cases=good_cases, misconceptions=(), **changes):
    standard = (
        Misconception("tripled", lambda x: x * 3, "One too many."),
        Misconception("squared", lambda x: x * x, "Times itself is not twice."),
        Misconception("unchanged", lambda x: x, "Nothing happened."),
    )
    words = dict(title="Double", points=1, minutes=1, why="", oracle="arithmetic")
    what = dict(expected=lambda inputs: 2 * inputs["x"], misconceptions=misconceptions or standard)
    return Exercise(id="week98.double", cases=cases, **(words | what | changes))


REFERENCE = "def double(x):\n    return x * 2\n"

BANK = """
from autograde.audit import right, wrong

@right("week98.double")
def added_to_itself(x):
    return x + x

@right("week98.double")
def by_list(x):
    return [2 * value for value in x.tolist()]

@wrong("week98.double", "squared")
def power(x):
    return x**2
"""


@pytest.fixture
def audited(monkeypatch, tmp_path, capsys):
    """audited(exercise) → (exit status, what the command prints)."""

    def run(exercise, bank=BANK, reference=REFERENCE, arguments=("--seeds", "2", "--jobs", "1")):
        (tmp_path / "week98.py").write_text(bank)
        monkeypatch.setattr(audit, "weeks", lambda: ["week98"])
        monkeypatch.setattr(audit, "of_week", lambda week: (exercise,))
        monkeypatch.setattr(audit, "find", lambda exercise_id: exercise)
        monkeypatch.setattr(audit, "references", lambda: {exercise.id: reference} if reference else {})
        monkeypatch.setattr(audit, "bank_folder", lambda: tmp_path)
        status = audit.main(list(arguments))
        written = capsys.readouterr()
        return status, written.out + written.err

    return run


def test_a_good_exercise_is_clean(audited):
    status, text = audited(make())
    assert status == 0, text
    assert "Failures" not in text and "clean" in text


def test_cases_that_miss_a_misconception(audited):
    def only_twos(rng):
        yield Case("twos", {"x": torch.full((3,), 2.0)})

    status, text = audited(make(only_twos))
    assert status == 1
    assert "a wrong answer passes: misconception 'squared' gets full points on seed 0" in text
    assert "a wrong answer passes: the wrong answer 'power' gets full points on seed 0" in text


def test_cases_that_miss_a_mutant(audited):
    def nearly_always_positive(rng):
        sign = 1.0 if rng.initial_seed() < 1000 else -1.0  # what the audited seeds never show
        yield Case("numbers", {"x": torch.rand(4, generator=rng).add(0.1) * sign})

    exercise = make(nearly_always_positive)
    status, text = audited(exercise, reference="def double(x):\n    return abs(x) * 2 if x.sum() > 0 else x * 2\n")
    assert status == 1
    assert "a wrong answer passes: the mutant 'line 2: if x.sum() > 0 → if True' gets full points on seed 0" in text


def test_a_mutant_that_means_the_same_is_no_failure(audited):
    status, text = audited(make(), reference="def double(x):\n    return x * 2 if len(x) > 0 else x + x\n")
    assert status == 0, text
    assert "Mutants that mean the same as the reference" in text and "if len(x) > 0 → if True" in text


def test_two_misconceptions_in_disguise(audited):
    same = Misconception("added twice", lambda x: x + x + x, "Count the terms.")
    status, text = audited(make(misconceptions=(*make().misconceptions, same)))
    assert status == 1
    assert "misconceptions 'added twice' and 'tripled' are the same in disguise" in text


def test_an_answer_that_is_another_under_other_names(audited):
    again = '\n@right("week98.double")\ndef plus_itself(number):\n    "With words."\n    return number + number\n'
    status, text = audited(make(), bank=BANK + again)
    assert status == 1
    assert "'added to itself' and bank answer 'plus itself' are the same in disguise" in text


def test_a_wrong_answer_that_is_right_in_disguise(audited):
    status, text = audited(make(), bank=BANK + '\n@wrong("week98.double")\ndef halved_half(x):\n    return x / 0.5\n')
    assert status == 1
    assert "a wrong answer passes: the wrong answer 'halved half' gets full points on seed 0" in text


def test_a_right_answer_that_is_rejected(audited):
    status, text = audited(make(library=("aten.add",)))
    assert status == 1
    assert "a right answer fails: the alternative solution 'added to itself' gets 0.00 on seed 0" in text


def test_a_hint_that_does_not_fit(audited):
    status, text = audited(make(), bank=BANK.replace('"squared")', '"tripled")'))
    assert status == 1
    assert "the wrong answer 'power' gets the wrong hint on seed 0: 'squared'" in text


def test_a_constant_that_earns_points(audited):
    def no_edge(rng):
        for case in good_cases(rng):
            yield Case(case.name, case.inputs)

    status, text = audited(make(no_edge, misconceptions=make().misconceptions[:1] * 3))
    assert status == 1
    assert "an answer that returns its first argument scores 0.33 on seed 0, not 0" in text


@pytest.mark.parametrize(
    "bank, line",
    [
        ("", "0 alternative solutions in its bank, at least 2 are needed"),
        (BANK.replace('"squared")', '"cubed")'), "names the misconception 'cubed', which the exercise does not have"),
        (
            BANK + '\n@right("week98.duoble")\ndef f(x):\n    return 2 * x\n',
            "answers week98.duoble, which does not exist",
        ),
    ],
)
def test_a_bank_with_a_gap_or_a_slip(audited, bank, line):
    status, text = audited(make(), bank=bank)
    assert status == 1 and line in text


def test_an_exercise_without_a_reference(audited):
    status, text = audited(make(), reference=None)
    assert status == 1 and "week98.double: there is no reference solution" in text


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["--week", "week77"], "there is no week77"),
        (["--exercise", "week98.duoble"], "there is no week98.duoble"),
        (["--seeds", "0"], "no exercise or no seed is selected"),
    ],
)
def test_nothing_audited_is_no_success(audited, arguments, reason):
    status, text = audited(make(), arguments=arguments)
    assert status == 2 and "Nothing was audited" in text and reason in text


# --- its parts --------------------------------------------------------------------------------------------------------


def test_mutants_change_one_thing_each():
    source = '''
def f(x, n=1):
    """Says 1 + 1."""
    if not n > 0:
        x = x[1:]
    return x.mean(dim=-1, keepdim=True) + n
'''
    changed = [text for _, text in mutants(source, "f")]
    assert len(changed) == len(set(changed))
    for piece in (
        "if n > 0",
        "n >= 0",
        "if True",
        "x[0:]",
        "x[:]",
        "x.sum(dim=-1, keepdim=True)",
        "x.mean(dim=-1) + n",
        "x.mean(keepdim=True)",
        "keepdim=True) - n",
        "dim=-0",
        "pass",
    ):
        assert any(piece in text for text in changed), piece
    assert not any("Says" in text for text in changed)


def test_a_list_has_its_neighbours_swapped():
    texts = [text for _, text in mutants('def f():\n    return ["a", "b", "c"]\n', "f")]
    assert [text.split("return ")[1] for text in texts] == ["['b', 'a', 'c']", "['a', 'c', 'b']"]


def test_a_call_with_keywords_has_its_arguments_swapped_and_its_keywords_left_out():
    texts = [text for _, text in mutants("def f(a, b):\n    return sub(a, b, alpha=2)\n", "f")]
    assert sum("sub(b, a, alpha=2)" in text for text in texts) == 1
    assert sum("sub(a, b)" in text for text in texts) == 1


@pytest.mark.parametrize("exercise_id", IDS)
def test_replies_cross_a_wire_unchanged(exercise_id):
    exercise = find(exercise_id)
    for answer in [m.answer for m in exercise.misconceptions] + [lambda *args: float("nan"), lambda *args: None]:
        replies = oracle.ask(exercise, answer, seed=1)
        text = json.dumps(replies)
        back = json.loads(text)
        assert json.dumps(back) == text
        assert oracle.judge(exercise, 1, back) == oracle.judge(exercise, 1, replies)


@pytest.mark.parametrize("exercise_id", IDS)
def test_other_seeds_draw_other_cases_and_the_same_seed_the_same(exercise_id):
    exercise = find(exercise_id)

    def messages(seed):
        return json.dumps([question.message for question in oracle.questions.__wrapped__(exercise, seed)])

    assert messages(3) == messages(3)
    assert len({messages(seed) for seed in range(6)}) > 1


@pytest.mark.parametrize("exercise_id", IDS)
def test_hints_lead_and_are_complete(exercise_id):
    for misconception in find(exercise_id).misconceptions:
        verdict = oracle.run(exercise_id, misconception.answer, seed=2)
        assert "{" not in verdict.hint and len(verdict.hint) > 30, verdict.hint
