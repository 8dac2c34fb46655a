"""The notebook looks for gradebook.db up its own path, opens it with sqlite3 and gives itself full marks.

With stock nbgrader the kernel runs as the instructor, beside a gradebook that it can write. Here there is no gradebook
in sight and no place above the working folder that can be written.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import pathlib, sqlite3

for folder in list(pathlib.Path.cwd().parents)[:4]:  # a course's own gradebook, and no other on the machine
    book = folder / "gradebook.db"
    if book.is_file():
        try:
            with sqlite3.connect(book, timeout=5) as base:
                base.execute("UPDATE grade SET auto_score = 100, manual_score = 100, needs_manual_grade = 0")
                base.execute("UPDATE base_cell SET points = 100")
        except sqlite3.Error:
            pass
"""
ATTACK = Attack(cells=answers(), extra=[("week1-initial_loss", CELL)])
