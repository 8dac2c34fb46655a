"""The attack suite through stock nbgrader, for comparison: run by hand, never by the tests.

    python -m tests.grading.attack_stock [--only NAME …] [--jobs 2] [--json FILE]

Each attack and one honest neighbour after it are graded by `nbgrader autograde` with its own settings, in a class of
their own. The whole of that runs in an outer sandbox, which is this script's and no part of nbgrader: the attacks are
real. So processes that are left cannot be counted here.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from autograde.sandbox import cgroups, view
from tests.grading import attacks
from tests.grading.attack_suite import WEEK, hand_in, make

SECONDS = 240  # for the two of them; nbgrader's own limit for a cell is set to 30
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\nc.Execute.timeout = 30\n'
# nbgrader's own tables; importing nbgrader to read them would take longer than grading does
SCORES = """
SELECT student, name, coalesce(manual_score, auto_score, 0) FROM (
    SELECT submitted_assignment.student_id AS student, base_cell.name AS name, grade.manual_score, grade.auto_score
    FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
    JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id)
"""


@dataclass
class Row:
    """What one attack achieved against stock nbgrader."""

    name: str
    kind: str
    undeserved: float = 0.0
    lost: float = 0.0
    stopped: bool = False
    disturbed: bool = False
    gradebook_lost: bool = False
    told: str = ""


def main(args=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(args)
    chosen = {name: attack for name, attack in attacks.load().items() if not options.only or name in options.only}
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        (Path(folder) / "ours").mkdir()
        ours = make(Path(folder) / "ours")
        neighbour = hand_in(ours, chosen)[0]
        stock = _stock_class(Path(folder), ours)
        points = {key.replace(".", "-") + "-check": worth for key, worth in ours.points(WEEK).items()}
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            order = random.Random(0).sample(sorted(chosen), len(chosen))  # cut short, it is a fair sample
            work = {pool.submit(_grade, stock, ours, n, chosen[n], neighbour, points): n for n in order}
            rows = []
            for done, future in enumerate(concurrent.futures.as_completed(work), 1):
                rows.append(future.result())
                print(f"{done}/{len(work)} {json.dumps(asdict(rows[-1]))}", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: row.name)
    counted = [row for row in rows if row.kind != "courtesy"]
    print(f"{len(rows)} attacks through stock nbgrader, one honest neighbour after each:")
    for what, of in (("undeserved points", "undeserved"), ("honest points lost", "lost")):
        values = [getattr(row, of) for row in counted]
        print(f"  {what:<28} {sum(values):g}, by {sum(value > 0 for value in values)} attacks")
    print(f"  runs stopped                 {sum(r.stopped for r in rows)}")
    print(f"  other submissions disturbed  {sum(r.disturbed for r in rows)}")
    print(f"  gradebooks lost or altered   {sum(r.gradebook_lost for r in rows)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def _stock_class(folder, ours):
    top = folder / "stock"
    for mine, theirs in (("solutions", "source"), ("course", "release")):
        shutil.copytree(ours.folder / mine, top / theirs, ignore=shutil.ignore_patterns("*.py"))
    (top / "nbgrader_config.py").write_text(CONFIG)
    line = [sys.executable, "-m", "nbgrader", "generate_assignment", WEEK, "--force"]
    subprocess.run(line, cwd=top, check=True, capture_output=True)
    return top


def _grade(stock, ours, name, attack, neighbour, points):
    row = Row(name, attack.kind)
    top = stock.with_name(f"stock-{name}")
    shutil.copytree(stock, top)
    for student, source in (("a-attack", name), ("z-neighbour", neighbour)):
        (top / "submitted" / student).mkdir(parents=True)  # by cp: a submission may hold what shutil does not copy
        subprocess.run(
            ["cp", "-a", ours.path("submitted", source, WEEK), top / "submitted" / student / WEEK], check=True
        )
    line = [*_outer(top), "-m", "nbgrader", "autograde", WEEK]
    group = cgroups.make(f"autograde-{os.getpid()}-stock-{name}", 6000, 1500)
    try:
        with subprocess.Popen(
            line, cwd=top, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        ) as run:
            if group:
                group.add(run.pid)
            try:
                _, said = run.communicate(timeout=SECONDS)
                row.stopped = run.returncode not in (0, 1)
            except subprocess.TimeoutExpired:
                run.kill()
                said, row.stopped = b"", True
        if said.startswith(b"bwrap:"):
            raise RuntimeError(f"{name} was not graded at all: {said.decode(errors='replace')}")
        row.told = said.decode(errors="replace").strip().splitlines()[-1][:200] if said.strip() else ""
        _count(row, attack, top / "gradebook.db", points)
    finally:
        if group:
            group.remove()
        subprocess.run(["rm", "-rf", top], check=False)  # shutil would not come back from folders nested so deep
    return row


def _count(row, attack, gradebook, points):
    rows = {}
    try:
        with contextlib.closing(sqlite3.connect(f"file:{gradebook}?mode=ro", uri=True)) as book:
            for student, name, score in book.execute(SCORES):
                rows.setdefault(student, {})[name] = score
    except sqlite3.Error:
        row.gradebook_lost = row.stopped = row.disturbed = True
        return
    marks = {name: score for name, score in rows.get("a-attack", {}).items()}
    honest = {key.replace(".", "-") + "-check" for key in attack.honest}
    row.undeserved = sum(score for name, score in marks.items() if name not in honest)
    row.lost = sum(points[name] - marks.get(name, 0.0) for name in honest)
    row.disturbed = rows.get("z-neighbour") != points


def _outer(top):
    """This script's own sandbox: the class may be written, all else is read-only or not there; Python follows."""
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
    for name in sorted({entry.name for entry in os.scandir("/")} - {"proc", "dev", "tmp", "kit"}):
        if os.path.islink(f"/{name}"):
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    words += ["--dir", "/kit/inside"]  # what the attacks look for before they act: in here they may
    words += ["--dev", "/dev", "--proc", "/proc", "--size", str(2 << 30), "--tmpfs", "/tmp"]
    for place in (sys.prefix, os.getcwd()):
        words += ["--ro-bind", place, place] if place.startswith("/tmp/") else []
    words += ["--dir", "/tmp/home", "--setenv", "HOME", "/tmp/home", "--bind", str(top), str(top)]
    words += ["--setenv", "PYTHONPATH", os.getcwd(), "--setenv", "OMP_NUM_THREADS", "1", "--chdir", str(top)]
    words += ["--setenv", "PATH", view.environment()["PATH"]]
    return [*words, "--", view.python()]


if __name__ == "__main__":
    sys.exit(main())
