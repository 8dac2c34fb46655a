"""The cells are written to strain whoever parses them: deep expressions, a hundred thousand names, endless chains.

To tell which cells an answer needs, a grader parses the learner's source in its own process, where a parser's stack or
time has no limit of its own. Here the amount of code is bounded, and what cannot be parsed
in good order is run, or not, like any cell.
"""

from tests.grading.attacks import Attack, answers, code

SOURCES = [
    "x" + "[0]" * 20_000,
    "a" + ".b" * 20_000,
    "-" * 2_000 + "1",
    "1" + "+1" * 20_000,
    "1 if 1 else " * 2_000 + "1",
    "(" * 40_000,
    "lambda: " * 2_000 + "1",
    "9" * 40_000,
    "[" * 150 + "]" * 150,
    "\n".join(" " * n + "def f():" for n in range(95)) + "\n" + " " * 95 + "pass",
    "if 1:\n pass\n" + "elif 1:\n pass\n" * 2_000,
    "f'" + "{f'" * 60 + "}'" * 60,
    "'\\d' * " * 2_000 + "1",
    "\x00",
    "\ud800",
    "print(\x0c'a')\r\x1a",
]


def _edit(book):
    book["cells"][2:2] = [code("if 0:\n " + "a;" * 45_000, id=f"names-{n}") for n in range(2)]
    book["cells"][2:2] = [code(source, id=f"deep-{n}") for n, source in enumerate(SOURCES)]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
