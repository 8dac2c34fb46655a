"""A cell replaces methods of IPython's shell: run_cell, the compiler, the traceback, the error's display.

A kernel whose shell raises in its own error handling never answers, or runs nothing any more. The learner has taken his
own kernel apart, so nothing is owed for the honest answer below. What counts is that grading goes on, in good time.
"""

from tests.grading.attacks import Attack, answers

CELL = """
shell = get_ipython()

def broken(*args, **options):
    raise SystemError("LEAK: no shell left")

for name in ("run_cell", "run_cell_async", "showtraceback", "showsyntaxerror", "transform_cell", "run_code"):
    setattr(shell, name, broken)
shell.compile = shell.display_formatter = shell.events = None
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)], honest=())
