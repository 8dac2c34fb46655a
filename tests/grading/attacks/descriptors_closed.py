"""The answer closes every file that it did not open, the kernel's socket among them, and goes on computing.

Clean-up code that closes 'everything above 2' is a classic, and a kernel without its connection is not dead. Here the
end of the connection is the end of the kernel, and the honest answer is asked in another.
"""

from tests.grading.attacks import Attack, answers, doing

ANSWER = doing("""
    import time

    os.closerange(0, 4096)
    time.sleep(600)
""")
ATTACK = Attack(cells=answers(log_softmax=ANSWER))
