"""The release in this repository."""

import ast
import subprocess
import sys

from autograde import needed, release, source
from autograde.exercise import of_week


def test_the_committed_release_is_what_its_sources_build(repository):
    report = release.build(check_only=True, top=repository)
    assert report
    assert [path for week in report for path in week.changed] == [], "run `python -m autograde build`"


def test_a_second_build_gives_the_same_bytes(repository):
    chosen = release._chosen(None, repository)
    assert release._generate(chosen, repository) == release._generate(chosen, repository)


def test_every_source_gives_a_reference_for_each_of_its_exercises(repository):
    for py in release.sources(repository):
        for code in release.references(py).values():
            compile(code, str(py), "exec")


def test_grading_runs_nothing_of_a_lesson_but_its_imports(repository):
    """A demo in a cell that an answer leans on would train anew for every submission."""
    for py in release.sources(repository):
        roles = {"exercise": "answer", "check": "check"}
        cells = [
            (source.solved(cell.source), roles.get(cell.role, "")) for cell in source.read(py) if cell.kind == "code"
        ]
        for (code, role), runs in zip(cells, needed.to_grade(cells), strict=True):
            if runs and not role:
                assert all(isinstance(one, ast.Import | ast.ImportFrom) for one in ast.parse(code).body), (
                    py.name,
                    code,
                )


def test_the_command_reads_the_specifications_beside_itself_and_says_a_line_a_week(repository):
    command = [sys.executable, "-m", "autograde", "build", "--check"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    weeks = {py.parent.name for py in release.sources(repository)}
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == weeks
    (first,) = (line for line in done.stdout.splitlines() if line.startswith("week1_"))
    points = sum(exercise.points for exercise in of_week("week1"))
    assert first.endswith(f"{len(of_week('week1'))} exercises, {points:g} points, unchanged")
