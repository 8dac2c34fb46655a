"""The one writer of the gradebook: results → nbgrader's rows and marked notebooks, as its SaveAutoGrades makes them.

Writing a result twice changes nothing. A grade given by hand stays, and is marked for a look where the automatic one
has changed under it.
"""

import json
import re
import warnings
from dataclasses import dataclass
from datetime import UTC

import nbformat
from nbgrader.api import Gradebook, MissingEntry, get_alembic_version
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import determine_grade, is_grade, parse_utc
from sqlalchemy import inspect
from sqlalchemy.exc import SAWarning, SQLAlchemyError

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
    """The gradebook of a class, open for writing. Raises Busy where another writer has it, on whatever machine, and
    ClassError where it cannot be opened."""

    def __init__(self, classroom: Classroom):
        self._class = classroom
        try:
            self._gradebook = Gradebook(classroom.db_url, classroom.course_id)
            self._stamp()
        except ModuleNotFoundError as error:
            brings = "pip install -c constraints.txt -e '.[postgres]' brings what PostgreSQL needs"
            raise ClassError(f"the gradebook {_shown(classroom.db_url)} needs {error.name}: {brings}") from None
        except SQLAlchemyError as error:
            raise ClassError(f"the gradebook {_shown(classroom.db_url)} cannot be opened: {line_of(error)}") from error
        late = AssignLatePenalties(config=classroom.config)
        late.init_plugin()
        self._penalty = late.plugin_inst
        self._alone = self._advisory_lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._alone:
            self._alone.close()
        self._gradebook.close()

    def _stamp(self):
        """Note nbgrader's version of the tables where whoever made them was killed before: it upgrades by that."""
        with self._gradebook.engine.begin() as connection:
            if not inspect(connection).has_table("alembic_version"):
                connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            if not connection.exec_driver_sql("SELECT version_num FROM alembic_version").first():
                connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{get_alembic_version()}')")

    def _advisory_lock(self):
        """On PostgreSQL, which several machines can reach, a lock that ends with this connection."""
        if self._gradebook.engine.dialect.name != "postgresql":
            return None
        connection = self._gradebook.engine.connect()
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
            connection.close()
            self._gradebook.close()
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
            row = book.find_submission_notebook(name, assignment, student)
            self._grades(shown, row, notebook["status"] == "graded", result["status"] == "stopped")
        if result["timestamp"]:
            files.write_text(folder / "timestamp.txt", result["timestamp"])
        book.db.flush()
        self._penalize(submission, student)
        book.db.commit()

    def _grades(self, notebook, row, was_run, was_stopped):
        grades = {grade.name: grade for grade in row.grades}
        comments = {comment.name: comment for comment in row.comments}
        for cell in notebook.cells:
            if not is_grade(cell):
                continue
            grade = grades[cell.metadata.nbgrader.grade_id]
            score, _ = determine_grade(cell)
            score = 0.0 if score is None and not was_run else score
            if grade.manual_score is None:
                grade.needs_manual_grade = score is None or was_stopped
            elif grade.auto_score != score:
                grade.needs_manual_grade = True  # until a human has looked, whatever is written meanwhile
            grade.auto_score = score
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


def _shown(url):
    """A database's address without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", url)


def line_of(error) -> str:
    """What a database says, without the SQL around it."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _exercise(grade_id):
    """week1.ema of week1-ema-check: the build made one from the other."""
    return grade_id.removesuffix("-check").replace("-", ".", 1)
