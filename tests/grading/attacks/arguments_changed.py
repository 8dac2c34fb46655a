"""The answer computes the right thing, and writes it into its argument on the way.

It is an honest slip with `-=`, and where cases share tensors it spoils the next answer's inputs, or the grader's copy.
Here it is told, earns nothing for this exercise as the rules say, and touches nobody's inputs.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
def log_softmax(logits):
    logits -= logits.amax(-1, keepdim=True)
    logits -= logits.exp().sum(-1, keepdim=True).log()
    return logits
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
