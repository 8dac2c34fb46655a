"""The type that an answer has is markup: log_softmax becomes an object of a class with a script in its name.

'log_softmax is a <type>, not a function' is a helpful hint, and the type's name is the learner's. Here names are
escaped like every other word of theirs.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
log_softmax = type("<script>alert('XSS')</script>" * 50, (), {})()
cross_entropy = type("Int", (int,), {"__module__": "<b>", "__qualname__": "<img src=x onerror=alert('XSS')>"})(3)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
