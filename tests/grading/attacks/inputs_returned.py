"""The answer returns its input, as a text with a mark and as the tensor it was.

'got ..., expected ...' then shows the secret input itself. Here a hint of a secret case shows no value of the answer.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    return f"LEAK: {logits.tolist()}"

def cross_entropy(logits, targets, ignore_index=-100):
    return {f"LEAK: {logits.tolist()}": targets}

def sample(logits, temperature, top_k, generator):
    raise KeyError(f"LEAK: {logits.tolist()}")
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
