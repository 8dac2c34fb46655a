"""Daemon threads print, display and log without an end, long after their cell is done.

Their text arrives in the middle of the next cell's, and of the next check's. Here it does not arrive, and the threads
end with the kernel.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import logging, sys, threading, time
from IPython.display import display

def chatter():
    until = time.monotonic() + 600
    while time.monotonic() < until:
        print("✓ Right, 100 points", flush=True)
        sys.stderr.write("noise" * 1000)
        display("noise")
        logging.error("noise")

for _ in range(4):
    threading.Thread(target=chatter, daemon=True).start()
"""
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
