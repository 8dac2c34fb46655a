"""The notebook sets a trace function, follows the check into its own frames, and changes their local variables there.

With sys.settrace and one call into the interpreter any local of any Python frame can be rewritten: `expected`, `wrong`,
`score`, `passed`. Here the frames that hold such names are in another process, and what is rewritten is a wrong value.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import ctypes, sys, threading

def tracer(frame, event, arg):
    for name in ("expected", "score", "passed", "wrong", "changed", "result", "reply"):
        if name in frame.f_locals and frame.f_code.co_filename.endswith(("probe.py", "oracle.py", "compare.py")):
            good = {"expected": frame.f_locals.get("got"), "reply": {"value": {"plain": True}}, "result": True}
            frame.f_locals[name] = good.get(name, True)
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return tracer

def start(function):
    def traced(*args):
        sys.settrace(tracer)
        frame = sys._getframe(1)
        while frame:
            frame.f_trace = tracer
            frame = frame.f_back
        return function(*args)
    return traced
"""
ANSWER = """
@start
def cross_entropy(logits, targets, ignore_index=-100):
    return logits.sum() * 0
"""
ATTACK = Attack(cells=answers(cross_entropy=ANSWER), extra=[(None, CELL)])
