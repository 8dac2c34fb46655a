"""The answer reads address 0 through ctypes and crashes the interpreter.

A crash is no Python error, so nothing in the process can handle it; a runner in the same process dies too. Here the
kernel's end costs this answer its points, and no other.
"""

from tests.grading.attacks import Attack, answers, doing

ATTACK = Attack(cells=answers(log_softmax=doing("import ctypes\nctypes.string_at(0)")))
