"""The notebook comes from Colab: google.colab is imported, a drive mounted, a form and a widget stand in cells.

None of it exists on the grader's machine. Honest learners hand it in each term. Here a cell that fails costs nothing
but what rests on it.
"""

from tests.grading.attacks import Attack, answers

CELL = """
from google.colab import drive, output
drive.mount("/content/drive")
%cd /content/drive/MyDrive
rate = 0.1 #@param {type:"slider", min:0, max:1}
"""
HONEST = """
#@title The loss of a model that knows nothing { display-mode: "form" }
import math

def initial_loss(vocab_size):
    return math.log(vocab_size)
"""
ATTACK = Attack(kind="broken", cells=answers(initial_loss=HONEST), extra=[(None, CELL)])
