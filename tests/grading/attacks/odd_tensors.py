"""The answer returns tensors that are none: on meta, sparse, quantized, complex, nested, on another layout, of no size.

Each has a shape and a dtype and raises somewhere in allclose, often with the grader's frame at the top of the trace.
Here each is an answer of another kind than asked for.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import torch

turn = [0]

def log_softmax(logits):
    turn[0] += 1
    kinds = [
        lambda: logits.to("meta"), lambda: logits.to_sparse(), lambda: logits.to(torch.complex64),
        lambda: torch.quantize_per_tensor(logits.nan_to_num(), 0.1, 0, torch.qint8), lambda: logits.new_empty(0),
        lambda: torch.nested.nested_tensor([logits, logits]), lambda: logits.to(torch.float8_e4m3fn),
        lambda: torch.nn.Parameter(logits), lambda: logits.conj(), lambda: torch.empty(logits.shape).share_memory_(),
    ]
    return kinds[turn[0] % len(kinds)]()
"""
ATTACK = Attack(kind="broken", cells=answers(log_softmax=ANSWER))
