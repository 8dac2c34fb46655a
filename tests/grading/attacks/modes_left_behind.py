"""A cell enters inference mode, a dispatch mode and autograd's anomaly mode, and never leaves them.

`torch.inference_mode().__enter__()` in a notebook is seen in the wild. What comes later cannot take gradients, or fails
in the check's own code. Here the honest answer needs a gradient and gets it.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import torch

torch.set_grad_enabled(False)
torch.inference_mode().__enter__()
torch.autograd.set_detect_anomaly(True)
torch.use_deterministic_algorithms(True)
torch.set_printoptions(precision=0, threshold=1)
"""
HONEST = """
import torch

def initial_loss(vocab_size):
    logits = torch.zeros(vocab_size, dtype=torch.float64, requires_grad=True)
    loss = torch.logsumexp(logits, 0)
    loss.backward()
    assert logits.grad is not None
    return loss
"""
ATTACK = Attack(kind="broken", cells=answers(initial_loss=HONEST), extra=[("week1-log_softmax", CELL)])
