"""What a learner sees: one result, the same words in html and in plain text, and the points as a float.

nbgrader reads a cell's points from the float that the cell returns, gives none for an error output and all for anything
else: so `check` never raises, and always returns a float.
"""

import ast
import builtins
import html
import sys
import traceback

from autograde.exercise import UnknownExercise, find
from autograde.oracle import NotCallable, Verdict, run

# A mark, a word and a colour for each status: the colour (4.5 : 1 on white) never says it alone.
_LOOK = {
    "right": ("✓", "Right", "#00734c"),
    "partly": ("◐", "Partly right", "#9a5b00"),
    "wrong": ("✗", "Not yet", "#b3370a"),
    "blank": ("○", "Not answered yet", "#5b6670"),
}


class Undefined:
    """Stands for a name that does not exist, because the cell that should define it did not run or failed."""

    def __init__(self, name):
        self.name = name


def check(exercise_id: str, target, *, seed: int = 0) -> float:
    """Grade `target` (a function or class), show the verdict, and return the points earned.

    Never raises, but for the learner's own interrupt.
    """
    try:
        exercise = find(exercise_id)
    except UnknownExercise as error:
        return _show(str(exercise_id), "wrong", 0, 0, str(error))
    earned, title, points = 0.0, f"{exercise.title} ({exercise.id})", exercise.points
    if isinstance(target, Undefined):
        note = f"`{target.name}` is not defined: run the cell above that defines it, or mend the error that stopped it."
        return _show(title, "blank", earned, points, note)
    try:
        verdict = run(exercise_id, target, seed=seed)
    except NotCallable as error:
        return _show(title, "wrong", earned, points, str(error))
    except Exception:  # a fault of ours, not the learner's: said so in full, and the notebook goes on
        note = "The check itself failed; this is not your mistake. Please send the lines below to your instructor."
        return _show(title, "wrong", earned, points, note, traceback.format_exc())
    if verdict.status == "blank":
        return _show(title, "blank", earned, points)
    earned = round(points * verdict.score, 4)
    return _show(title, verdict.status, earned, points, verdict.hint, _details(verdict))


def _details(verdict: Verdict) -> str:
    """Inputs, got and expected of the first case that differs, in that order; then what the answer printed."""
    lines = [f"{'✓' if case.passed else '✗'} {case.name}" for case in verdict.cases]
    first = next((case for case in verdict.cases if not case.passed), None)
    if first:
        lines += ["", f"The first case that differs: {first.name}", first.inputs]
        lines += [f"got      {first.got}"] if first.got else []
        lines += [f"expected {first.expected}"] if first.expected else []
        lines += [f"         {first.reason}"] if first.reason not in verdict.hint else []
    printed = next((case.printed for case in verdict.cases if case.printed), "")
    if printed:
        lines += ["", "Your answer printed:", printed.rstrip()]
    return "\n".join(lines)


def _show(title, status, earned, points, note="", details="") -> float:
    shown = bundle(title, status, earned, points, note, details)
    if _shell() is None:
        print(shown["text/plain"])
    else:
        from IPython.display import display

        display(shown, raw=True)
    return float(earned)


def bundle(title, status, earned, points, note="", details="") -> dict[str, str]:
    """One result as plain text and as html, in the same words."""
    mark, word, colour = _LOOK[status]
    head = f"{word}: {title}" + (f", {earned:g} of {points:g} points" if points else "")
    text = "\n".join([f"{mark} {head}"] + ([note] if note else []) + ([details] if details else []))
    return {"text/plain": text, "text/html": _html(mark, head, colour, note, details)}


def _html(mark, head, colour, note, details):
    e = html.escape
    body = [f'<b><span style="color:{colour}" aria-hidden="true">{mark}</span> {e(head)}</b>']
    body += [f"<div>{e(note)}</div>"] if note else []
    if details:
        pre = f'<pre style="white-space:pre-wrap;margin:4px 0">{e(details)}</pre>'
        body += [f'<details><summary style="cursor:pointer">Details</summary>{pre}</details>']
    style = f"border-left:4px solid {colour};padding:2px 12px;margin:4px 0"
    return f'<div role="status" style="{style}">{"".join(body)}</div>'


def _shell():
    """The IPython shell this runs in, or None in a plain Python program."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


class _LateTarget(ast.NodeTransformer):
    """In a notebook, `check(id, name)` looks `name` up only as it runs: a cell that failed above costs its own points,
    and not a NameError that ends Run All."""

    def visit_Call(self, node):
        self.generic_visit(node)
        named = isinstance(node.func, ast.Name) and node.func.id == "check"
        if named and len(node.args) == 2 and isinstance(node.args[1], ast.Name):
            name = node.args[1].id
            lookup = "__import__('autograde.notebook', fromlist=['lookup']).lookup"
            late = ast.parse(f"{lookup}(globals(), {name!r})", mode="eval")
            node.args[1] = ast.copy_location(late.body, node.args[1])
            ast.fix_missing_locations(node)
        return node


def lookup(namespace: dict, name: str):
    """The value of a name in a notebook, or Undefined(name)."""
    return namespace.get(name, getattr(builtins, name, Undefined(name)))


def _watch_notebook():
    shell = _shell()
    if shell is not None and not any(isinstance(t, _LateTarget) for t in shell.ast_transformers):
        shell.ast_transformers.append(_LateTarget())


_watch_notebook()
