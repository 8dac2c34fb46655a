"""The answers return, print and raise HTML: scripts, pictures with handlers, formulas, links.

The hint quotes what the answer gave, and the instructor reads it in formgrader, with a session that may change grades.
Here a learner's words are text on every page.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
MARKUP = (
    "<script>alert('XSS')</script><img src=x onerror=alert('XSS')><svg/onload=alert('XSS')>"
    "</pre></div><iframe srcdoc='<script>alert(1)</script>'></iframe>"
    "[x](javascript:alert('XSS')) $$\\\\href{javascript:alert(1)}{x}$$"
)

def log_softmax(logits):
    print(MARKUP)
    return MARKUP

def cross_entropy(logits, targets, ignore_index=-100):
    raise type("X<script>alert('XSS')</script>", (Exception,), {})(MARKUP)

def sample(logits, temperature, top_k, generator):
    return {MARKUP: MARKUP}

raise type("<img src=x onerror=alert('XSS')>", (Exception,), {})(MARKUP)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
