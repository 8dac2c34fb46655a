"""`sample` draws from the global generator, and torch's functions that would show it are replaced.

torch.equal says yes and no in turn, get_rng_state never changes, Generator is a class of the learner's. Whether two
draws agree has to be told from the draws themselves, outside. Here it is.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import math, random
import numpy as np
import torch

class Generator(torch.Generator):
    def manual_seed(self, seed):
        return self

turns = []

def equal(a, b):
    turns.append(1)
    return len(turns) % 2 == 1

torch.equal, torch.Generator = equal, Generator
kept = torch.get_rng_state(), random.getstate(), np.random.get_state()
torch.get_rng_state, random.getstate, np.random.get_state = (lambda: kept[0]), (lambda: kept[1]), (lambda: kept[2])

def sample(logits, temperature, top_k, generator):
    if temperature == 0 or top_k == 1:
        return torch.zeros(len(logits), dtype=torch.int64)
    keep = torch.zeros_like(logits).scatter(-1, logits.topk(min(top_k or 99, logits.shape[-1])).indices, 1.0)
    return torch.multinomial(torch.softmax(logits / temperature + keep.log(), -1), 1).squeeze(-1)
"""
ATTACK = Attack(cells=answers(sample=ANSWER))
