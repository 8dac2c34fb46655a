"""An answer and a cell leave torch with another default dtype and device: float16, on meta.

Each later answer makes its tensors there, the honest ones too, and the check with them. Here every answer starts from
torch's own settings.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

def log_softmax(logits):
    torch.set_default_dtype(torch.float16)
    torch.set_default_device("meta")
    return logits * 0
"""
CELL = """
torch.set_default_dtype(torch.float16)
torch.set_default_device("meta")
"""
HONEST = """
import torch

def initial_loss(vocab_size):
    return torch.logsumexp(torch.zeros(vocab_size), 0)
"""
ATTACK = Attack(
    kind="broken", cells=answers(log_softmax=ANSWER, initial_loss=HONEST), extra=[("week1-log_softmax-check", CELL)]
)
