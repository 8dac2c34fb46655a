"""Hostile and broken submissions, one file each, to be graded beside honest neighbours.

A file's docstring is its story: who tries what, why it once worked on graders such as stock nbgrader or otter, and what
must happen here. Its ATTACK says what is handed in, for a course of one notebook with the exercises log_softmax,
initial_loss, cross_entropy and sample of week 1, in this order; cells are named by id ('week1-sample'), and a check
cell ('week1-sample-check') follows each.

    ATTACK = Attack(cells=answers(log_softmax="…"), extra=[("week1-log_softmax", "…")])

Two things are counted. Undeserved points: what `answers` fills in is wrong for log_softmax, cross_entropy and sample,
and no attack may earn anything for them. Honest points: initial_loss is answered rightly, and keeps its points
whatever the rest of the submission does, unless `honest` is empty, where the learner spoilt the file or the kernel by
his own hand and the story says so. What an answer was asked is secret: a cell that gives it away writes LEAK before it.

Sources that act on processes, on memory or outside of their folder are wrapped by `inside`, so that they do nothing on
a developer's machine: they run where /kit/inside is, in our own sandbox. Every other loop and hog ends by itself.
"""

import copy
import importlib
import json
import pkgutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

NOTEBOOK = "small.ipynb"  # the name of the one notebook of the course, as tests.grading.small calls it

RIGHT = {
    "log_softmax": """
def log_softmax(logits):
    shifted = logits - logits.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()
""",
    "initial_loss": """
import math

def initial_loss(vocab_size):
    return math.log(vocab_size)
""",
}
WRONG = {
    "log_softmax": """
def log_softmax(logits):
    return logits * 0
""",
    "cross_entropy": """
def cross_entropy(logits, targets, ignore_index=-100):
    return logits.sum() * 0
""",
    "sample": """
import torch

def sample(logits, temperature, top_k, generator):
    return torch.zeros(len(logits), dtype=torch.int64)
""",
}
# In a cell: how a frame of the sandbox's wire is put together (autograde/sandbox/inside/frames.py), for forgeries.
FRAME = """
import json, os, threading, time

def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return len(body).to_bytes(4, "big") + body
"""


@dataclass(frozen=True)
class Attack:
    """What one learner hands in.

    kind     hostile, broken, or courtesy: calls a ready-made operator past the ban, which is reported and not counted
    cells    answers by cell id; None deletes the cell
    extra    (after which cell id, or None for the top; source): code cells of the learner's own
    honest   exercises whose points are deserved no matter what
    edit     raw notebook → raw notebook, or the bytes of the file: after cells and extra
    files    further files of the submission, by relative path
    hand_in  writes the whole submission into submitted/STUDENT/ASSIGNMENT by itself, given the notebook's bytes
    """

    kind: str = "hostile"
    cells: dict[str, str | None] = field(default_factory=dict)
    extra: list[tuple[str | None, str]] = field(default_factory=list)
    honest: tuple[str, ...] = ("week1.initial_loss",)
    edit: Callable[[dict], dict | bytes] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    hand_in: Callable[[Path, bytes], None] | None = None

    def __post_init__(self):
        if self.kind not in ("hostile", "broken", "courtesy"):
            raise ValueError(f"an attack is hostile, broken or courtesy, not {self.kind!r}")


def answers(**own: str | None) -> dict[str, str | None]:
    """{cell id: source} of a submission: wrong but for initial_loss, where not given by the exercise's name."""
    given = {**WRONG, "initial_loss": RIGHT["initial_loss"], **own}
    return {f"week1-{name}": text and textwrap.dedent(text).strip() + "\n" for name, text in given.items()}


def inside(source: str) -> str:
    """A cell that does this in our sandbox alone."""
    body = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return f'import os\n\nif os.path.exists("/kit/inside"):\n{body}\n'


def doing(source: str) -> str:
    """An answer to log_softmax that does this, in our sandbox alone, and gives a wrong result."""
    return "def log_softmax(logits):\n" + textwrap.indent(inside(source), "    ") + "    return logits * 0\n"


def load() -> dict[str, Attack]:
    """Every attack, by the name of its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").ATTACK for name in names}


def story(name: str) -> str:
    """The docstring of an attack's file."""
    return importlib.import_module(f"{__name__}.{name}").__doc__.strip()


def notebook(attack: Attack, release: dict) -> bytes:
    """The file that is handed in: a release notebook, as json reads it, with the attack's answers, cells and edits."""
    book = copy.deepcopy(release)
    extras = {}
    for number, (name, source) in enumerate(attack.extra):
        extras.setdefault(name, []).append(code(source, id=f"own-{number}"))
    cells = extras.pop(None, [])
    for given in book["cells"]:
        given["source"] = attack.cells.get(given["id"], given["source"])
        cells += [given] if given["source"] is not None else []
        cells += extras.pop(given["id"], [])
    if unknown := {*extras, *attack.cells} - {given["id"] for given in book["cells"]}:
        raise ValueError(f"the notebook has no cell {sorted(unknown)}")
    book["cells"] = cells
    edited = attack.edit(book) if attack.edit else book
    return edited if isinstance(edited, bytes) else json.dumps(edited, indent=1).encode()


def hand_in(attack: Attack, folder: Path, release: dict, name: str = NOTEBOOK) -> None:
    """Write the submission into `folder`, submitted/STUDENT/ASSIGNMENT."""
    folder.mkdir(parents=True, exist_ok=True)
    data = notebook(attack, release)
    for path, text in attack.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    if attack.hand_in:
        attack.hand_in(folder, data)
    else:
        (folder / name).write_bytes(data)


# --- for edits of the raw notebook ------------------------------------------------------------------------------------


def cell(book: dict, name: str) -> dict:
    """The cell of this id in a raw notebook."""
    return next(given for given in book["cells"] if given.get("id") == name)


def code(source: str, **more) -> dict:
    """A raw code cell."""
    plain = {"cell_type": "code", "execution_count": None, "id": "own", "metadata": {}, "outputs": [], "source": source}
    return {**plain, **more}


def markdown(source: str, **more) -> dict:
    """A raw markdown cell."""
    return {"cell_type": "markdown", "id": "own-text", "metadata": {}, "source": source, **more}
