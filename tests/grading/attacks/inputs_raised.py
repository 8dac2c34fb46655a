"""The answer raises an error whose message is its input, and one whose class is named after it.

Error messages are shown even by graders that hide prints, since learners need them. Here a message of a secret case is
no part of the feedback.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    raise ValueError(f"LEAK: {logits.tolist()}")

def cross_entropy(logits, targets, ignore_index=-100):
    raise type(f"LEAK: {logits.tolist()}", (Exception,), {})("x")

def sample(logits, temperature, top_k, generator):
    exec(compile(f"raise ValueError  # LEAK: {logits.tolist()}", "cell", "exec"))
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
