"""A cell replaces the whole kernel process by a program of the learner's that speaks the grader's protocol.

It says 'done' to every cell and praises every answer, at once and without running anything. Whatever the other end of
the wire is, it has to give right values: this one gives True, and it was put there after the honest answer was graded.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

KERNEL = (
    FRAME
    + """
import sys

os.write(3, frame({"id": int(sys.argv[1]), "done": True}))
while head := os.read(3, 4):
    size, body = int.from_bytes(head, "big"), b""
    while len(body) < size:
        body += os.read(3, size - len(body))
    request = json.loads(body)
    if "end" in request:
        break
    praise = {"value": {"plain": True}, "changed": [], "printed": "", "score": 1.0}
    said = {"replies": [praise] * len(request["ask"]["messages"])} if "ask" in request else {"done": True}
    os.write(3, frame({"id": request["id"], **said}))
"""
)
CELL = f"KERNEL = {KERNEL!r}\n" + inside("""
    import sys

    frame = sys._getframe()
    while frame and "request" not in frame.f_locals:
        frame = frame.f_back
    number = frame.f_locals["request"]["id"] if frame else 1
    os.set_inheritable(3, True)
    os.execv(sys.executable, [sys.executable, "-S", "-E", "-c", KERNEL, str(number)])
""")
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss-check", CELL)])
