"""Kill the grader again and again, resume it each time, and compare what comes out with a run that nobody disturbed.

    python -m tests.grading.crash [--learners 60] [--kills 10] [--seed N] [--keep FOLDER]

SIGKILL goes to the grader alone: the processes that it started have to end by themselves. Exits with 1 where a score, a
flag or a marked notebook differs, where something is left undone, or where a process is left over.
"""

import argparse
import contextlib
import ctypes
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autograde.classroom import Classroom
from tests.grading import classes
from tests.grading.small import WEEK

GRACE = 60.0  # seconds for what a killed grader started to notice it; a busy machine takes its time
_PR_SET_CHILD_SUBREAPER = 36
_ENDS = {"week1-log_softmax": "import os\nos.kill(os.getpid(), 9)\n", **classes.HALF}
_PRINTS = {"week1-log_softmax": classes.RIGHT["week1-log_softmax"] + "print('noise')\n", **classes.HALF}
KINDS = (classes.RIGHT, classes.WRONG, classes.HALF, classes.BLANK, _ENDS, b'{"cells": [', _PRINTS)


def make(top: Path, learners: int) -> tuple[Classroom, Classroom]:
    """Two classes that differ in nothing, the term's secret and the files' times included."""
    released = classes.release(top)
    hand_ins = {f"learner-{number:03}": KINDS[number % len(KINDS)] for number in range(learners)}
    broken = released.copy(top / "broken", hand_ins)
    _ = broken.secret
    shutil.copytree(broken.folder, top / "unbroken")
    return broken, Classroom(top / "unbroken")


def start(classroom: Classroom, resume: bool) -> subprocess.Popen:
    what = ["--resume"] if resume else [str(classroom.submitted)]
    line = [sys.executable, "-m", "autograde", "grade", *what, "--folder", str(classroom.folder), "--jobs", "2"]
    with open(classroom.folder / "said", "wb") as said:  # a pipe would be held open by what it starts
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=said, stderr=said)


def said(classroom: Classroom) -> str:
    return (classroom.folder / "said").read_text(errors="replace").strip()[-500:]


def progress(classroom: Classroom) -> tuple[int, int]:
    """How many learners' results are in the journal, and how many of these are noted as written."""
    kinds = {"result": set(), "written": set()}
    for entry in classroom.journal.entries(*kinds):
        kinds[entry["kind"]].add(entry["student"])
    return len(kinds["result"]), len(kinds["written"])


# --- the kills --------------------------------------------------------------------------------------------------------


def moments(rng: random.Random, kills: int, learners: int) -> list[tuple[str, float | int]]:
    """When to kill: the first two as it starts, of the others a third at any time and the rest after some results."""
    found = [("s", rng.uniform(0.0, 0.3)), ("s", rng.uniform(0.3, 3.0))]
    for number in range(2, kills):
        most = max(1, round(1.6 * learners / kills))
        found.append(("s", rng.uniform(1.0, 8.0)) if number % 3 == 0 else ("results", rng.randint(1, most)))
    return found[:kills]


def kill_once(classroom: Classroom, moment, rng) -> tuple[bool, str]:
    """Start or resume, and kill → (whether it was killed before its end, what happened)."""
    what, much = moment
    before, resume = progress(classroom)[0], classroom.journal.unfinished() is not None
    process = start(classroom, resume)
    if what == "s":
        wait_until(lambda: process.poll() is not None, much)
        when = f"after {much:.2f} s"
    else:
        wait_until(lambda: process.poll() is not None or progress(classroom)[0] >= before + much, 600)
        time.sleep(rng.uniform(0, 0.15))
        when = f"after {much} more results"
    ended = process.poll()
    process.kill()
    process.wait()
    how = "resumed" if resume else "started"
    if ended is None:
        return True, f"{how}, killed {when}"
    return False, f"{how}, had ended with {ended} by itself {when}"


def adopt_orphans() -> None:
    """Whatever is started below this process becomes its child when its own parent ends, and so can be found."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def below(pid: int) -> dict[int, str]:
    """{number: command line} of all processes that descend from this one; those that have ended are reaped."""
    found, waiting = {}, [pid]
    for parent in waiting:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                waiting += map(int, task.read_text().split())
    for process in waiting[1:]:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                os.waitpid(process, os.WNOHANG)
            else:
                found[process] = words(process)
    return found


def words(process: int) -> str:
    """The command line of a process; "" where there is none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:100]
    return ""


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true within so many seconds."""
    until = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < until:
        time.sleep(0.02)
    return done


# --- the whole --------------------------------------------------------------------------------------------------------


def run(top: Path, learners: int, kills: int, seed: int, say=print) -> list[str]:
    """→ what is wrong in the end, a line each."""
    adopt_orphans()
    rng, wrong, killed = random.Random(seed), [], 0
    broken, unbroken = make(top, learners)
    for number, moment in enumerate(moments(rng, kills, learners), 1):
        was_killed, told = kill_once(broken, moment, rng)
        killed += was_killed
        began = time.monotonic()
        wait_until(lambda: not below(os.getpid()), GRACE)
        alone, left = time.monotonic() - began, below(os.getpid())
        wrong += [f"kill {number}: process {pid} is left: {line}" for pid, line in left.items()]
        journaled, written = progress(broken)
        there = f"{journaled}/{learners} journaled, {written} noted as written, {in_book(broken)} in the gradebook"
        say(f"kill {number:>2}: {told}; {there}; {'NOT all' if left else 'all'} processes ended within {alone:.1f} s")
    last = start(broken, broken.journal.unfinished() is not None)
    last.wait()
    say(f"last: ended with {last.returncode}; {progress(broken)[0]}/{learners} journaled; {killed} kills came in time")
    wrong += [] if last.returncode in (0, 3) else [f"the last run ended with {last.returncode}: {said(broken)}"]
    wrong += [
        f"{key} is still unfinished" for key in (broken.journal.unfinished() or {"submissions": ()})["submissions"]
    ]
    whole = start(unbroken, resume=False)
    whole.wait()
    wrong += [] if whole.returncode in (0, 3) else [f"the unbroken run ended with {whole.returncode}: {said(unbroken)}"]
    return wrong + compare(classes.everything(broken), classes.everything(unbroken), learners)


def in_book(classroom: Classroom) -> int:
    """How many submissions the gradebook knows; nbgrader's own way to look would mend what is half made."""
    with contextlib.suppress(sqlite3.Error):  # killed before there were tables
        with contextlib.closing(sqlite3.connect(f"file:{classroom.folder}/gradebook.db?mode=ro", uri=True)) as base:
            return base.execute("SELECT count(*) FROM submitted_assignment").fetchone()[0]
    return 0


def compare(broken: dict, unbroken: dict, learners: int) -> list[str]:
    """What differs, a line each."""
    wrong = [f"{len(unbroken)} learners in the gradebook, not {learners}"] if len(unbroken) != learners else []
    for student in sorted(broken.keys() | unbroken.keys()):
        one, other = broken.get(student), unbroken.get(student)
        if one is None or other is None:
            wrong.append(f"{student} is missing in the {'broken' if one is None else 'unbroken'} class")
            continue
        wrong += [
            f"{student}: {part} differ: {one[part]} {other[part]}"[:300] for part in one if one[part] != other[part]
        ]
    return wrong


def main(args=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=60, metavar="N")
    parser.add_argument("--kills", type=int, default=10, metavar="N")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), metavar="N", help="of the moments")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the classes there, and leave them")
    options = parser.parse_args(args)
    top = options.keep or Path(tempfile.mkdtemp(prefix="crash-"))
    top.mkdir(exist_ok=True)
    try:
        print(f"{options.learners} submissions of {WEEK}, {options.kills} kills, seed {options.seed}", flush=True)
        wrong = run(top, options.learners, options.kills, options.seed, lambda line: print(line, flush=True))
    finally:
        if not options.keep:
            shutil.rmtree(top, ignore_errors=True)
    for line in wrong:
        print(f"  ! {line}")
    same = "the gradebook and the marked notebooks are those of an unbroken run, and no process is left"
    print(f"{len(wrong)} things are WRONG" if wrong else f"verdict: {same}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
