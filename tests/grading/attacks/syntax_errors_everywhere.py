"""Every wrong answer is a syntax error of its own kind: a missing colon, mixed tabs, an open quote, a merge conflict.

It is what a notebook looks like at five to midnight. Stock nbgrader stops at the first. Here the honest one between
them counts.
"""

from tests.grading.attacks import Attack, answers

MERGE = "<<<<<<< HEAD\ndef sample(*args):\n    return 0\n=======\ndef sample(*args):\n    return 1\n>>>>>>> mine\n"
TABS = "def cross_entropy(*args):\n\tif args:\n        return 0\n"
ATTACK = Attack(
    kind="broken",
    cells=answers(log_softmax="def log_softmax(logits)\n    return 'open", cross_entropy=TABS, sample=MERGE),
    extra=[("week1-log_softmax", "print 'Python 2'"), ("week1-log_softmax", "await nothing\nreturn 5")],
)
