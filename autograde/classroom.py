"""A class on disk: an nbgrader course's folders, and beside them .autograde/ with what grading itself keeps.

.autograde/secret         what this term's seeds come from
.autograde/journal.jsonl  every result, written before the gradebook is
.autograde/policy.json    exercises that are void or count otherwise
.autograde/roster.csv     who the learners are
.autograde/lock           held by whoever grades
"""

import contextlib
import functools
import getpass
import json
import os
import socket
from datetime import datetime
from pathlib import Path

import nbformat
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograde.executor import exercise_of
from autograde.exercise import find
from autograde.journal import ClassError, Journal
from autograde.layout import COURSE_ID, grading
from autograde.roster import Roster, RosterError
from autograde.sandbox import view
from autograde.seeds import seed_of, term_secret
from course.lab import files


class Busy(ClassError):
    """Somebody else is grading this class."""


class Classroom:
    """The class in `folder`, as its nbgrader_config.py describes it. Raises ClassError where there is none."""

    def __init__(self, folder: Path):
        self.folder = Path(folder).resolve()
        settings = self.folder / "nbgrader_config.py"
        if not settings.is_file():
            raise ClassError(f"{self.folder} is no class: there is no nbgrader_config.py in it")
        if view.shows(self.folder):
            raise ClassError(
                f"{self.folder} lies in a folder that submissions see, with Python: move the class elsewhere"
            )
        try:
            with contextlib.chdir(self.folder):
                config = PyFileConfigLoader(settings.name, str(self.folder)).load_config()
        except Exception as error:  # it is a program, and may fail in every way
            raise ClassError(f"{settings} does not work: {type(error).__name__}: {error}") from error
        self.config = Config(config)
        grading(self.config)
        self.config.CourseDirectory.root = str(self.folder)
        self.directory = CourseDirectory(config=self.config)
        self.state = self.folder / ".autograde"

    @property
    def db_url(self) -> str:
        """The gradebook's address; a writer to SQLite waits a minute for another."""
        url = self.directory.db_url
        return f"{url}?timeout=60" if url.startswith("sqlite") and "?" not in url else url

    @property
    def course_id(self) -> str:
        return self.directory.course_id or COURSE_ID

    @property
    def secret(self) -> bytes:
        return term_secret(self.state / "secret")

    @property
    def submitted(self) -> Path:
        return self.folder / self.directory.submitted_directory

    @functools.cached_property
    def journal(self) -> Journal:
        return Journal(self.state / "journal.jsonl")

    @property
    def roster(self) -> Roster | None:
        path = self.state / "roster.csv"
        try:
            return Roster.read(path) if path.is_file() else None
        except RosterError as error:
            raise ClassError(str(error)) from None

    def path(self, kind: str, student: str, assignment: str) -> Path:
        """One of nbgrader's folders: kind is source, release, submitted, autograded or feedback."""
        directory = getattr(self.directory, f"{kind}_directory")
        return Path(self.directory.format_path(directory, student, assignment))

    def assignments(self) -> dict[str, list[str]]:
        """{assignment: the names of its notebooks} of all that is released."""
        found = {}
        for path in sorted(self.path("release", ".", "*").parent.glob("*/*.ipynb")):
            found.setdefault(path.parent.name, []).append(path.stem)
        return found

    def release(self, assignment: str) -> dict[str, str]:
        """{notebook's name: its text} of one assignment's release. Raises ClassError where there is none."""
        folder = self.path("release", ".", assignment)
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ipynb"))}
        if not texts:
            known = ", ".join(self.assignments()) or "none yet: generate the release first"
            raise ClassError(f"there is no release of {assignment!r} in {folder.parent}; there are {known}")
        return texts

    def exercises(self, assignment: str) -> list[str]:
        """The ids that an assignment checks, in the order of its notebooks."""
        return [key for text in self.release(assignment).values() for key in checked(text)]

    def seeds(self, assignment: str) -> dict[str, int]:
        secret = self.secret
        return {key: seed_of(secret, key) for key in self.exercises(assignment)}

    # --- what an exercise counts ---

    def policy(self) -> dict[str, float]:
        """{exercise's id: points} where they differ from the specification's; 0 for a void one."""
        path = self.state / "policy.json"
        try:
            return json.loads(path.read_text()) if path.is_file() else {}
        except ValueError:
            raise ClassError(f"{path} is no JSON: restore it from a copy, or remove it and weigh anew") from None

    def set_policy(self, policy: dict[str, float]) -> None:
        files.write_text(self.state / "policy.json", json.dumps(policy, indent=1, sort_keys=True) + "\n")

    def points(self, assignment: str) -> dict[str, float]:
        """{exercise's id: what it is worth}."""
        policy = self.policy()
        return {key: policy.get(key, find(key).points) for key in self.exercises(assignment)}

    # --- one at a time ---

    @contextlib.contextmanager
    def alone(self):
        """Hold the class's lock. Raises Busy, naming who has it."""
        import fcntl

        self.state.mkdir(parents=True, exist_ok=True)
        path = self.state / "lock"
        with open(path, "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "somebody"
                raise Busy(f"{holder} is grading this class: wait until that has ended, then run it again") from None
            now = datetime.now().astimezone().strftime("%H:%M on %d %b")
            file.truncate(0)
            file.write(f"{_user()} (process {os.getpid()} on {socket.gethostname()}, since {now})\n")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)


@functools.lru_cache(maxsize=64)
def checked(text: str) -> tuple[str, ...]:
    """The ids that a release notebook checks."""
    cells = nbformat.reads(text, as_version=4).cells
    locked = [cell for cell in cells if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")]
    return tuple(exercise_of(cell) for cell in locked if not cell.metadata.nbgrader.get("solution"))


def _user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an account, as in a container
        return f"user {os.getuid()}"
