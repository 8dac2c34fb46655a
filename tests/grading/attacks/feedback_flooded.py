"""The learner's own version of the probe gives error messages, changed arguments and prints of two megabytes each.

What an honest probe cuts short, a forged reply does not. The hint goes into the gradebook, the marked notebook and the
feedback of this learner, at six megabytes each. Here the far side cuts again.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from autograde import probe

long = "<b>flood</b> " * 20_000

def flood(target, source, messages, rules=None):
    odd = [{"error": [long, long, long], "printed": long}, {"value": {"plain": long}, "changed": [long, "logits"]}]
    return [odd[name == "changed"] for name in ["error"] * (len(messages) - 1) + [flood.last]]

flood.last = "error"
probe.answer = flood
"""
ATTACK = Attack(
    cells=answers(), extra=[("week1-initial_loss-check", CELL), ("week1-cross_entropy-check", 'flood.last = "changed"')]
)
