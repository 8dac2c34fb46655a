"""The notebook leaves a note in every shared place, and looks there for the notes of those who were graded before.

/tmp, /dev/shm, sockets by name and shared memory outlive a kernel on an ordinary machine, so answers travel from one
submission to the next. Here every kernel has its own of each, and it ends with the kernel.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import glob, socket
    from multiprocessing import shared_memory

    if old := glob.glob("/tmp/note-*") + glob.glob("/dev/shm/note*") + glob.glob("/dev/mqueue/note*"):
        raise RuntimeError(f"LEAK: {old}")
    for path in ("/tmp/note-1", "/dev/shm/note-1"):
        with open(path, "w") as file:
            file.write("what I was asked")
    try:
        shared_memory.SharedMemory("note", create=True, size=4096)
    except FileExistsError:
        raise RuntimeError("LEAK: a shared memory of an earlier learner")
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect("\\0note")
        raise RuntimeError("LEAK: an earlier learner listens")
    except OSError:
        link.bind("\\0note")
        link.listen()
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
