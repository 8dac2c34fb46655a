"""The answer itself writes the reply that it would like, as the probe would, and then ends the process.

It knows the form from the open source, and the ids are small numbers. The verdict is not in the form: here the reply
says that the answer gave True, which is not what was asked for.
"""

from tests.grading.attacks import FRAME, Attack, answers, doing

ANSWER = doing("""
    for number in range(1, 60):
        for cases in (12, 13, 14, 15):
            reply = {"value": {"tensor": ["float32", list(logits.shape), ""]}, "verdict": "right", "score": 1.0}
            os.write(3, frame({"id": number, "replies": [reply] * cases, "score": 1.0, "points": 2}))
    os._exit(0)
""")
ATTACK = Attack(cells=answers(log_softmax=FRAME + ANSWER))
