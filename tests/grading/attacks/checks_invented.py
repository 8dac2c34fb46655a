"""The learner adds graded cells of his own: a bonus of fifty points, a task, and a hand-graded essay, all well formed.

nbgrader takes the cells of a submission for those of the assignment when its own are missing, and adds their points.
Here a cell that the release does not have is a cell of the learner's own.
"""

from tests.grading.attacks import Attack, answers, code, markdown


def _label(name, **more):
    plain = {"schema_version": 3, "grade_id": name, "grade": True, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**plain, "points": 50, **more}}


def _edit(book):
    book["cells"] += [
        code("50.0", id="bonus", metadata=_label("week1-bonus-check")),
        code('check("week1.perplexity", lambda *args: 1.0)', id="more", metadata=_label("week1-perplexity-check")),
        markdown("An essay.", id="essay", metadata=_label("essay", solution=True, locked=False)),
        markdown("A task.", id="task", metadata=_label("task", task=True, grade=False)),
    ]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
