"""The one writer of the gradebook: results → nbgrader's rows and marked notebooks, as its SaveAutoGrades makes them.

Writing a result twice changes nothing. A grade given by hand stays, and is marked for a look where the automatic one
has changed under it.
"""

import json
import warnings
from dataclasses import dataclass
from datetime import UTC

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import determine_grade, is_grade, parse_utc
from sqlalchemy.exc import SAWarning

from autograde import marking
from autograde.classroom import Busy, ClassError, Classroom
from course.lab import files

# SQLAlchemy warns of how nbgrader fills its own tables; nothing here can be done about it.
warnings.simplefilter("ignore", SAWarning)
_LOCK = 0x7472646E  # PostgreSQL's advisory lock of this program: 'trdn'


@dataclass(frozen=True)
class Row:
    """One learner's marks of an assignment: {exercise's id: points}, their sum (late penalty off), and the most."""

    student: str
    assignment: str
    marks: dict[str, float]
    overrides: dict[str, float]
    score: float
    most: float
    late_s: float


class Book:
    """The gradebook of a class, open for writing. Raises Busy where another writer has it, on whatever machine."""

    def __init__(self, classroom: Classroom):
        self._class = classroom
        self._gradebook = Gradebook(classroom.db_url, classroom.course_id)
        self._gradebook.db.session_factory.configure(expire_on_commit=False)
        self._penalty = LateSubmissionPlugin(config=classroom.config)
        self._alone = self._advisory_lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._alone:
            self._alone.close()
        self._gradebook.close()

    def _advisory_lock(self):
        """On PostgreSQL, which several machines can reach, a lock that ends with this connection."""
        if self._gradebook.engine.dialect.name != "postgresql":
            return None
        connection = self._gradebook.engine.connect()
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
            connection.close()
            raise Busy("another program is writing to this gradebook: wait until it has ended, then run it again")
        connection.commit()
        return connection

    def enrol(self, assignment: str) -> None:
        """Make the assignment known, as it is released, with the points that the class's policy gives it."""
        book, resources = self._gradebook, {"assignment": assignment, "db_url": self._class.db_url}
        book.update_or_create_assignment(assignment)
        for name, text in self._class.release(assignment).items():
            notebook = nbformat.reads(text, as_version=4)
            if not self._knows(notebook, name, assignment):
                try:
                    SaveCells().preprocess(notebook, {"nbgrader": {"notebook": name, **resources}})
                except RuntimeError as error:
                    raise ClassError(f"{assignment}/{name}: {error}; keep the release that they worked on") from None
        book.db.expire_all()
        self.weigh(assignment)

    def _knows(self, notebook, name, assignment):
        try:
            cells = self._gradebook.find_notebook(name, assignment).source_cells
        except MissingEntry:
            return False
        graded = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        return {c.name: c.checksum for c in cells} == {g.grade_id: g.get("checksum") for g in graded}

    def weigh(self, assignment: str) -> None:
        """Give each exercise the points that it is worth now."""
        points = self._class.points(assignment)
        for notebook in self._gradebook.find_assignment(assignment).notebooks:
            for cell in notebook.grade_cells:
                key = _exercise(cell.name)
                if key in points:
                    cell.max_score = points[key]
        self._gradebook.db.commit()

    def enrol_student(self, learner) -> None:
        """Make a learner of the roster known, under the name that the roster has."""
        given, _, family = learner.name.rpartition(" ")
        self._gradebook.update_or_create_student(
            learner.id, first_name=given or None, last_name=family or None, email=learner.email or None
        )

    def due(self, assignment: str):
        """When an assignment is due, in UTC, or None. Raises MissingEntry."""
        due = self._gradebook.find_assignment(assignment).duedate
        return due and due.replace(tzinfo=UTC)

    def names(self) -> dict[str, str]:
        """{learner: full name}, as the gradebook has them."""
        students = self._gradebook.students
        return {s.id: " ".join(filter(None, (s.first_name, s.last_name))) for s in students}

    def has(self, assignment: str) -> set[str]:
        """The learners whose submissions of an assignment are in the gradebook."""
        try:
            return {row.student_id for row in self._gradebook.find_assignment(assignment).submissions}
        except MissingEntry:
            return set()

    def write(self, result: dict) -> None:
        """Write one result: the marked notebooks, then the grades, these in one transaction."""
        student, assignment = result["student"], result["assignment"]
        points, book = self._class.points(assignment), self._gradebook
        book.update_or_create_student(student)
        stamp = {"timestamp": parse_utc(result["timestamp"])} if result["timestamp"] else {}
        submission = book.update_or_create_submission(assignment, student, **stamp)
        folder = self._class.path("autograded", student, assignment)
        for name, notebook in result["notebooks"].items():
            shown = marking.show(marking.unpacked(notebook["ipynb"]), notebook["checks"], points)
            text = json.dumps(shown, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
            files.write_text(folder / f"{name}.ipynb", text)
            self._grades(shown, book.find_submission_notebook(name, assignment, student), notebook["status"])
        if result["timestamp"]:
            files.write_text(folder / "timestamp.txt", result["timestamp"])
        book.db.flush()
        self._penalize(submission, student)
        book.db.commit()

    def _grades(self, notebook, row, status):
        grades = {grade.name: grade for grade in row.grades}
        comments = {comment.name: comment for comment in row.comments}
        for cell in notebook.cells:
            if not is_grade(cell):
                continue
            grade = grades[cell.metadata.nbgrader.grade_id]
            score, _ = determine_grade(cell)
            changed = grade.manual_score is not None and grade.auto_score != score
            grade.auto_score = 0.0 if score is None and status != "graded" else score
            grade.needs_manual_grade = grade.auto_score is None or changed
            if grade.name in comments:
                comments[grade.name].auto_comment = "No response." if grade.auto_score == 0 else None

    def _penalize(self, submission, student):
        late = submission.total_seconds_late
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = None
            if late > 0:
                penalty = self._penalty.late_submission_penalty(student, notebook.score, late)
                if penalty is not None:
                    notebook.late_submission_penalty = min(max(penalty, 0), notebook.score)

    def rows(self, assignment: str | None = None) -> list[Row]:
        """What the gradebook says, a row for each learner and assignment, exercises in the order of the lessons."""
        found, book = [], self._gradebook
        for one in book.assignments:
            if assignment not in (None, one.name):
                continue
            order = [cell.name for notebook in one.notebooks for cell in notebook.grade_cells]
            for submission in sorted(one.submissions, key=lambda row: row.student_id):
                grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
                rows = [(_exercise(name), grades[name]) for name in order if name in grades]
                marks = {key: grade.score for key, grade in rows}
                given = {key: grade.manual_score for key, grade in rows if grade.manual_score is not None}
                off = sum(notebook.late_submission_penalty or 0 for notebook in submission.notebooks)
                scores = submission.student_id, one.name, marks, given, submission.score - off
                found.append(Row(*scores, submission.max_score, submission.total_seconds_late))
        return found


def _exercise(grade_id):
    """week1.ema of week1-ema-check: the build made one from the other."""
    return grade_id.removesuffix("-check").replace("-", ".", 1)
