"""Grade every attack in tests/grading/attacks, each between honest neighbours, and print what it achieved.

    python -m tests.grading.attack_suite [--only NAME …] [--jobs 2] [--json FILE]

Five numbers have to be 0: undeserved points, honest points lost, runs stopped, processes left, others disturbed; and no
page may carry what a check asked. Exits with 1 where one is not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import nbformat

from autograde import release
from autograde.classroom import Classroom
from autograde.gradebook import Book
from tests.grading import attacks, crash
from tests.grading.small import REPOSITORY, WEEK, make_course

EXERCISES = ("log_softmax", "initial_loss", "cross_entropy", "sample")
NEIGHBOURS = 6  # honest learners, spread over the alphabet so that they are graded between the attacks
LESSON = """\
# %% [markdown]
# # A small week
# %%
import math

import torch
"""


@dataclass
class Outcome:
    """What an attack achieved, in points and words."""

    name: str
    kind: str
    undeserved: float = 0.0
    courtesy: float = 0.0
    lost: float = 0.0
    stopped: bool = False
    leaked: list[str] = field(default_factory=list)
    seconds: float = 0.0
    told: str = ""


@dataclass
class Suite:
    """The outcomes, and what holds for the run as a whole."""

    outcomes: list[Outcome]
    disturbed: list[str]
    processes: list[str]
    altered: list[str]
    seconds: float
    status: int
    said: str

    @classmethod
    def read(cls, path: Path) -> "Suite":
        """What --json wrote."""
        facts = json.loads(path.read_text())
        return cls(**facts | {"outcomes": [Outcome(**one) for one in facts["outcomes"]]})

    @property
    def clean(self) -> bool:
        bad = any(o.undeserved or o.lost or o.stopped or o.leaked for o in self.outcomes)
        return not (bad or self.disturbed or self.processes or self.altered)


def lesson() -> tuple[str, dict[str, str]]:
    """The source of the one notebook, and the right answers by the exercise's name."""
    return release.lesson_asking(EXERCISES, LESSON, REPOSITORY)


def make(top: Path) -> Classroom:
    """A class whose one notebook asks the four exercises, released."""
    make_course(top).write_text(lesson()[0])
    nbgrader(top, "generate_assignment", WEEK)
    return Classroom(top)


def nbgrader(top, *words):
    line = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(line, cwd=top, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def hand_in(classroom: Classroom, chosen: dict[str, attacks.Attack]) -> list[str]:
    """Put the attacks and their neighbours into the class's folder of submissions → the neighbours."""
    book = json.loads(classroom.release(WEEK)["small"])
    honest = attacks.Attack(cells={f"week1-{name}": answer for name, answer in lesson()[1].items()})
    neighbours = [f"{letter}-honest-neighbour" for letter in "acgmtz"[:NEIGHBOURS]]
    for name in neighbours:
        attacks.hand_in(honest, classroom.path("submitted", name, WEEK), book)
    for name, attack in chosen.items():
        attacks.hand_in(attack, classroom.path("submitted", name, WEEK), book)
    return neighbours


def run(top: Path, chosen: dict[str, attacks.Attack], jobs: int = 2, patience=(8, 120)) -> Suite:
    """Grade them in one go, as an instructor would, and look at what is there afterwards."""
    classroom = make(top)
    neighbours = hand_in(classroom, chosen)
    secret, before = classroom.secret, _digests(classroom)
    line = [sys.executable, "-m", "autograde", "grade", str(classroom.submitted), "--folder", str(top)]
    line += ["--jobs", str(jobs), "--cell-seconds", str(patience[0]), "--notebook-seconds", str(patience[1])]
    crash.adopt_orphans()
    already, began = crash.below(os.getpid()), time.monotonic()
    done = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    time.sleep(2)  # what is on its way out may go
    left = sorted(f"{pid} {words}" for pid, words in crash.below(os.getpid()).items() if pid not in already)
    altered = sorted(name for name, digest in before.items() if _digests(classroom).get(name) != digest)
    altered += ["the term secret"] if classroom.secret != secret else []
    with Book(classroom) as book:
        rows = {row.student: row for row in book.rows(WEEK)}
    results = {student: result for (_, student), result in classroom.journal.results().items()}
    nbgrader(top, "generate_feedback", WEEK)
    acts = _acts(classroom, neighbours[0])
    outcomes = [_outcome(classroom, name, attack, rows, results, done.stderr) for name, attack in chosen.items()]
    for outcome in outcomes:
        outcome.leaked += [f"its feedback has {act}" for act in _acts(classroom, outcome.name) - acts]
    full = classroom.points(WEEK)
    disturbed = [name for name in neighbours if name not in rows or rows[name].marks != full]
    slow = [name for name in neighbours if name in results and results[name]["seconds"] > 10]
    return Suite(outcomes, disturbed + slow, left, altered, seconds, done.returncode, done.stderr)


def _outcome(classroom, name, attack, rows, results, said):
    outcome, full = Outcome(name, attack.kind), classroom.points(WEEK)
    if name not in rows:
        outcome.lost = sum(full[key] for key in attack.honest)
        lines = [line for line in said.splitlines() if line.startswith("not read:") and f"/{name}/" in line]
        outcome.stopped = not lines and any(classroom.path("submitted", name, WEEK).glob("*.ipynb"))
        outcome.told = lines[0].rpartition("/")[2] if lines else "no notebook was handed in"
        return outcome
    marks = {key: mark or 0.0 for key, mark in rows[name].marks.items()}
    earned = sum(mark for key, mark in marks.items() if key not in attack.honest)
    setattr(outcome, "courtesy" if attack.kind == "courtesy" else "undeserved", earned)
    outcome.lost = sum(full[key] - marks[key] for key in attack.honest)
    result = results[name]
    outcome.seconds, outcome.told = result["seconds"], result["detail"]
    outcome.leaked = _leaks(classroom, name)
    return outcome


def _leaks(classroom, name):
    """Outputs that carry an input of a check: what an attack gives away, it writes LEAK in front of."""
    found = []
    for path in classroom.path("autograded", name, WEEK).glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                text = json.dumps(output)
                if "LEAK" in text:
                    found.append(f"{path.name}: {text[:80]}")
    return found


class _Active(HTMLParser):
    """What of a page can act: scripts, frames, handlers of events, addresses that are programs or elsewhere."""

    def __init__(self):
        super().__init__()
        self.found, self._script = set(), False

    def handle_starttag(self, tag, attrs):
        self._script = tag == "script"
        if tag in ("iframe", "object", "embed", "form", "base", "meta", "link", "svg"):
            self.found.add(f"<{tag} {attrs}>")
        for name, value in attrs:
            address = name in ("src", "href", "action", "xlink:href") and not (value or "").startswith("#")
            if name.startswith("on") or (address and not (value or "").startswith("data:image/png")):
                self.found.add(f"<{tag} {name}={value!r}>")

    def handle_data(self, data):
        if self._script:
            self.found.add(f"the script {data[:60]!r}")
            self._script = False


def _acts(classroom, name):
    found = set()
    for path in classroom.path("feedback", name, WEEK).glob("*.html"):
        parser = _Active()
        parser.feed(path.read_text(encoding="utf-8"))
        found |= parser.found
    return found


def _digests(classroom):
    paths = [*(classroom.folder / "solutions").rglob("*"), *(classroom.folder / "course").rglob("*")]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def main(args=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(args)
    chosen = {name: attack for name, attack in attacks.load().items() if not options.only or name in options.only}
    top = Path(tempfile.mkdtemp(prefix="attacks-"))
    try:
        suite = run(top, chosen, options.jobs)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    show(suite)
    if options.json:
        options.json.write_text(json.dumps(asdict(suite), indent=1) + "\n")
    return 0 if suite.clean else 1


def show(suite: Suite) -> None:
    """The table: one line for each attack, and the totals."""
    print(
        f"{'attack':<34} {'kind':<9} {'undeserved':>10} {'honest lost':>11} {'leaks':>5} {'seconds':>7}  what was said"
    )
    for o in suite.outcomes:
        marks = f"{o.undeserved:>10g} {o.lost:>11g} {len(o.leaked):>5}"
        print(f"{o.name:<34} {o.kind:<9} {marks} {o.seconds:>7.1f}  {o.told[:60]}")
    print(f"\n{len(suite.outcomes)} attacks between {NEIGHBOURS} honest neighbours, {suite.seconds:.0f} s:")
    totals = {
        "undeserved points": sum(o.undeserved for o in suite.outcomes),
        "honest points lost": sum(o.lost for o in suite.outcomes),
        "runs stopped": sum(o.stopped for o in suite.outcomes),
        "processes left": len(suite.processes),
        "other submissions disturbed": len(suite.disturbed),
        "pages that carry a check's inputs or a script": sum(bool(o.leaked) for o in suite.outcomes),
        "files of the grader altered": len(suite.altered),
    }
    for what, number in totals.items():
        print(f"  {what:<46} {number:g}")
    courtesy = [o for o in suite.outcomes if o.kind == "courtesy"]
    points = sum(o.courtesy for o in courtesy)
    print(f"  reported, not counted: {len(courtesy)} call a ready-made operator, {points:g} points between them")
    for line in (
        *suite.disturbed,
        *suite.processes,
        *suite.altered,
        *(leak for o in suite.outcomes for leak in o.leaked),
    ):
        print(f"  ! {line}")


if __name__ == "__main__":
    sys.exit(main())
