"""`python -m autograde replay LEARNER EXERCISE`: run one mark again, with the seed that it was given by, and show why.

What it prints holds the inputs of the exercise's cases: keep it from learners until the seeds are revealed.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from autograde import marking, rebuild, release
from autograde.classroom import ClassError, Classroom, checked
from autograde.executor import execute
from autograde.exercise import UnknownExercise, find
from autograde.sandbox import Sandbox, SandboxUnavailable
from autograde.source import BuildError
from autograde.submission import read

_CONTROL = re.compile(r"[^\n\t\x20-\x7e\u00a0-\uffff]|[\u202a-\u202e\u2066-\u2069]")


def replay(classroom: Classroom, student: str, exercise_id: str, backend: str | None = None) -> tuple[dict, dict]:
    """→ (the verdict in the journal, the verdict now, with its details).

    Raises ClassError where there is no such mark, or the submission is another one by now.
    """
    find(exercise_id)
    results = classroom.journal.results()
    found = [
        (result, name)
        for (_, who), result in results.items()
        for name, book in result["notebooks"].items()
        if who == student and exercise_id in book["checks"]
    ]
    if not found:
        known = sorted({who for _, who in results})
        raise ClassError(f"no mark of {student!r} for {exercise_id} in the journal, which has {', '.join(known)}")
    result, name = found[-1]
    old = result["notebooks"][name]["checks"][exercise_id]
    texts = classroom.release(result["assignment"])
    submissions, _ = read(classroom.submitted, classroom.assignments(), classroom.roster, result["assignment"])
    mine = next((submission for submission in submissions if submission.student == student), None)
    if mine is None or name not in mine.notebooks:
        raise ClassError(f"{student} has no {name}.ipynb in {classroom.submitted} any more")
    seeds = {key: old["seed"] for key in checked(texts[name])}
    task = marking.Task(student, result["assignment"], mine.notebooks, texts, seeds)
    if result["digest"] and result["digest"] != task.digest:
        raise ClassError(f"{student}'s submission has changed since this mark: grade it again")
    try:
        notebook = rebuild.rebuild(mine.notebooks[name], nbformat.reads(texts[name], as_version=4))
    except rebuild.Unreadable as error:
        raise ClassError(f"{student}'s {name}.ipynb was never run: {error}") from None
    with Sandbox(marking.modules([texts[name]]), backend=backend) as sandbox:
        now = execute(notebook, seeds, sandbox, only=[exercise_id], detail=True)
    return old, now["checks"][exercise_id]


def main(args=None) -> int:
    """Print the cases of one mark; 0 where it comes out as it stands in the journal, 3 where it does not."""
    parser = argparse.ArgumentParser(
        prog="autograde replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("learner", metavar="LEARNER")
    parser.add_argument("exercise", metavar="EXERCISE", help="such as week1.ema")
    parser.add_argument("--folder", type=Path, help="the class (the repository by default)")
    parser.add_argument("--unsafe", action="store_true", help="without a sandbox")
    options = parser.parse_args(args)
    try:
        classroom = Classroom(options.folder or release.root())
        old, now = replay(classroom, options.learner, options.exercise, "none" if options.unsafe else None)
    except (ClassError, UnknownExercise, SandboxUnavailable, BuildError) as error:
        print(error, file=sys.stderr)
        return 1
    _print(options, old, now)
    same = old["score"] == now["score"]
    print("The same as in the journal." if same else f"NOT the same: the journal says {old['score']:g}.")
    return 0 if same else 3


def _print(options, old, now):
    print(f"{options.learner}, {options.exercise}, seed {now['seed']}: {now['status']}, score {now['score']:g}")
    print(f"told the learner: {now['hint'] or 'nothing to mend'}")
    if now["misconception"]:
        print(f"misconception: {now['misconception']}")
    for case in now.get("details", ()):
        print(f"\n{'✓' if case['passed'] else '✗'} {case['name']}")
        for what in ("reason", "inputs", "got", "expected", "printed"):
            if case[what]:
                text = _CONTROL.sub("?", case[what]).replace("\n", "\n             ")
                print(f"    {what:<9}{text}")
    print()
