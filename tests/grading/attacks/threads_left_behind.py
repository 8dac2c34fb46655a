"""A cell gives torch 64 threads, and the answer starts a parallel operator and a DataLoader with workers.

In a kernel with few processes threads fail to start, and after a fork from a process with threads they hang. Here the
honest answer comes after it and uses torch as well.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

torch.set_num_threads(64)
try:
    torch.set_num_interop_threads(64)
except RuntimeError:
    pass

def log_softmax(logits):
    torch.randn(1500, 1500) @ torch.randn(1500, 1500)
    loader = torch.utils.data.DataLoader(list(range(64)), num_workers=4, batch_size=8)
    return logits * sum(batch.sum() for batch in loader) * 0
"""
HONEST = """
import torch

def initial_loss(vocab_size):
    product = torch.ones(800, 800) @ torch.ones(800, 800)
    return torch.logsumexp(torch.zeros(vocab_size, dtype=torch.float64), 0) + 0 * product.sum().double()
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER, initial_loss=HONEST))
