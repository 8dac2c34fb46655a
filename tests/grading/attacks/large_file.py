"""The notebook has thirty megabytes, most of them a plot that was displayed again and again.

Interactive plots do it to honest learners. Reading, validating and storing it takes minutes, and the database keeps it.
Here a file has a size, and the learner is told to clear the outputs; until then there is nothing that could be graded.
"""

from tests.grading.attacks import Attack, answers, cell


def _edit(book):
    plot = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<div>" + "0123456789" * 300_000}}
    cell(book, "week1-log_softmax")["outputs"] = [plot] * 10
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit, honest=())
