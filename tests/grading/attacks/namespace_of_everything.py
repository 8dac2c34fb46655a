"""The shell's namespace becomes a dict that has every name, and whatever is looked up is a function that pleases.

A grader that looks up `log_softmax` gets something callable even where nothing was written. Here a callable has to
give the right values, and this one gives a mapping that gives itself.
"""

from tests.grading.attacks import Attack, answers

CELL = """
class Everything(dict):
    def __contains__(self, key):
        return True

    def __missing__(self, key):
        return lambda *args, **options: 100.0

get_ipython().user_ns = Everything(get_ipython().user_ns)
"""
ATTACK = Attack(
    cells=answers(log_softmax="pass", cross_entropy="pass", sample="pass"), extra=[("week1-initial_loss-check", CELL)]
)
