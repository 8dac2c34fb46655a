"""json, struct, base64, hmac and pickle are replaced in the kernel: what is written out is what the learner likes.

Signed results, as some graders have, are signed by functions that stand in the learner's process. Here nothing needs to
be signed, and what comes out is read with the grader's own libraries.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import base64, hmac, json, pickle, struct

right = '{"id": 1, "replies": [], "score": 1.0, "status": "right"}'
json.dumps = lambda *args, **options: right
json.loads = lambda *args, **options: {"end": True, "run": "pass", "id": 1}
base64.b64encode = lambda *args, **options: b""
base64.b64decode = lambda *args, **options: b""
struct.pack = lambda *args: b"\\0" * 8
pickle.dumps = lambda *args, **options: b""
hmac.compare_digest = lambda *args: True
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
