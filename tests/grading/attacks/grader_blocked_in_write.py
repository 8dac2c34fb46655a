"""A forged 'done' makes the grader send on while the kernel sleeps, and the next cell is larger than a socket holds.

Graders put time limits on reading and none on writing: a write to a kernel that does not read never returns, and with
it the whole class waits. Here the grader must give up a kernel that does not take its request in time.
"""

from tests.grading.attacks import FRAME, Attack, answers, inside

CELL = FRAME + inside("""
    for number in range(1, 60):
        os.write(3, frame({"id": number, "done": True}))
    time.sleep(600)
""")
LARGE = "# " + "a long comment, " * 12_000 + "\n"
AFTER = "week1-log_softmax-check"
ATTACK = Attack(cells=answers(), extra=[(AFTER, CELL), *[(AFTER, f"x{n} = 1\n{LARGE}") for n in range(8)]])
