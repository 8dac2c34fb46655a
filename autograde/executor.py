"""Runs a rebuilt notebook in the sandbox and asks its answers: the kernel runs cells, the verdicts are made here.

The cells run in order, and each check puts its cases to the answer as it is at that point. Where the kernel ends or
hangs, the rest goes on in the careful way: each answer that is left gets a kernel of its own, in which only the cells
run that it leans on, so that one bad cell costs no more than what rests on it.
"""

import ast
import builtins
import time
from dataclasses import asdict, dataclass

from autograde import guard, needed, oracle
from autograde.exercise import Exercise, find
from autograde.rebuild import role
from autograde.sandbox import Died, Late, Sandbox
from autograde.wire import WireError

JUDGING = 20.0  # seconds of processor time for a verdict: what an answer returns may be large, and is hostile at worst


@dataclass(frozen=True)
class Patience:
    """Seconds of wall time: for one cell, and for a whole notebook."""

    cell: float = 60.0
    notebook: float = 300.0


def execute(
    notebook, seeds: dict[str, int], sandbox: Sandbox, patience: Patience | None = None, only=None, detail=False
) -> dict:
    """Grade a rebuilt notebook → {"cells": what went wrong or slowly, "checks": {exercise's id: its verdict}}.

    seeds: of every exercise in it; only: the ids to ask, all by default; detail: each verdict with its "details", the
    cases with their inputs, which no learner is to see before the seeds are revealed.
    """
    return _Run(notebook, seeds, sandbox, patience or Patience(), only, detail).grade()


def exercise_of(cell) -> str:
    """The id that a check cell of the release names: its source is check("id", name)."""
    call = ast.parse(cell.source).body[-1].value
    return call.args[0].value


class _Run:
    def __init__(self, notebook, seeds, sandbox, patience, only, detail):
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.pairs = [(cell.source, role(cell)) for cell in self.cells]
        self.seeds, self.sandbox, self.patience, self.detail = seeds, sandbox, patience, detail
        self.until = time.monotonic() + patience.notebook
        self.checks = {exercise_of(cell): place for place, cell in enumerate(self.cells) if role(cell) == "check"}
        self.only = set(self.checks if only is None else only) & set(self.checks)
        self.errors, self.verdicts, self.told = {}, {}, []
        self.hopeless = set()  # places of cells that hang, or end a kernel, with nothing beside them that could be it

    def grade(self):
        waiting = self._in_order()
        for exercise_id in waiting:
            self._carefully(exercise_id)
        return {"cells": self.told, "checks": {key: self.verdicts[key] for key in self.checks if key in self.verdicts}}

    def _in_order(self):
        """One kernel for the whole notebook → the checks that are left when it is lost."""
        kernel, wanted = self.sandbox.kernel(), needed.to_grade(self.pairs)
        last = max((self.checks[key] for key in self.only), default=-1)
        try:
            for place, cell in enumerate(self.cells[: last + 1]):
                if role(cell) == "check":
                    if (exercise_id := exercise_of(cell)) in self.only:
                        self._ask(kernel, exercise_id)
                elif wanted[place] and cell.source.strip():
                    self._cell(kernel, place)
        except (Died, Late):
            return [key for key in self.checks if key in self.only and key not in self.verdicts]
        finally:
            kernel.end()
        return []

    def _carefully(self, exercise_id):
        """A kernel for one answer, with what it leans on; once more without the cell that ended it, if one did."""
        exercise = find(exercise_id)
        for _ in range(2):
            place = None
            if self.until < time.monotonic():
                self._give_up(exercise, "the notebook took longer than a notebook may")
                return
            kernel, chosen = self.sandbox.kernel(), needed.for_answer(self.pairs, exercise.name)
            try:
                for place in range(self.checks[exercise_id]):
                    if chosen[place] and place not in self.hopeless and self.pairs[place][0].strip():
                        self._cell(kernel, place)
                place = None
                self._ask(kernel, exercise_id)
                return
            except (Died, Late) as error:
                if place is None:
                    hangs = "does not end and cannot be interrupted"
                    why = hangs if type(error) is Late else "ends the kernel that it runs in"
                    self._give_up(exercise, f"the answer {why}")
                    return
                self.hopeless.add(place)
            finally:
                kernel.end()
        self._give_up(exercise, "a cell that this answer leans on ends the kernel that it runs in")

    def _cell(self, kernel, place):
        began = time.monotonic()
        seconds = min(self.patience.cell, max(1.0, self.until - began))
        try:
            error = kernel.run(self.pairs[place][0], seconds)
            self._without_packages(kernel, place, error, seconds)
        except Late:
            self._note(place, ["TimeLimit", f"it did not end within {seconds:g} s and could not be interrupted"], began)
            raise
        except Died as ended:
            self._note(place, ["KernelEnded", str(ended)], began)
            raise
        if error or time.monotonic() - began > 5:
            self._note(place, error, began)

    def _without_packages(self, kernel, place, error, seconds):
        """Where a cell imports what is not here, run the rest of it: on the learner's machine all of it ran."""
        source = self.pairs[place][0]
        while error and error[0] == "ModuleNotFoundError" and time.monotonic() < self.until:
            if (source := needed.without_package(source, error[1])) is None:
                return
            error = kernel.run(source, seconds)

    def _note(self, place, error, began):
        if error:
            self.errors[place] = error
        name = self.cells[place].metadata.get("nbgrader", {}).get("grade_id", f"cell {place + 1}")
        if not any(told["id"] == name and told["error"] == error for told in self.told):
            self.told.append({"id": name, "error": error, "seconds": round(time.monotonic() - began, 3)})

    def _ask(self, kernel, exercise_id):
        """Put the cases to an answer and keep the verdict."""
        exercise, seed, began = find(exercise_id), self.seeds[exercise_id], time.monotonic()
        messages = [question.message for question in oracle.questions(exercise, seed)]
        most = 2 * exercise.seconds + 5  # a loop that can be stopped is, after half of that
        reply = kernel.ask(exercise.name, exercise.probe_source, messages, asdict(exercise.rules), most)
        if "undefined" in reply:
            said = {"status": "blank", "hint": self._undefined(exercise), "told": self._undefined(exercise)}
        elif "uncallable" in reply:
            hint = f"{exercise.name} is no function or class: define it under this name, and overwrite it nowhere."
            said = {"status": "wrong", "hint": hint, "told": f"{hint} It is of type {reply['uncallable'][:100]}."}
        else:
            said = _judged(exercise, seed, reply["replies"], self.detail)
        self._keep(exercise, seconds=round(time.monotonic() - began, 3), **said)

    def _give_up(self, exercise, why):
        hint = f"No points: {why}."
        self._keep(exercise, status="wrong", hint=hint, told=hint)

    def _keep(
        self, exercise, *, status, hint, told, score=0.0, misconception="", passed=0, cases=0, seconds=0.0, **details
    ):
        self.verdicts[exercise.id] = {
            "seed": self.seeds[exercise.id],
            "score": score,
            "status": status,
            "misconception": misconception,
            "hint": hint,
            "told": told,
            "passed": passed,
            "cases": cases,
            "seconds": seconds,
            **details,
        }

    def _undefined(self, exercise):
        """Why there is no such name, in words that the learner's code did not choose."""
        place = self.checks[exercise.id]
        for number in range(place - 1, -1, -1):
            if self.pairs[number][1] == "answer":
                break
        else:
            number = None
        if number is not None and not self.pairs[number][0].strip():
            return "Not answered yet."
        why = "the cell that should define it did not"
        if number in self.errors:
            name = self.errors[number][0]
            known = isinstance(getattr(builtins, name, None), type)
            why = f"its cell stops with {'a ' + name if known else 'an error'}{_line_of_syntax(self.pairs[number][0])}"
        return f"`{exercise.name}` is not defined: {why}."


def _judged(exercise: Exercise, seed: int, replies: list, detail: bool) -> dict:
    """The verdict on replies from a kernel, as plain data."""
    try:
        with guard.time_limit(JUDGING):
            verdict = oracle.judge(exercise, seed, replies)
            hint = oracle.learners_hint(verdict)
    except (WireError, guard.TimeLimit):
        said = "What the answer returns cannot be read."
        return {"status": "wrong", "hint": said, "told": said}
    return {
        "score": verdict.score,
        "status": verdict.status,
        "misconception": verdict.misconception,
        "hint": hint,
        "told": verdict.hint[:2000],
        "passed": sum(case.passed for case in verdict.cases),
        "cases": len(verdict.cases),
    } | ({"details": [asdict(case) for case in verdict.cases]} if detail else {})


def _line_of_syntax(source):
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f" in line {error.lineno}"
    except (ValueError, RecursionError, MemoryError):
        return ""
    return ""
