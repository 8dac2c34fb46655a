"""CSVs of learners as people, spreadsheets, Canvas and Moodle write them: cells as they are, and what they mean."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograde.names import fold, is_safe, safe_id, squash

_COLUMNS = {  # what a column holds: the headers it goes by, in letters and digits alone
    "id": ("id",),
    "name": ("name", "student"),
    "first": ("firstname", "vorname"),
    "last": ("lastname", "surname", "nachname"),
    "email": ("email", "emailaddress", "emailadresse"),
    "lms": ("lms",),
    "login": ("sisloginid", "username", "anmeldename"),
    "number": ("sisuserid", "idnumber", "idnummer"),
    "section": ("section",),
}
_NOT_POINTS = ("percentage", "letter", "prozentsatz")  # what Moodle's export puts behind a column's title, else


class RosterError(ValueError):
    """A CSV that cannot be used; the message is one line that says where, why and what to do."""


@dataclass(frozen=True)
class Learner:
    """One learner: the id that nbgrader knows, a folder's name; `lms` is the number by which Canvas knows him."""

    id: str
    name: str = ""
    email: str = ""
    lms: str = ""


class Table:
    """A CSV of learners: `rows` are (line, cells), the header first. Raises RosterError where it is none."""

    def __init__(self, path: Path):
        self.path = path
        text = self._text()
        self.bom = text[: text.startswith("\ufeff")]
        text = text.removeprefix("\ufeff")
        self.newline = "\r\n" if "\r\n" in text else "\n"
        first = next((line for line in text.splitlines() if line.strip()), "")
        self.delimiter = max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        try:
            self.rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except csv.Error as error:
            raise self.error(reader.line_num, f"is no CSV ({error}): export it again") from error
        if not self.rows:
            raise RosterError(f"{path}: is empty: its first line names the columns, such as id,name,email")
        self.header = self.rows[0][1]
        self._understand()

    def _text(self):
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise RosterError(f"{self.path}: cannot be read: {error.strerror}") from error
        for encoding in ("utf-8", "cp1252"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:  # the next one, and after the last the error below
                continue
        raise RosterError(f"{self.path}: is neither UTF-8 nor cp1252: save it as CSV UTF-8")

    def _understand(self):
        """Whose export it is, and which column holds what."""
        self._at = {}
        names = [squash(header) for header in self.header]
        for index, name in enumerate(names):
            for what in (what for what, known in _COLUMNS.items() if name in known):
                self._at.setdefault(what, index)
        has = self._at.keys()
        self.is_canvas = has >= {"id", "section"} and ("student" in names or has >= {"first", "last"})
        self.is_moodle = not self.is_canvas and has >= {"first", "last"} and not has.isdisjoint({"number", "email"})
        if not (self.is_canvas or self.is_moodle or "id" in has):
            wanted = "expected id,name,email, or an export of the gradebook from Canvas or Moodle"
            raise self.error(self.rows[0][0], f"the columns are {', '.join(self.header)[:100]!r}: {wanted}")

    def error(self, line: int, why: str) -> RosterError:
        """What to raise about one line."""
        return RosterError(f"{self.path}, line {line}: {why}")

    def is_points(self, cells: list[str]) -> bool:
        """Whether it is Canvas's row of the most points."""
        return self.is_canvas and cells[0].strip().casefold() == "points possible"

    def learners(self) -> Iterator[tuple[int, Learner, list[str]]]:
        """(index in `rows`, learner, further words that name him) of each row that is one. Raises RosterError."""
        for index, (line, cells) in enumerate(self.rows[1:], 1):
            if any(cell.strip() for cell in cells[len(self.header) :]):
                raise self.error(line, "has more cells than the first line: quote the cell that holds the delimiter")
            cell = dict.fromkeys(_COLUMNS, "")
            cell |= {what: cells[at].strip() for what, at in self._at.items() if at < len(cells)}
            name, id, email, words = cell["name"], cell["id"], cell["email"], [cell["login"], cell["number"]]
            if name.count(",") == 1:  # Lovelace, Ada
                name = " ".join(part.strip() for part in reversed(name.split(",")))
            elif not name:
                name = f"{cell['first']} {cell['last']}".strip()
            if self.is_canvas:
                if not any([id, *words]):  # "Points Possible" and "Manual Posting"
                    continue
                learner = Learner(safe_id(next(filter(None, [*words, id]))), name, email or _email(cell["login"]), id)
            elif self.is_moodle:
                if not (cell["number"] or email):
                    raise self.error(line, "has no ID number and no email address: fill one of them in")
                learner = Learner(safe_id(cell["number"] or email), name, email)
            elif not is_safe(id):
                wanted = "up to 100 of a-z, A-Z, 0-9 and . _ @ -, beginning with a letter, a digit or _"
                raise self.error(line, f"the id {id!r} cannot be a folder's name: give {wanted}")
            else:
                learner = Learner(id, name, email, cell["lms"])
            yield index, learner, [*filter(None, words)]

    def column(self, title: str) -> int:
        """The index of the column for an assignment, or that behind the last where there is none. Raises RosterError.

        Its header is the title, or has Canvas's " (number)" or Moodle's "Assignment: " and " (Real)" around it.
        """
        if title in self.header:
            return self.header.index(title)
        fitting = []
        for index, header in enumerate(self.header):
            bare, kind = re.fullmatch(r"(.*?)(?:\s*\(([^()]*)\))?\s*", header, re.DOTALL).groups("")
            spellings = {fold(header), fold(bare), fold(bare.partition(":")[2])}
            if fold(title) in spellings and index not in self._at.values() and fold(kind) not in _NOT_POINTS:
                fitting.append(index)
        if len(fitting) > 1:
            both = " and ".join(repr(self.header[index]) for index in fitting)
            raise self.error(self.rows[0][0], f"{both} both fit {title!r}: give one of them as the title")
        return fitting[0] if fitting else len(self.header)


def _email(login):
    return login if "@" in login else ""
