"""The answers return and print strings of lone surrogates, NUL, escape sequences and right-to-left marks.

They cannot be encoded, end a C string, repaint the instructor's terminal, or turn a line of the table around. Here a
text is shown to a reader only after what could act in it is taken out.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
ODD = "\\ud800\\udfff \\0 \\x1b[2J\\x1b]0;owned\\x07\\x1b[31m \\u202etxt.exe \\u2066 \\r\\n \\x9b31m \\uffff"

def log_softmax(logits):
    print(ODD)
    return ODD

def cross_entropy(logits, targets, ignore_index=-100):
    raise ValueError(ODD)

def sample(logits, temperature, top_k, generator):
    return {ODD: ODD}

raise RuntimeError(ODD)
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER, cross_entropy="pass", sample="pass"))
