"""The answers are the banned operators under other names: a partial, a method, a module, a distribution.

A ban on names is walked around in a line, and often by accident: nn.LogSoftmax looks like another thing. Here the
operator is refused wherever it is reached from.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import functools
import torch

turn = [0]
ways = [
    functools.partial(torch.log_softmax, dim=-1),
    lambda x: torch.nn.LogSoftmax(-1)(x),
    lambda x: getattr(x, "log_" + "softmax")(-1),
    lambda x: torch.distributions.Categorical(logits=x).logits,
    lambda x: torch.ops.aten._log_softmax.default(x, -1, False),
    lambda x: x - torch.special.logsumexp(x, -1, keepdim=True),
    torch.vmap(lambda row: torch.log_softmax(row, -1)),
]

def log_softmax(logits):
    turn[0] += 1
    return ways[turn[0] % len(ways)](logits)

cross_entropy = torch.nn.CrossEntropyLoss()
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass"))
