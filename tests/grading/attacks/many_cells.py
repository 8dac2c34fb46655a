"""The notebook has nineteen hundred cells of the learner's own, all alike, each with a little output.

Whatever is quadratic in cells shows here, as does a kernel that takes a moment for each. Honest logbooks come close.
The honest answer counts.
"""

from tests.grading.attacks import Attack, answers, code


def _edit(book):
    out = {"output_type": "stream", "name": "stdout", "text": "0.5\n" * 20}
    more = [code(f"a{n} = a{n - 1} + 1 if {n} else 0", id=f"own-{n}", outputs=[out]) for n in range(1900)]
    book["cells"][2:2] = [code("a0 = 0", id="own"), *more[1:]]
    return book


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
