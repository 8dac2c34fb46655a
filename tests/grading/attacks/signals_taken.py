"""The notebook takes over SIGALRM, SIGINT, SIGTERM and SIGUSR1, and switches every interval timer off.

Time limits inside a process are made of these, so an answer that loops afterwards is never stopped by them. Here the
limit that counts is outside.
"""

from tests.grading.attacks import Attack, answers

ANSWER = """
import signal, time

def log_softmax(logits):
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGPROF, signal.SIGVTALRM):
        signal.signal(number, signal.SIG_IGN)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF, signal.ITIMER_VIRTUAL):
        signal.setitimer(timer, 0)
    until = time.monotonic() + 600
    while time.monotonic() < until:
        pass
    return logits
"""
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
