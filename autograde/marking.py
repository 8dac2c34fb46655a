"""Marking one learner's submission: a pure function of its bytes, the release and the seeds, to plain data.

It touches no database and no file, so it runs anywhere: in this process, in a pool, on another machine. The result says
how each exercise was answered as a share in [0, 1]; what a share is worth stands in the gradebook (gradebook.py).
"""

import ast
import base64
import functools
import hashlib
import importlib.util
import inspect
import json
import re
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograde import rebuild
from autograde.executor import Patience, execute, exercise_of
from autograde.exercise import find
from autograde.notebook import bundle
from autograde.sandbox import Sandbox


@dataclass(frozen=True)
class Task:
    """All that marking one submission takes. `release` and `submitted`: {notebook's name: its text, its bytes}."""

    student: str
    assignment: str
    submitted: dict[str, bytes]
    release: dict[str, str]
    seeds: dict[str, int]  # of every exercise in the release
    timestamp: str | None = None
    notes: tuple[str, ...] = ()
    refused: str = ""  # why nothing of it could be read, where that is so
    kept: dict = field(default_factory=dict)  # {notebook: {exercise's id: an earlier verdict that still holds}}
    patience: Patience = field(default_factory=Patience)

    @property
    def digest(self) -> str:
        """What was handed in, as one number."""
        parts = [f"{name}\0{hashlib.sha256(data).hexdigest()}" for name, data in sorted(self.submitted.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def mark(task: Task, sandbox: Sandbox) -> dict:
    """The result of one submission, as JSON knows it."""
    if task.refused:
        return nothing(task, "unreadable", task.refused)
    began = time.monotonic()
    notebooks = {name: _mark_notebook(task, name, sandbox) for name in task.release}
    unreadable = [book["detail"] for book in notebooks.values() if book["status"] == "unreadable"]
    status = "unreadable" if unreadable else "graded"
    return _result(task, notebooks, status, "; ".join(unreadable), sandbox.backend, time.monotonic() - began)


def nothing(task: Task, status: str, why: str) -> dict:
    """The result of a submission that there is nothing to mark in: no points, and a human is asked to look.

    status: "unreadable", or "stopped" for one that ended the process that marked it.
    """
    notebooks = {name: _nothing(text, task, "unreadable", why) for name, text in task.release.items()}
    return _result(task, notebooks, status, why, sandbox="", seconds=0.0)


def _result(task, notebooks, status, detail, sandbox, seconds):
    return {
        "student": task.student,
        "assignment": task.assignment,
        "digest": task.digest,
        "edition": edition(task),
        "status": status,
        "detail": detail,
        "timestamp": task.timestamp,
        "sandbox": sandbox,
        "seconds": round(seconds, 3),
        "flags": [flag for book in notebooks.values() for flag in book.pop("flags")],
        "notes": list(task.notes),
        "notebooks": notebooks,
    }


def edition(task: Task) -> dict[str, str]:
    """{exercise's id: a digest of its specification and seed}: where one changes, that exercise is asked again."""
    return {key: f"{specification(key)}-{seed}" for key, seed in sorted(task.seeds.items())}


@functools.cache
def specification(exercise_id: str) -> str:
    """A digest of the module that specifies an exercise."""
    source = inspect.getsourcefile(find(exercise_id).cases)
    return hashlib.sha256(Path(source).read_bytes()).hexdigest()[:16]


def _mark_notebook(task, name, sandbox):
    release = _release(task.release[name])
    if name not in task.submitted:
        return _nothing(task.release[name], task, "missing", "it was not handed in")
    try:
        notebook = rebuild.rebuild(task.submitted[name], release)
    except rebuild.Unreadable as error:
        return _nothing(task.release[name], task, "unreadable", f"{name}.ipynb: {error}")
    return mark_rebuilt(notebook, task.seeds, sandbox, task.patience, task.kept.get(name, {}))


def mark_rebuilt(notebook, seeds, sandbox: Sandbox, patience: Patience | None = None, kept=None) -> dict:
    """One rebuilt notebook's part of a result; `kept` are verdicts that still hold: they are not made again."""
    kept = kept or {}
    ids = [exercise_of(cell) for cell in notebook.cells if rebuild.role(cell) == "check"]
    done = execute(notebook, seeds, sandbox, patience, only=[key for key in ids if key not in kept])
    checks = {key: done["checks"].get(key) or kept[key] for key in ids}
    return {
        "status": "graded",
        "detail": "",
        "cells": done["cells"],
        "checks": checks,
        "flags": [*_flags(notebook, checks), *_absent(done["cells"], checks)],
        "ipynb": packed(notebook),
    }


def _nothing(release, task, status, why):
    """A notebook that there is nothing to mark in: every exercise of it unanswered."""
    notebook = rebuild.blank(_release(release), why)
    ids = [exercise_of(cell) for cell in notebook.cells if rebuild.role(cell) == "check"]
    verdict = {"score": 0.0, "status": "blank", "misconception": "", "hint": f"Not graded: {why}.", "passed": 0}
    checks = {key: {"seed": task.seeds[key], **verdict, "told": why, "cases": 0, "seconds": 0.0} for key in ids}
    return {"status": status, "detail": why, "cells": [], "checks": checks, "flags": [], "ipynb": packed(notebook)}


@functools.lru_cache(maxsize=32)
def _release(text):
    return nbformat.reads(text, as_version=4)


def packed(notebook) -> str:
    """A notebook as one short line of text, for the journal."""
    return base64.b64encode(zlib.compress(json.dumps(notebook).encode(), 1)).decode()


def unpacked(text: str):
    """The notebook that `packed` made a line of."""
    return nbformat.from_dict(json.loads(zlib.decompress(base64.b64decode(text))))


def show(notebook, checks: dict, points: dict[str, float]):
    """Put each verdict into its check cell, as nbgrader reads it: words, and one float, the points."""
    for cell in notebook.cells:
        if rebuild.role(cell) != "check":
            continue
        exercise = find(exercise_of(cell))
        verdict, most = checks[exercise.id], points.get(exercise.id, exercise.points)
        earned = round(most * verdict["score"], 4)
        title = f"{exercise.title} ({exercise.id})"
        shown = bundle(title, verdict["status"], earned, most, verdict["hint"])
        said = {"output_type": "display_data", "data": shown, "metadata": {}}
        worth = {"output_type": "execute_result", "data": {"text/plain": repr(earned)}, "metadata": {}}
        cell.outputs = nbformat.from_dict([said, worth | {"execution_count": None}])
        cell.metadata["nbgrader"]["points"] = most
    return notebook


# What torch and transformers import at a first use, which takes seconds: a word in a probe, and the module.
_AT_FIRST_USE = {"torch.optim": "torch._dynamo", "LlamaForCausalLM": "transformers.models.llama.modeling_llama"}


def modules(releases) -> list[str]:
    """What the notebooks of a release and the probes of its checks import: a zygote imports it once for all."""
    found = {"torch": None, "matplotlib.pyplot": None}
    for text in releases:
        for cell in _release(text).cells:
            if cell.cell_type != "code":
                continue
            try:
                tree = ast.parse(cell.source)
            except SyntaxError:  # a magic, as in the setup cell
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    found.update(dict.fromkeys(alias.name for alias in node.names))
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found[node.module] = None
                    if node.module.partition(".")[0] == "course":
                        found.update(dict.fromkeys(f"{node.module}.{alias.name}" for alias in node.names))
                elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check":
                    probe = find(ast.literal_eval(node.args[0])).probe_source
                    found.update(dict.fromkeys(name for word, name in _AT_FIRST_USE.items() if word in probe))
    ours = ("autograde", *sys.stdlib_module_names)
    return [name for name in found if name.partition(".")[0] not in ours and _is_module(name)]


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # a name in a module, or a package that is not installed
        return False


def _flags(notebook, checks):
    """What a human should look at: an answer that names the operator which it was to build, and earns points."""
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if rebuild.role(cell) != "check" or rebuild.role(before) not in ("answer", "own"):
            continue
        exercise = find(exercise_of(cell))
        banned = {name.removeprefix("aten.").strip("_").removesuffix("_forward") for name in exercise.library}
        if checks[exercise.id]["score"] and (named := banned & _attributes(before.source)):
            yield f"{exercise.id}: its cell names {', '.join(sorted(named))}, which it was to build: look at it"


def _absent(cells, checks):
    """What a human should look at too: points lost beside a cell that wants a package which Colab may have had."""
    for cell in cells if any(verdict["score"] < 1 for verdict in checks.values()) else ():
        kind, words = cell["error"] or ("", "")
        if kind == "ModuleNotFoundError" and (named := re.fullmatch(r"No module named '([\w.]{1,60})'", words)):
            yield f"{cell['id']}: imports {named[1]}, which is not installed where it was graded: look at it"


def _attributes(source):
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in _BY_NAME]
    return names | {part.value for call in calls for part in call.args if isinstance(part, ast.Constant)}


_BY_NAME = ("getattr", "attrgetter", "methodcaller", "__getattribute__")


def _name(node):
    return getattr(node, "attr", getattr(node, "id", ""))
