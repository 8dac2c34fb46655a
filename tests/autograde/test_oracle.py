"""What earns points, what does not, and which hint a wrong answer gets."""

import dataclasses
import json
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from autograde import oracle
from autograde.exercise import Exercise


def right(x):
    return x.sum(0) / len(x) if len(x) else torch.full(x.shape[1:], float("nan"))


def in_float64(x):
    return right(x.double())


def with_grad(x):
    return right(x).requires_grad_()


def by_numpy(x):
    with np.errstate(all="ignore"):
        return x.numpy().sum(0) / np.float32(len(x))


def as_a_list(x):
    return right(x).tolist()


def in_place_on_a_copy(x):
    total = torch.zeros(x.shape[1])
    for row in x:
        total += row
    return total.div_(len(x)) if len(x) else total.fill_(float("nan"))


def noisy(x):
    print("thinking")
    warnings.warn("are you sure?", stacklevel=1)
    return right(x)


@pytest.mark.parametrize("answer", [right, in_float64, with_grad, by_numpy, as_a_list, in_place_on_a_copy, noisy])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_right_answer_earns_all_points_in_any_style(grade, answer, seed):
    verdict = grade(answer, seed)
    assert (verdict.score, verdict.status, verdict.hint) == (1.0, "right", ""), verdict


def blank(x):
    raise NotImplementedError()


def changes_its_input(x):
    x -= 1
    return right(x) + 1


def leaves(x):
    raise SystemExit(0)


def looks_up_nothing(x):
    return undefined_name  # noqa: F821


class Liar(torch.Tensor):
    """Says that it equals everything."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True if func is torch.Tensor.__eq__ else super().__torch_function__(func, types, args, kwargs or {})


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (blank, "Not answered yet."),
        (lambda x: None, "returned None, expected a (3,) tensor of float32: is a `return` missing?"),
        (lambda x: "a mean", "returned a str, expected a (3,) tensor of float32"),
        (lambda x: object(), "the answer returned something of type object, which cannot be compared"),
        (lambda x: right(x)[None], "shape (1, 3), expected (3,)"),
        (lambda x: right(x) * float("nan"), "nan instead of"),
        (lambda x: right(x) > 0, "bool values (bool), expected real values"),
        (lambda x: right(x).as_subclass(Liar) + 1, "3 of 3 values differ"),
        (lambda x: x.mean(0), "torch's own mean does this exercise for you"),
        (lambda x: torch.ops.aten.mean.dim(x, [0]), "torch's own mean does this exercise for you"),
        (changes_its_input, "The answer changes its argument `x` in place."),
        (leaves, "SystemExit"),
        (looks_up_nothing, "NameError: name 'undefined_name' is not defined"),
        (lambda: 0, "takes 0 positional arguments but 1 was given"),
    ],
)
def test_a_wrong_answer_earns_nothing_and_is_told_why_in_one_line(grade, answer, line):
    verdict = grade(answer)
    assert verdict.score == 0
    assert line in verdict.hint, verdict.hint
    assert "\n" not in verdict.hint


def test_an_endless_loop_is_stopped_even_where_it_swallows_every_exception(grade, mean_exercise, monkeypatch):
    hasty = dataclasses.replace(mean_exercise, seconds=0.3)
    monkeypatch.setattr(oracle, "find", lambda exercise_id: hasty)

    def stubborn(x):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    verdict = oracle.run("week1.mean_rows", stubborn)
    assert verdict.score == 0 and "stopped after 0.3 s: is there a loop that never ends?" in verdict.hint
    assert oracle.run("week1.mean_rows", right).score == 1  # and the next answer is graded as ever


def test_an_endless_loop_is_stopped_in_a_side_thread_too(grade, mean_exercise, monkeypatch):
    monkeypatch.setattr(oracle, "find", lambda exercise_id: dataclasses.replace(mean_exercise, seconds=0.3))
    verdicts = []

    def loops(x):
        while True:
            pass

    thread = threading.Thread(target=lambda: verdicts.append(oracle.run("week1.mean_rows", loops)))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert "stopped after 0.3 s" in verdicts[0].hint


def test_a_known_mistake_gets_its_own_hint_and_no_points(grade):
    verdict = grade(lambda x: sum(list(x), torch.zeros(x.shape[1])))
    assert (verdict.misconception, verdict.score) == ("sums", 0.0)
    assert verdict.hint == "A sum grows with the number of rows."


def test_a_hint_can_show_what_was_got(grade):
    assert grade(lambda x: x.sum(1) / x.shape[1]).hint.startswith("That is one mean a row: [")


def test_a_mistake_that_explains_every_failure_gets_its_hint_and_the_points_of_what_is_right(grade):
    verdict = grade(lambda x: x.sum(0) if x.shape[1] == 5 else right(x))
    assert (verdict.misconception, verdict.status) == ("sums", "partly")
    assert verdict.score == pytest.approx(2 / 3)


def test_an_unknown_mistake_is_shown_its_first_differing_case(grade):
    verdict = grade(lambda x: right(x) * (2 if x.shape[1] == 5 else 1))
    assert verdict.score == pytest.approx(2 / 3) and not verdict.misconception
    assert verdict.hint.startswith("5 columns: 5 of 5 values differ, the first at [0]: ")
    failed = verdict.cases[1]
    assert failed.inputs.startswith("x = [[") and failed.got and failed.expected


def test_an_edge_case_alone_earns_nothing(grade):
    verdict = grade(lambda x: torch.full((3,), float("nan")))
    assert verdict.cases[2].passed and verdict.score == 0


def test_what_an_answer_prints_is_shown_and_goes_nowhere_else(grade, capfd):
    verdict = grade(noisy)
    assert "thinking" in verdict.cases[0].printed
    assert capfd.readouterr() == ("", "")


def test_an_answer_leaves_the_notebooks_random_numbers_alone(grade):
    torch.manual_seed(3)
    untouched = torch.rand(1)
    torch.manual_seed(3)
    grade(lambda x: right(x) + 0 * torch.rand(1) + 0 * np.random.rand())
    assert torch.rand(1) == untouched


def test_the_same_seed_draws_the_same_cases_and_another_seed_others(mean_exercise):
    first, again, other = (mean_exercise.draw(seed)[0].inputs["x"] for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_is_no_function_is_named(grade):
    with pytest.raises(oracle.NotCallable, match=r"mean_rows is a \(2,\) tensor of float32, not a function"):
        grade(torch.zeros(2))


def test_replies_that_crossed_as_json_are_judged_alike(mean_exercise):
    replies = json.loads(json.dumps(oracle.ask(mean_exercise, right, 0)))
    assert oracle.judge(mean_exercise, 0, replies).status == "right"


@pytest.mark.parametrize(
    "forged",
    [
        None,
        [],
        {},
        {"value": 3},
        {"value": {"tensor": 1}},
        {"value": {"plain": 1}, "error": ["E", "", ""]},
        {"error": "E"},
        {"value": {"plain": 0.0}, "changed": [{}], "printed": 7},
    ],
)
def test_a_forged_reply_earns_nothing_and_harms_nothing(mean_exercise, forged):
    verdict = oracle.judge(mean_exercise, 0, [forged] * 3)
    assert verdict.score == 0 and verdict.hint


def test_a_wrong_number_of_replies_is_refused(mean_exercise):
    with pytest.raises(ValueError, match="1 replies to 3 cases"):
        oracle.judge(mean_exercise, 0, oracle.ask(mean_exercise, right, 0)[:1])


def test_a_probe_may_not_lean_on_its_module(mean_exercise):
    with pytest.raises(NameError):
        exec(dataclasses.replace(mean_exercise, probe=leaning_probe).probe_source + "\nleaning_probe(None, {})", {})


def leaning_probe(target, inputs):
    return dataclasses.asdict(target)


def test_an_exercise_says_how_it_is_judged_exactly_once(mean_exercise):
    for wrong in ({"expected": None}, {"accepts": lambda inputs, got: None}):
        with pytest.raises(ValueError, match="either `expected` or `accepts`"):
            dataclasses.replace(mean_exercise, **wrong)
    assert isinstance(mean_exercise, Exercise)
