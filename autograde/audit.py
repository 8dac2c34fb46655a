"""`python -m autograde audit`: the matrix of every exercise against answers whose worth is known.

What is tried is in trial.py; answers written for it, marked `right` or `wrong`, are in tests/bank/.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import sys
import time
from dataclasses import asdict
from pathlib import Path

from autograde.bank import load_bank, right, wrong
from autograde.exercise import find, of_week, weeks
from autograde.trial import ALIKE_CASES, Report, audit

__all__ = ["audit", "main", "references", "right", "run", "wrong"]


def references() -> dict[str, str]:
    """Exercise id → source text of its reference solution, from every lesson in solutions/."""
    from autograde import release

    return {key: text for path in release.sources() for key, text in release.references(path).items()}


def bank_folder() -> Path:
    from autograde import release

    return release.root() / "tests" / "bank"


def run(ids: list[str], seeds: int, *, sources: dict[str, str], banks: Path, jobs: int = 2) -> list[Report]:
    """Audit the exercises of these ids, `jobs` at a time in processes of their own; 1 stays in this one."""
    tasks = [(each, sources.get(each), banks, seeds) for each in ids]
    if jobs == 1:
        return [_task(task) for task in tasks]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        return list(pool.map(_task, tasks[::-1]))[::-1]  # later lessons are larger: they start first


def _task(task):
    import torch

    exercise_id, source, banks, seeds = task
    week = exercise_id.partition(".")[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        bank = load_bank(banks, week)
        report = audit(find(exercise_id), source, bank, seeds)
        for stray in {entry.exercise_id for entry in bank} - {exercise.id for exercise in of_week(week)}:
            report.fail(f"its week's bank answers {stray}, which does not exist")
        return report
    finally:
        torch.set_num_threads(threads)


def main(args: list[str] | None = None) -> int:
    """Print the matrix. 0 where it is clean, 1 where anything failed, 2 where nothing was audited."""
    parser = argparse.ArgumentParser(
        prog="python -m autograde audit", description="Which wrong answers does each exercise tell apart?"
    )
    parser.add_argument("--week", action="append", metavar="WEEK", help="such as week1; may be repeated; default all")
    parser.add_argument("--exercise", action="append", metavar="ID", help="such as week1.ema; may be repeated")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="seeds 0 … N-1 of every exercise (default 2)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes at a time (default 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too")
    options = parser.parse_args(args)
    ids, unknown = _selected(options.week or [], options.exercise or [])
    if unknown or not ids or options.seeds < 1:
        what = f"there is no {' or '.join(unknown)}" if unknown else "no exercise or no seed is selected"
        print(f"Nothing was audited: {what}. The weeks here are {', '.join(weeks())}.", file=sys.stderr)
        return 2
    started = time.perf_counter()
    reports = run(ids, options.seeds, sources=references(), banks=bank_folder(), jobs=options.jobs)
    _print(reports, time.perf_counter() - started)
    if options.json:
        options.json.write_text(json.dumps([asdict(report) for report in reports], indent=1, ensure_ascii=False) + "\n")
    return 1 if any(report.failures for report in reports) else 0


def _selected(chosen_weeks, chosen_ids):
    """→ (ids of the exercises asked for, all by default; what was asked for and does not exist)."""
    known = [exercise.id for week in weeks() for exercise in of_week(week)]
    unknown = [name for name in [*chosen_weeks, *chosen_ids] if name not in {*known, *weeks()}]
    everything = not chosen_weeks and not chosen_ids
    return [i for i in known if everything or i in chosen_ids or i.partition(".")[0] in chosen_weeks], unknown


def _print(reports, seconds):
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Which wrong answers does each exercise tell apart? ({reports[0].seeds} seeds)")
    table.add_column("exercise")
    for title in ("cases", "right", "misconceptions", "said otherwise", "constants", "mutants", "crash", "equivalent"):
        table.add_column(title, justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("verdict")
    rows = [
        (r.cases, r.right, r.misconceptions, r.wrong, r.constants, r.mutants, r.crashed, len(r.equivalent))
        for r in reports
    ]
    for r, counts in zip(reports, rows, strict=True):
        verdict = f"{len(r.failures)} failed" if r.failures else "clean"
        table.add_row(r.id, *map(str, counts), f"{r.seconds:.1f}", verdict)
    table.add_section()
    totals = [str(sum(column)) for column in zip(*rows, strict=True)]
    table.add_row(f"{len(reports)} exercises", *totals, f"{seconds:.1f}", "")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    print("right: alternative solutions, beside the reference. crash: the mutants among them that only raise.")
    equivalent = [f"  {r.id}: {line}" for r in reports for line in r.equivalent]
    if equivalent:
        print(f"Mutants that mean the same as the reference, on {ALIKE_CASES} further cases:", *equivalent, sep="\n")
    failures = [f"  {r.id}: {line}" for r in reports for line in r.failures]
    if failures:
        print("Failures:", *failures, sep="\n")
