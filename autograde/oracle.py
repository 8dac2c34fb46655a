"""The trusted side: what each case should have given, what a wrong answer means, and the verdict.

`run` is the whole way in one process: draw → probe (beside the learner's code) → judge. A grader that keeps the
learner's code in another process sends the same messages there and calls `judge` on the replies.
"""

import functools
from dataclasses import dataclass, replace

from autograde import guard, probe, wire
from autograde.compare import compare, short
from autograde.compare import kind as kind_of
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
    kind: str = ""  # of what went wrong: see _KINDS


@dataclass(frozen=True)
class Verdict:
    """score is in [0, 1]; status is right, partly, wrong or blank; `misconception` names a mistake that is known."""

    id: str
    score: float
    status: str
    hint: str = ""
    misconception: str = ""
    cases: tuple[CaseResult, ...] = ()


@dataclass(frozen=True)
class Question:
    """A case as it is sent: its inputs encoded, with what it should give (None where `accepts` judges)."""

    name: str
    weight: float
    edge: bool
    message: dict
    expected: object
    tolerance: Tolerance


def run(exercise_id: str, target, *, seed: int = 0) -> Verdict:
    """Grade `target`, a function or class, against one exercise. The same seed draws the same cases.

    Raises UnknownExercise for an id that does not exist and NotCallable for a target that cannot be called.
    """
    exercise = find(exercise_id)
    if not callable(target):
        raise NotCallable(
            f"{exercise.name} is {kind_of(target)}, not a function: "
            f'write check("{exercise.id}", {exercise.name}) with the name alone, without brackets'
        )
    return judge(exercise, seed, ask(exercise, target, seed))


@functools.lru_cache(maxsize=256)
@guard.settings()
def questions(exercise: Exercise, seed: int) -> tuple[Question, ...]:
    """The cases of one seed, ready to be sent, each with its right result."""
    drawn = []
    for case in exercise.draw(seed):
        message = wire.encode(case.inputs)
        expected = exercise.expected(wire.decode(message)) if exercise.expected else None
        expected, tolerance = wire.decode(wire.encode(expected)), case.tolerance or exercise.tolerance
        drawn.append(Question(case.name, case.weight, case.edge, message, expected, tolerance))
    return tuple(drawn)


def ask(exercise: Exercise, target, seed: int, rules: guard.Rules | None = None) -> list[dict]:
    """Put the cases of a seed to `target` in this process → its replies, as they would come over a wire."""
    messages = [question.message for question in questions(exercise, seed)]
    return probe.answer(target, exercise.probe_source, messages, rules or exercise.rules)


@guard.settings()
def judge(exercise: Exercise, seed: int, replies: list[dict]) -> Verdict:
    """The verdict on an answer's replies, one a case; trusts nothing in them but their values."""
    cases = questions(exercise, seed)
    if len(replies) != len(cases):
        raise wire.WireError(f"{len(replies)} replies to {len(cases)} cases")
    outcomes = _outcomes(exercise, seed, replies)
    results = tuple(
        _result(exercise, case, outcome, reply) for case, outcome, reply in zip(cases, outcomes, replies, strict=True)
    )
    changed = sorted({name for reply in replies for name in _changed(reply)} & _arguments(cases))
    if changed:
        hint = f"The answer changes its argument `{changed[0]}` in place. Work on a copy, or make new tensors."
        return Verdict(exercise.id, 0.0, "wrong", hint, cases=tuple(replace(r, kind="changed") for r in results))
    if all(result.passed for result in results):
        return Verdict(exercise.id, 1.0, "right", cases=results)
    if all(outcome.error and outcome.error[0] == "NotImplementedError" for outcome in outcomes):
        return Verdict(exercise.id, 0.0, "blank", "Not answered yet.", cases=results)
    score = _share(cases, results)
    known, exact = _recognise(exercise, seed, cases, results, outcomes)
    if known and exact and not exercise.is_report:
        score = 0.0  # the very mistake that the exercise is about earns nothing, however many cases it survives
    hint, name = (_filled(known.hint, results), known.name) if known else (_first_difference(results), "")
    return Verdict(exercise.id, score, "partly" if score else "wrong", hint, name, results)


@dataclass(frozen=True)
class _Outcome:
    value: object = None
    error: tuple = ()  # (type, last line, the learner's line)


@functools.lru_cache(maxsize=1024)
def _mistaken(exercise, seed, misconception):
    """The outcomes of a known wrong answer, made as a learner's are, but free to call the library."""
    replies = ask(exercise, misconception.answer, seed, replace(exercise.rules, library=(), autograd=True))
    return tuple(_outcomes(exercise, seed, replies))


def _outcomes(exercise, seed, replies):
    pairs = zip(questions(exercise, seed), replies, strict=True)
    return [_observed(exercise, case, _outcome(reply)) for case, reply in pairs]


def _observed(exercise, case, outcome):
    if exercise.observe is None or outcome.error:
        return outcome
    try:
        return _Outcome(value=exercise.observe(wire.decode(case.message), outcome.value))
    except Exception:  # the probe brings back what `observe` reads, unless somebody else answered in its place
        return _Outcome(error=("WireError", "the answer's reply cannot be read", ""))


def _arguments(cases):
    """The names that a learner's arguments have; a reply that names another one was not made by our probe."""
    return {name for case in cases for name, _ in case.message["dict"]}


def _outcome(reply):
    if type(reply) is not dict or ("value" in reply) == ("error" in reply):
        return _Outcome(error=("WireError", "the answer's reply cannot be read", ""))
    if "error" in reply:
        error = reply["error"]
        if type(error) is not list or len(error) != 3 or not all(type(part) is str for part in error):
            return _Outcome(error=("WireError", "the answer's reply cannot be read", ""))
        return _Outcome(error=tuple(part[:500] for part in error))
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
        reason = compare(outcome.value, case.expected, case.tolerance)
    printed = str(reply.get("printed", ""))[: probe.PRINTED] if type(reply) is dict else ""
    if reason is None:
        return CaseResult(case.name, True, printed=printed)
    inputs = "\n".join(f"{name} = {short(value)}" for name, value in wire.decode(case.message).items())
    expected = "" if exercise.accepts else short(case.expected)
    got = "" if outcome.error else short(outcome.value)
    kind = _ERRORS.get(outcome.error[0], "error") if outcome.error else "value"
    return CaseResult(case.name, False, reason, inputs, got, expected, printed, kind)


def _share(cases, results):
    """Passed weight over all weight; edge cases earn only beside an ordinary case that passes."""
    if not any(result.passed and not case.edge for case, result in zip(cases, results, strict=True)):
        return 0.0
    passed = sum(case.weight for case, result in zip(cases, results, strict=True) if result.passed)
    return passed / sum(case.weight for case in cases)


def _recognise(exercise, seed, cases, results, outcomes):
    """→ (misconception, exact): one that gives the same on every case, else one that explains every failure.

    To explain, it must give the same wrong value on an ordinary case: an error or a corner alone has many causes.
    """
    explains = None
    failed = [i for i, result in enumerate(results) if not result.passed]
    telling = [i for i in failed if not cases[i].edge and not outcomes[i].error]
    for misconception in exercise.misconceptions:
        mistaken = _mistaken(exercise, seed, misconception)
        same = [_alike(*three) for three in zip(outcomes, mistaken, (case.tolerance for case in cases), strict=True)]
        if all(same):
            return misconception, True
        if telling and all(same[i] for i in failed):
            explains = explains or misconception
    return explains, False


def _alike(outcome, mistaken, tolerance):
    if outcome.error or mistaken.error:
        return bool(outcome.error and mistaken.error) and outcome.error[0] == mistaken.error[0]
    return compare(outcome.value, mistaken.value, tolerance) is None


def _first_difference(results):
    first = next(result for result in results if not result.passed)
    return f"{first.name}: {first.reason}"


def learners_hint(verdict: Verdict) -> str:
    """The hint as it may reach the learner of a graded submission: it leads to the mistake and carries no input.

    Nothing in it was chosen by the answer, whose results and error messages could spell out what it was asked. A known
    mistake is shown with the numbers of seed 0, the one that every notebook's own check uses.
    """
    exercise = find(verdict.id)
    if verdict.misconception:
        return _public(exercise, next(m for m in exercise.misconceptions if m.name == verdict.misconception))
    if verdict.status in ("right", "blank") or verdict.cases[0].kind == "changed":
        return verdict.hint
    first = next(case for case in verdict.cases if not case.passed)
    return f"In the case “{first.name}”, {_KINDS[first.kind]}. Your notebook’s own check shows such a case in full."


@functools.lru_cache(maxsize=1024)
def _public(exercise, misconception):
    replies = ask(exercise, misconception.answer, 0, replace(exercise.rules, library=(), autograd=True))
    return _filled(misconception.hint, judge(exercise, 0, replies).cases)


_KINDS = {
    "late": "your answer took too long",
    "refused": "your answer calls what this exercise asks you to build",
    "unfinished": "your answer ends in NotImplementedError",
    "error": "your answer raises an error",
    "value": "your answer gives something else than expected",
}
_ERRORS = {"TimeLimit": "late", "LibraryCall": "refused", "NotImplementedError": "unfinished"}


def _filled(hint, results):
    """The hint with {got} and {expected} replaced by those of the first case that differs."""
    first = next(result for result in results if not result.passed)
    return hint.replace("{got}", first.got or "an error").replace("{expected}", first.expected)


def _changed(reply):
    changed = reply.get("changed", ()) if type(reply) is dict else ()
    return [name for name in changed if type(name) is str] if type(changed) in (list, tuple) else []
