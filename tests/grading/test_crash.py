"""A grader that is killed again and again ends with what one that nobody disturbed has."""

import subprocess
import sys

from tests.grading import crash


def test_killed_three_times_it_ends_as_if_it_had_not_been(repository):
    words = [sys.executable, "-m", "tests.grading.crash", "--learners", "10", "--kills", "3"]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[:6] for line in lines[1:4]] == ["kill  "] * 3 and lines[-1].startswith("verdict:")
    assert "10/10 journaled" in lines[-2]


def test_what_differs_is_told():
    """A comparison that finds nothing says something only where it would have found it."""
    ada = {"grades": {"week1.ema": {"score": 1.0}}, "row": ["", 1.0, [None]], "files": {"a.ipynb": "{}"}}
    assert crash.compare({"ada": ada, "bo": ada}, {"ada": ada, "bo": ada}, 2) == []
    assert crash.compare({"ada": ada}, {"ada": ada}, 2) == ["1 learners in the gradebook, not 2"]
    assert crash.compare({}, {"ada": ada}, 1) == ["ada is missing in the broken class"]
    for part, other in (("grades", {}), ("row", ["", 0.5, [None]]), ("files", {"a.ipynb": "{ }"})):
        (line,) = crash.compare({"ada": ada | {part: other}}, {"ada": ada}, 1)
        assert line.startswith(f"ada: {part} differ")
