"""One answer keeps its inputs in a global, a file and the environment; a later cell and answer give them away.

Rules on what an answer may print during its own check miss what another cell says afterwards. Here nothing that is said
while grading reaches the learner but the verdicts' fixed words.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import os

KEPT = []

def log_softmax(logits):
    KEPT.append(logits.tolist())
    os.environ["KEPT"] = str(KEPT)[:1000]
    with open("kept.txt", "w") as file:
        file.write(str(KEPT))
    return logits * 0
"""
CELL = """
print("LEAK:", KEPT)
raise RuntimeError(f"LEAK: {KEPT}" if KEPT else "nothing was kept yet")
"""
LOSS = """
def cross_entropy(logits, targets, ignore_index=-100):
    raise ValueError(f"LEAK: {open('kept.txt').read()} {os.environ['KEPT']}")
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy=LOSS), extra=[("week1-initial_loss-check", CELL)])
