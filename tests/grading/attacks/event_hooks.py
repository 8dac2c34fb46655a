"""Hooks before and after each cell replace the answers while a check runs, and the result that the shell hands on.

A post_run_cell hook that writes result.result decided the points where the grader reads the shell's result. Here a
cell's result is dropped in the kernel and never looked at.
"""

from tests.grading.attacks import Attack, answers

CELL = """
shell = get_ipython()

def before(info=None):
    shell.user_ns["check"] = lambda *args, **options: 100.0

def after(result=None):
    if result is not None:
        result.result = 100.0
        result.error_in_exec = result.error_before_exec = None

shell.events.register("pre_run_cell", before)
shell.events.register("post_run_cell", after)
shell.events.register("post_execute", before)
"""
ATTACK = Attack(cells=answers(), extra=[(None, CELL)])
