"""The trial of one exercise: does it give every right answer full points, and take some from every wrong one?

Right: the reference and alternative solutions. Wrong: the exercise's own misconceptions, wrong answers expressed
another way, thoughtless constants, and mutants of the reference.
"""

import math
import time
import types
from dataclasses import dataclass, field, replace

from autograde import oracle
from autograde.bank import Entry
from autograde.exercise import Exercise
from autograde.mutants import mutants

ALIKE_CASES = 1000  # a mutant that is right on so many further cases means the same as the reference
FURTHER_SEED = 1_000_000
ALLOWANCE = 60.0  # seconds: a busy machine must not make a right answer wrong
MUTANT_SECONDS = 5.0
LEAST_RIGHT = 2
LEAST_MISCONCEPTIONS = 3


@dataclass
class Report:
    """What the audit of one exercise found. `failures` are lines for a reader; an empty list is a clean exercise."""

    id: str
    seeds: int
    cases: int = 0
    misconceptions: int = 0
    wrong: int = 0
    constants: int = 0
    mutants: int = 0
    crashed: int = 0  # of the mutants: those that raise on every case, which proves little
    equivalent: list[str] = field(default_factory=list)
    right: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def fail(self, line):
        if line not in self.failures:
            self.failures.append(line)


def audit(exercise: Exercise, reference: str | None, bank: list[Entry], seeds: int) -> Report:
    """Audit one exercise. `reference`: source text that defines its solution; None where there is none."""
    started = time.perf_counter()
    report = Report(exercise.id, seeds)
    report.cases = sum(len(exercise.draw(seed)) for seed in range(seeds))
    bank = [entry for entry in bank if entry.exercise_id == exercise.id]
    answers = {f"misconception '{m.name}'": m.answer for m in exercise.misconceptions}
    answers |= {f"bank answer '{entry.name}'": entry.answer for entry in bank}
    if reference is None:
        report.fail("there is no reference solution of it in solutions/")
    else:
        answers["the reference"] = _defined(reference, exercise.name)
        _check_right(report, exercise, "the reference", answers["the reference"])
    for entry in bank:
        if entry.right:
            _check_right(report, exercise, f"the alternative solution '{entry.name}'", entry.answer)
            report.right += 1
        else:
            _check_wrong(report, exercise, f"the wrong answer '{entry.name}'", entry.answer, entry.misconception)
            report.wrong += 1
    if report.right < LEAST_RIGHT:
        report.fail(f"{report.right} alternative solutions in its bank, at least {LEAST_RIGHT} are needed")
    _check_misconceptions(report, exercise)
    _check_constants(report, exercise)
    _check_disguises(report, answers)
    if reference is not None and not exercise.is_report:
        _check_mutants(report, exercise, reference)
    report.seconds = round(time.perf_counter() - started, 2)
    return report


def _verdict(exercise, answer, seed, **rules):
    replies = oracle.ask(exercise, answer, seed, replace(exercise.rules, **{"seconds": ALLOWANCE, **rules}))
    return oracle.judge(exercise, seed, replies), replies


def _check_right(report, exercise, what, answer):
    for seed in range(report.seeds):
        verdict, _ = _verdict(exercise, answer, seed)
        if verdict.score < 1:
            report.fail(f"a right answer fails: {what} gets {verdict.score:.2f} on seed {seed} ({verdict.hint})")
            return


def _check_wrong(report, exercise, what, answer, misconception):
    if misconception is not None and misconception not in {m.name for m in exercise.misconceptions}:
        report.fail(f"{what} names the misconception '{misconception}', which the exercise does not have")
    for seed in range(report.seeds):
        verdict, _ = _verdict(exercise, answer, seed)
        if verdict.score >= 1:
            report.fail(
                f"a wrong answer passes: {what} gets full points on seed {seed}, like the reference in disguise"
            )
            return
        if misconception is not None and verdict.misconception != misconception:
            report.fail(f"{what} gets the wrong hint on seed {seed}: '{verdict.misconception or verdict.hint}'")
            return


def _check_misconceptions(report, exercise):
    report.misconceptions = len(exercise.misconceptions)
    if report.misconceptions < LEAST_MISCONCEPTIONS:
        report.fail(f"{report.misconceptions} misconceptions, at least {LEAST_MISCONCEPTIONS} are needed")
    for misconception in exercise.misconceptions:
        verdicts = [
            _verdict(exercise, misconception.answer, seed, library=(), autograd=True)[0] for seed in range(report.seeds)
        ]
        name, scores = misconception.name, [verdict.score for verdict in verdicts]
        others = {verdict.misconception for verdict in verdicts} - {name}
        if max(scores) >= 1:
            report.fail(
                f"a wrong answer passes: misconception '{name}' gets full points on seed {scores.index(max(scores))}"
            )
        elif max(scores) > 0 and not exercise.is_report:
            report.fail(f"misconception '{name}' scores {max(scores):.2f} on seed {scores.index(max(scores))}, not 0")
        elif others and all(verdict.misconception in others for verdict in verdicts):
            report.fail(
                f"misconceptions '{name}' and '{sorted(others)[0]}' are the same in disguise: every case agrees"
            )
        elif others:
            seed = next(seed for seed, verdict in enumerate(verdicts) if verdict.misconception != name)
            report.fail(f"misconception '{name}' gets the hint of '{verdicts[seed].misconception}' on seed {seed}")


def _raises(*args):
    raise ValueError("thoughtless")


CONSTANTS = {
    "returns None": lambda *args: None,
    "returns NaN": lambda *args: math.nan,
    "returns 0.0": lambda *args: 0.0,
    "returns its first argument": lambda *args: args[0],
    "raises": _raises,
}


def _check_constants(report, exercise):
    report.constants = len(CONSTANTS)
    for name, answer in CONSTANTS.items():
        for seed in range(report.seeds):
            score = _verdict(exercise, answer, seed)[0].score
            if score > 0:
                report.fail(f"an answer that {name} scores {score:.2f} on seed {seed}, not 0")
                break


def _check_disguises(report, answers):
    seen = {}
    for name, answer in answers.items():
        first = seen.setdefault(_fingerprint(answer), name)
        if first != name:
            report.fail(f"{first} and {name} are the same in disguise: the same code under other names")


def _fingerprint(answer):
    """What a function computes, without the names of its variables; equal for two that differ in names alone."""
    if not isinstance(answer, types.FunctionType):
        return id(answer)
    cells = tuple(
        _fingerprint(c.cell_contents) if callable(c.cell_contents) else repr(c.cell_contents)
        for c in answer.__closure__ or ()
    )
    return _code_print(answer.__code__, answer.__doc__), cells, repr(answer.__defaults__), repr(answer.__kwdefaults__)


def _code_print(code, doc=None):
    constants = tuple(
        _code_print(c) if isinstance(c, types.CodeType) else repr(None if c == doc else c) for c in code.co_consts
    )
    return code.co_code, constants, code.co_names


def _check_mutants(report, exercise, reference):
    namespace = _namespace(reference)
    for description, source in mutants(reference, exercise.name):
        report.mutants += 1
        answer = _defined(source, exercise.name, namespace)
        survived, crashed = _survival(exercise, answer, report.seeds)
        report.crashed += crashed
        if survived is None:
            continue
        if _means_the_same(exercise, answer):
            report.equivalent.append(description)
        else:
            report.fail(f"a wrong answer passes: the mutant '{description}' gets full points on seed {survived}")


def _survival(exercise, answer, seeds):
    """→ (the first seed on which a mutant gets full points or None, whether it raised on every case)."""
    crashed = True
    for seed in range(seeds):
        verdict, replies = _verdict(exercise, answer, seed, seconds=MUTANT_SECONDS)
        if verdict.score >= 1:
            return seed, False
        crashed = crashed and all("error" in reply for reply in replies)
        if any(reply.get("error", [""])[0] == "TimeLimit" for reply in replies):
            break  # a loop that never ends will not end on another seed either, and waiting costs
    return None, crashed


def _means_the_same(exercise, answer):
    cases, seed = 0, FURTHER_SEED
    while cases < ALIKE_CASES:
        verdict, replies = _verdict(exercise, answer, seed)
        if verdict.score < 1:
            return False
        cases, seed = cases + len(replies), seed + 1
    return True


def _namespace(source, namespace=None):
    namespace = dict(namespace or {"__name__": "reference"})
    exec(compile(source, "<reference>", "exec"), namespace)
    return namespace


def _defined(source, name, namespace=None):
    return _namespace(source, namespace)[name]
