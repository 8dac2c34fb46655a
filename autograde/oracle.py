"""The trusted side: what each case should have given, what a wrong answer means, and the verdict.

`run` is the whole way in one process: draw → probe (beside the learner's code) → judge. A grader that keeps the
learner's code in another process sends the same messages there and calls `judge` on the replies.
"""

import functools
import math
from dataclasses import dataclass

import torch

from autograde import probe, wire
from autograde.exercise import Exercise, Tolerance, find


class NotCallable(TypeError):
    """The second argument of `check` is no function or class."""


@dataclass(frozen=True)
class CaseResult:
    """One case of a verdict; inputs, got and expected are short texts for a reader."""

    name: str
    passed: bool
    reason: str = ""
    inputs: str = ""
    got: str = ""
    expected: str = ""
    printed: str = ""


@dataclass(frozen=True)
class Verdict:
    """score is in [0, 1]; status is right, partly, wrong or blank; `misconception` names a mistake that is known."""

    id: str
    score: float
    status: str
    hint: str = ""
    misconception: str = ""
    cases: tuple[CaseResult, ...] = ()


def run(exercise_id: str, target, *, seed: int = 0) -> Verdict:
    """Grade `target`, a function or class, against one exercise. The same seed draws the same cases.

    Raises UnknownExercise for an id that does not exist and NotCallable for a target that cannot be called.
    """
    exercise = find(exercise_id)
    if not callable(target):
        raise NotCallable(
            f"{exercise.name} is {kind(target)}, not a function: "
            f'write check("{exercise.id}", {exercise.name}) with the name alone, without brackets'
        )
    return judge(exercise, seed, ask(exercise, target, seed))


def ask(exercise: Exercise, target, seed: int, library: tuple[str, ...] | None = None) -> list[dict]:
    """Put the cases of a seed to `target` in this process → its replies, as they would come over a wire."""
    return probe.answer(
        target,
        exercise.probe_source,
        [case.message for case in _cases(exercise, seed)],
        library=exercise.library if library is None else library,
        keeps_inputs=exercise.keeps_inputs,
        seconds=exercise.seconds,
    )


def judge(exercise: Exercise, seed: int, replies: list[dict]) -> Verdict:
    """The verdict on an answer's replies, one a case; trusts nothing in them but their values."""
    cases = _cases(exercise, seed)
    outcomes = [_outcome(reply) for reply in replies] if len(replies) == len(cases) else []
    if len(outcomes) != len(cases):
        raise wire.WireError(f"{len(replies)} replies to {len(cases)} cases")
    results = tuple(
        _result(exercise, case, outcome, reply) for case, outcome, reply in zip(cases, outcomes, replies, strict=True)
    )
    changed = sorted({name for reply in replies for name in _changed(reply)})
    if changed:
        hint = f"The answer changes its argument `{changed[0]}` in place. Work on a copy, or make new tensors."
        return Verdict(exercise.id, 0.0, "wrong", hint, cases=results)
    if all(result.passed for result in results):
        return Verdict(exercise.id, 1.0, "right", cases=results)
    if all(outcome.error and outcome.error[0] == "NotImplementedError" for outcome in outcomes):
        return Verdict(exercise.id, 0.0, "blank", "Not answered yet.", cases=results)
    score = _share(cases, results)
    known, exact = _recognise(exercise, seed, results, outcomes)
    if known and exact:
        score = 0.0  # the very mistake that the exercise is about earns nothing, however many cases it survives
    hint, name = (_filled(known.hint, results), known.name) if known else (_first_difference(results), "")
    return Verdict(exercise.id, score, "partly" if score else "wrong", hint, name, results)


def compare(got, expected, tolerance: Tolerance) -> str | None:
    """None where they agree, else the reason in a few words.

    The width of a dtype never matters; its kind does: ids and masks are no floats, though a whole number may be one.
    """
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"returned {kind(got)}, expected a dict"
        if set(got) != set(expected):
            missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
            return "; ".join(
                [f"key {k!r} is missing" for k in missing[:2]] + [f"key {k!r} is not asked for" for k in extra[:2]]
            )
        return next((f"{k!r}: {r}" for k, e in expected.items() if (r := compare(got[k], e, tolerance))), None)
    if isinstance(expected, list | tuple) and not _numbers(expected):
        got = got.tolist() if isinstance(got, torch.Tensor) and got.ndim else got
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            return f"returned {kind(got)}, expected {len(expected)} values"
        pairs = enumerate(zip(got, expected, strict=True), 1)
        return next((f"value {i}: {r}" for i, (g, e) in pairs if (r := compare(g, e, tolerance))), None)
    if isinstance(expected, str | torch.dtype) or expected is None:
        return None if type(got) is type(expected) and got == expected else f"returned {_short(got)}"
    got_tensor, expected_tensor = _tensor(got), _tensor(expected)
    if got_tensor is None:
        return f"returned {kind(got)}, expected {kind(expected)}" + (": is a `return` missing?" if got is None else "")
    return _compare_tensors(got_tensor, expected_tensor, tolerance)


def _compare_tensors(got, expected, tolerance):
    if got.shape != expected.shape:
        return f"shape {_shape(got)}, expected {_shape(expected)}"
    kinds = _dtype_kind(got), _dtype_kind(expected)
    a_number = kinds == ("integer", "real") or (kinds == ("real", "integer") and got.ndim == 0)
    if kinds[0] != kinds[1] and not a_number:
        return f"{kinds[0]} values ({_name(got.dtype)}), expected {kinds[1]} values"
    if "real" in kinds:
        got, expected = got.double(), expected.double()
        wrong = ~torch.isclose(got, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
    else:
        wrong = got != expected
    if not bool(wrong.any()):
        return None
    where = wrong.nonzero()[0].tolist()
    values = f"{_short_number(got[tuple(where)].item())} instead of {_short_number(expected[tuple(where)].item())}"
    if not where:
        return values
    return f"{int(wrong.sum())} of {wrong.numel()} values differ, the first at {where}: {values}"


# --- in private -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    name: str
    weight: float
    edge: bool
    message: dict  # the inputs, encoded
    expected: object  # plain data, or None where the exercise judges by `accepts`


@dataclass(frozen=True)
class _Outcome:
    value: object = None
    error: tuple = ()  # (type, last line, the learner's line)


@functools.lru_cache(maxsize=256)
def _cases(exercise, seed):
    cases = []
    for case in exercise.draw(seed):
        message = wire.encode(case.inputs)
        expected = None
        if exercise.expected:
            expected = wire.decode(wire.encode(exercise.expected(wire.decode(message))))
        cases.append(_Case(case.name, case.weight, case.edge, message, expected))
    return tuple(cases)


@functools.lru_cache(maxsize=1024)
def _mistaken(exercise, seed, misconception):
    """The outcomes of a known wrong answer, made as a learner's are, but free to call the library."""
    replies = ask(exercise, misconception.answer, seed, library=())
    return tuple(_outcome(reply) for reply in replies)


def _outcome(reply):
    if type(reply) is not dict or ("value" in reply) == ("error" in reply):
        return _Outcome(error=("WireError", "the answer's reply cannot be read", ""))
    if "error" in reply:
        error = reply["error"]
        if type(error) is not list or len(error) != 3 or not all(type(part) is str for part in error):
            return _Outcome(error=("WireError", "the answer's reply cannot be read", ""))
        return _Outcome(error=tuple(error))
    try:
        return _Outcome(value=wire.decode(reply["value"]))
    except wire.WireError as error:
        return _Outcome(error=("WireError", f"the answer's reply cannot be read: {error}", ""))


def _result(exercise, case, outcome, reply):
    if outcome.error:
        _, line, where = outcome.error
        reason = line + (f"   (at `{where}`)" if where else "")
    elif exercise.accepts:
        reason = exercise.accepts(wire.decode(case.message), outcome.value)
    else:
        reason = compare(outcome.value, case.expected, exercise.tolerance)
    printed = str(reply.get("printed", ""))[: probe.PRINTED] if type(reply) is dict else ""
    if reason is None:
        return CaseResult(case.name, True, printed=printed)
    inputs = "\n".join(f"{name} = {_short(value)}" for name, value in wire.decode(case.message).items())
    expected = "" if exercise.accepts else _short(case.expected)
    got = "" if outcome.error else _short(outcome.value)
    return CaseResult(case.name, False, reason, inputs, got, expected, printed)


def _share(cases, results):
    """Passed weight over all weight; edge cases earn only beside an ordinary case that passes."""
    if not any(result.passed and not case.edge for case, result in zip(cases, results, strict=True)):
        return 0.0
    passed = sum(case.weight for case, result in zip(cases, results, strict=True) if result.passed)
    return passed / sum(case.weight for case in cases)


def _recognise(exercise, seed, results, outcomes):
    """→ (misconception, exact): one that gives the same on every case, else one that explains every failure."""
    explains = None
    failed = [i for i, result in enumerate(results) if not result.passed]
    for misconception in exercise.misconceptions:
        mistaken = _mistaken(exercise, seed, misconception)
        if not all(_alike(outcomes[i], mistaken[i], exercise.tolerance) for i in failed):
            continue
        if all(_alike(a, b, exercise.tolerance) for a, b in zip(outcomes, mistaken, strict=True)):
            return misconception, True
        explains = explains or misconception
    return explains, False


def _alike(outcome, mistaken, tolerance):
    if outcome.error or mistaken.error:
        return bool(outcome.error and mistaken.error) and outcome.error[0] == mistaken.error[0]
    return compare(outcome.value, mistaken.value, tolerance) is None


def _first_difference(results):
    first = next(result for result in results if not result.passed)
    return f"{first.name}: {first.reason}"


def _filled(hint, results):
    """The hint with {got} and {expected} replaced by those of the first case that differs."""
    first = next(result for result in results if not result.passed)
    return hint.replace("{got}", first.got or "an error").replace("{expected}", first.expected)


def _changed(reply):
    changed = reply.get("changed", ()) if type(reply) is dict else ()
    return [name for name in changed if type(name) is str] if type(changed) in (list, tuple) else []


def _numbers(values):
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _tensor(value):
    """A tensor of `value` where it is a number, numbers in a list, or a tensor; else None."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, bool | int | float):
        return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None)
    if isinstance(value, list | tuple) and value:
        items = [_tensor(item) for item in value]
        if all(item is not None and item.ndim == 0 for item in items):
            return torch.stack([item.double() if any(i.is_floating_point() for i in items) else item for item in items])
    return None


def _dtype_kind(tensor):
    return "bool" if tensor.dtype is torch.bool else "real" if tensor.is_floating_point() else "integer"


def _shape(tensor):
    return str(tuple(tensor.shape)) if tensor.ndim else "() (a scalar)"


def _name(dtype):
    return str(dtype).removeprefix("torch.")


def kind(value) -> str:
    """What a value is, for a reader: 'a (2, 3) tensor of float32', 'None', 'a list of 4', 'an int'."""
    if isinstance(value, torch.Tensor):
        shape = f"{tuple(value.shape)} " if value.ndim else "scalar "
        return f"a {shape}tensor of {_name(value.dtype)}"
    if value is None:
        return "None"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _short(value, limit=240):
    """A value as a reader wants it: numbers of a small tensor, shape and dtype of a large one."""
    if isinstance(value, torch.Tensor):
        if value.numel() <= 24:
            text = str([_short_number(x) for x in value.tolist()] if value.ndim == 1 else value.tolist())
            return (text if len(text) <= limit else text[:limit] + " …").replace("'", "")
        return kind(value)
    if isinstance(value, float):
        return _short_number(value)
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{k}: {_short(v, 80)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(_short(v, 80) for v in value) + "]"
    else:
        text = repr(value)
    return text if len(text) <= limit else text[:limit] + " …"


def _short_number(x):
    return f"{x:.6g}" if isinstance(x, float) and math.isfinite(x) else str(x)
