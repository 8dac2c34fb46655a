"""A notebook of nineteen megabytes is full of tiny statements: legal, and slow to parse.

Each cell costs the grader a second or two, in its own process and before any limit on the kernel begins; a hundred of
them cost minutes. Here more code than a course could ask for is no notebook: the file is refused, which costs
its learner the rest of it.
"""

from tests.grading.attacks import Attack, answers, code


def _edit(book):
    slow = "if 0:\n " + "a;" * 99_000
    book["cells"][2:2] = [code(f"{slow}b{n}", id=f"slow-{n}") for n in range(90)]
    return book


ATTACK = Attack(cells=answers(), edit=_edit, honest=())
