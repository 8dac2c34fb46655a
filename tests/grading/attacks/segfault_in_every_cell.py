"""Each answer crashes the interpreter as it is defined, the honest one apart, and so do five cells in between.

If each crash costs a start of a kernel and a run from the top, then crashes multiply, and the honest answer is reached
after minutes or never. Here a cell that ended a kernel is not run again.
"""

from tests.grading.attacks import Attack, answers, inside

CRASH = inside("import ctypes\nctypes.string_at(0)")
PLACES = [None, *["week1-log_softmax"] * 4]
ATTACK = Attack(
    cells=answers(log_softmax=CRASH, cross_entropy=CRASH, sample=CRASH),
    extra=[(place, f"n{number} = {number}\n{CRASH}") for number, place in enumerate(PLACES)],
)
