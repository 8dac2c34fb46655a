"""`autograde` as a notebook finds it while it is graded: the check of each exercise runs outside, not here."""

__all__ = ["check", "run"]


def check(exercise_id, target=None, *, seed=0):
    """Says that grading happens elsewhere; the float is what a check returns."""
    print(f"{exercise_id}: checked by the grader, outside of this kernel.")
    return 0.0


def run(exercise_id, target=None, *, seed=0):
    """There is no verdict in here."""
    raise RuntimeError("autograde.run is not there while a notebook is graded")
