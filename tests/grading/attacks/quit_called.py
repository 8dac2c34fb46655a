"""The notebook ends with exit() and quit, and asks the shell to leave without a question.

In a Jupyter kernel these stop the kernel, so everything below is ungraded: zero points for the honest rest. Here the
shell of the sandbox has no loop that could be asked to end.
"""

from tests.grading.attacks import Attack, answers

CELL = """
get_ipython().ask_exit() if hasattr(get_ipython(), "ask_exit") else None
quit()
exit()
"""
ATTACK = Attack(kind="broken", cells=answers(), extra=[("week1-log_softmax", CELL)])
