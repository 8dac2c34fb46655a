"""Who is in a class, read from a CSV of one's own or an LMS's; and marks, written as a CSV that the LMS takes back."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograde.names import fold, squash
from autograde.tables import Learner, RosterError, Table

__all__ = ["Learner", "Roster", "RosterError"]


class Roster:
    """The learners of a class, to iterate over and to find by whatever names them.

    `aliases` are further words for a learner, his login for instance: (word, learner).
    """

    def __init__(self, learners: Iterable[Learner], aliases: Iterable[tuple[str, Learner]] = ()):
        self._learners = list(learners)
        self._ids, self._aliases, self._lms, self._emails, self._names = {}, {}, {}, {}, {}
        for learner in self._learners:
            tokens = [squash(word) for word in re.split(r"[\s,]+", learner.name)]
            spellings = {"".join(tokens[i:] + tokens[:i]) for i in range(len(tokens))}  # also Canvas's lovelaceada
            _enter(self._ids, [learner.id], learner)
            _enter(self._lms, [learner.lms], learner)
            _enter(self._emails, [learner.email], learner)
            _enter(self._names, spellings, learner)
        for word, learner in aliases:
            _enter(self._aliases, [word], learner)

    @classmethod
    def read(cls, path) -> "Roster":
        """The roster in a CSV: id,name,email (and lms, if you like), or Canvas's or Moodle's export of the gradebook.

        UTF-8 or cp1252; commas, semicolons or tabs. From Canvas, the id is the SIS Login ID, else the SIS User ID, else
        the ID; from Moodle, the ID number, else the email address; respelt where no folder can be called so. Raises
        RosterError.
        """
        table = Table(Path(path))
        lines, learners, aliases = {}, [], []
        for index, learner, words in table.learners():
            line = table.rows[index][0]
            first = lines.setdefault(learner.id.casefold(), line)
            if first != line:
                raise table.error(line, f"the id {learner.id!r} is in line {first} already: keep one of the two")
            learners.append(learner)
            aliases += [(word, learner) for word in words]
        if not learners:
            raise RosterError(f"{path}: names no learner: add a line for each below the first")
        return cls(learners, aliases)

    def __iter__(self) -> Iterator[Learner]:
        return iter(self._learners)

    def find(self, text: str) -> Learner | None:
        """The learner whom `text` names: by id, login, LMS's number, email or name, in this order; None if not one.

        Case, accents and the order of a name do not matter.
        """
        return self._identified(text) or self.named(text)

    def named(self, name: str) -> Learner | None:
        """The one learner of this name; for a name that a learner chose himself, and that may be another's id."""
        return _only(self._names.get(squash(name), ()))

    def of_lms(self, number: str) -> Learner | None:
        """The one learner whom the LMS knows by this number."""
        return _only(self._lms.get(fold(number), ()))

    def _identified(self, text):
        for index in (self._ids, self._aliases, self._lms, self._emails):
            if found := index.get(fold(text)):
                return _only(found)
        return None

    def lms_csv(self, template, marks: dict[str, float], title: str, most: float) -> str:
        """The LMS's exported gradebook `template` with `marks`, {learner's id: points}, in the column `title`.

        The column is found as Table.column says, and added at the end where there is none. All other cells stay, as do
        those of learners without a mark. Raises RosterError, also where the LMS has other points than `most` for the
        column, and where no mark finds a row.
        """
        table = Table(Path(template))
        column, places = table.column(title), self._places(table)
        if marks and marks.keys().isdisjoint(places):
            raise RosterError(f"{template}: none of the graded learners is in it: export this course's gradebook")
        width = max(len(table.header), column + 1)
        rows = [cells + [""] * (width - len(cells)) for _, cells in table.rows]
        rows[0][column] = rows[0][column] or _inert(title)
        for index, (line, cells) in enumerate(table.rows):
            if table.is_points(cells):
                there = rows[index][column].strip()
                if column == len(table.header):
                    rows[index][column] = _number(most)
                elif there and _points(there) != most:
                    why = f"{table.header[column]!r} has {there} points in the LMS and {_number(most)} here"
                    raise table.error(line, f"{why}: change them in the LMS and export again")
        for student in marks.keys() & places.keys():
            rows[places[student]][column] = _number(marks[student])
        return table.bom + _csv(rows, table.delimiter, table.newline)

    def unplaced(self, template, marks: dict[str, float]) -> list[str]:
        """The ids in `marks` that `template` has no row for: what lms_csv leaves out. Raises RosterError."""
        return sorted(marks.keys() - self._places(Table(Path(template))).keys())

    def plain_csv(self, marks: dict[str, float], most: float) -> str:
        """Columns id,name,email,score,max_score: every learner of the roster, then who else has a mark."""
        others = sorted(marks.keys() - {learner.id for learner in self})
        rows = [["id", "name", "email", "score", "max_score"]]
        for learner in [*self, *map(Learner, others)]:
            score = _number(marks[learner.id]) if learner.id in marks else ""
            rows.append([*map(_inert, (learner.id, learner.name, learner.email)), score, _number(most)])
        return _csv(rows)

    def _places(self, table):
        """{learner's id: his row's index}. Canvas's number is compared with numbers alone: it may be another's id."""
        places = {}
        for index, there, words in table.learners():
            own = [] if table.is_canvas else [there.id]
            strong = [self.of_lms(there.lms), *map(self._identified, [*words, *own, there.email])]
            here = next(filter(None, [*strong, self.named(there.name)]), None)
            if here and places.setdefault(here.id, index) != index:
                lines = f"as line {table.rows[places[here.id]][0]} is"
                raise table.error(table.rows[index][0], f"is {here.id}, {lines}: tell them apart in the roster")
        return places


def _enter(index, words, learner):
    for word in filter(None, map(fold, words)):
        index.setdefault(word, set()).add(learner)


def _only(found):
    return next(iter(found)) if len(found) == 1 else None


def _csv(rows, delimiter=",", newline="\n"):
    lines = []
    for row in rows:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerow(row)  # ends in CRLF, and so quotes a CR within a cell as well
        lines.append(out.getvalue().removesuffix("\r\n") + newline)
    return "".join(lines)


def _inert(cell):
    """Text that a spreadsheet does not run as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _number(points):
    return f"{round(points, 4):.12g}"


def _points(text):
    """A number as an LMS writes it, with a comma in some countries; None where it is none."""
    return float(text.replace(",", ".")) if re.fullmatch(r"[0-9]+([.,][0-9]+)?", text) else None
