"""What learners handed in, however it was collected and whatever is wrong with it, as plain data."""

import re
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from autograde.archives import Budget, Refused, contents, shown, unpacked
from autograde.collected import STAMP, File, Release, by_owner, ids, is_hidden
from autograde.roster import Roster


@dataclass(frozen=True)
class Submission:
    """What counts of one learner for one assignment, with `notes` on what else there was."""

    student: str  # an id, safe as the name of a folder
    assignment: str
    notebooks: dict[str, bytes]  # by name, without .ipynb; as they came, perhaps no notebooks at all
    timestamp: str | None  # ISO, in UTC: nbgrader's timestamp.txt, else an archive's clock, which has no zone
    source: str  # where it was read, for a reader
    late: bool = False  # Canvas's mark
    notes: tuple[str, ...] = ()
    refused: str = ""  # why none of it can be read, where that is so


@dataclass(frozen=True)
class Unreadable:
    """Something that was not read, and why; student and assignment are "" where they are not known."""

    source: str
    student: str
    assignment: str
    why: str

    def __str__(self):
        return f"{self.source} {self.why}"


def read(
    path, assignments: dict[str, list[str]], roster: Roster | None = None, assignment: str | None = None
) -> tuple[list[Submission], list[Unreadable]]:
    """What learners handed in, by assignment and student, and a line on each thing that could not be read.

    `path` is a folder or a zip archive: nbgrader's STUDENT/ASSIGNMENT/NAME.ipynb, a folder or a zip for each learner,
    or Moodle's or Canvas's export of the submissions. `assignments` are {name: its notebooks' names}; a file counts for
    the notebook whose name it holds, as `week1_a_loss (1).ipynb` does. With `assignment`, the others are left out.
    A learner in the roster has his id there, anyone else one made of his name. Raises ValueError for an `assignment`
    that `assignments` lack; what is wrong with `path` is a line as well.
    """
    if assignment is not None and assignment not in assignments:
        raise ValueError(f"there is no assignment {assignment!r}, but {', '.join(assignments)}")
    path, release = Path(path), Release(assignments, assignment)
    found, lines = [], []
    try:
        with contents(path) as entries:
            files, nobodys = by_owner(entries, path.stem, release, roster)
            students, notes = ids(files, roster)
            for owner, theirs in files.items():
                pile = _Pile(students[owner], release, trusts_stamps=not owner.lms)
                found += [replace(one, notes=(*notes.get(owner, ()), *one.notes)) for one in pile.read(theirs)]
                lines += pile.lines
    except Refused as error:
        return [], [Unreadable(shown(path), "", "", str(error))]
    why = "is in no learner's folder or archive: name one after the learner, or give the folder above"
    lines += [Unreadable(file.entry.source, "", "", file.entry.why or why) for file in nobodys if file.name != STAMP]
    return _newest(found), sorted(lines, key=lambda line: (line.student, line.source))


def _newest(found):
    """One submission of each learner for each assignment."""
    same = defaultdict(list)
    for one in found:
        same[one.assignment, one.student].append(one)
    for key, these in same.items():
        *others, last = sorted(these, key=lambda one: (one.timestamp or "", one.source))
        note = f"{len(these)} submissions, the newest counts: {last.source}"
        same[key] = replace(last, notes=(note, *last.notes)) if others else last
    return [same[key] for key in sorted(same)]


class _Pile:
    """What one learner handed in, to be sorted; `lines` are about what could not be read."""

    def __init__(self, student, release, trusts_stamps):
        self.student, self.release, self.trusts_stamps = student, release, trusts_stamps
        self.lines = []
        self.fitting = defaultdict(list)  # {(assignment, notebook): [(file, the budget to read it with)]}
        self.stamps = {}  # {folders: when what lies in them was handed in}

    def read(self, files: list[File]) -> list[Submission]:
        budget, chosen = Budget(), defaultdict(dict)
        with ExitStack() as archives:
            for file in files:
                self._sort(file, budget, archives)
            for (assignment, notebook), these in sorted(self.fitting.items(), key=lambda item: item[0]):
                if best := self._best(assignment, notebook, these):
                    chosen[assignment][notebook] = best
        return [self._submission(assignment, best) for assignment, best in chosen.items()]

    def _sort(self, file, budget, archives=None):
        """Puts it where it belongs; `archives` keeps a zip open, and is None for what is in one."""
        assignment, only = self.release.of(file.folders), self.release.only
        if only and assignment not in ("", only):
            return
        if file.entry.why:
            self._refuse(file, file.entry.why, assignment)
        elif file.name == STAMP:
            if archives and self.trusts_stamps:
                self._stamp(file, budget, assignment)
        elif file.ends(".ipynb"):
            fitting = self.release.fitting(file.name[: -len(".ipynb")], assignment)
            if len(fitting) != 1:
                names = " and of ".join(map("/".join, fitting))
                self._refuse(file, f"has the name of {names or 'no notebook of the release'}", assignment)
            elif not only or fitting[0][0] == only:
                self.fitting[fitting[0]].append((file, budget))
        elif file.ends(".zip") and archives:
            self._open(file, budget, archives, assignment)
        else:
            self._refuse(file, "is not opened: hand in one zip, without archives in it", assignment)

    def _open(self, file, budget, archives, assignment):
        try:
            entries = archives.enter_context(unpacked(file.entry.read(budget), file.entry.source))
        except Refused as error:
            self._refuse(file, str(error), assignment)
            return
        within = (*file.folders, file.name[: -len(".zip")])
        inner = [
            replace(file, entry=entry, folders=(*within, *entry.parts[:-1]), name=entry.name, saved=entry.time or "")
            for entry in entries
            if not is_hidden(entry.parts)
        ]
        inner, budget = [one for one in inner if one.matters], Budget()
        for one in inner:
            self._sort(one, budget)
        if not inner:
            self._refuse(file, "holds no notebook", assignment)

    def _stamp(self, file, budget, assignment):
        try:
            self.stamps[file.folders] = _utc(file.entry.read(budget).decode("utf-8", "replace"))
        except Refused as error:
            self._refuse(file, str(error), assignment)
        except (ValueError, OverflowError):
            self._refuse(file, "says no time, such as 2026-03-01 10:00:00 UTC", assignment)

    def _handed(self, file):
        above = (file.folders[:depth] for depth in range(len(file.folders), -1, -1))
        return next((self.stamps[folders] for folders in above if folders in self.stamps), file.handed)

    def _best(self, assignment, notebook, files):
        """(file, its bytes, notes) of the newest that can be read, the exact name before others and a folder before
        what lies deeper in it; None if none can be read."""

        def order(item):
            number, (file, _) = item
            exact = file.name == f"{notebook}.ipynb"
            return file.rank, self._handed(file), file.saved, exact, -len(file.folders), number

        for _, (file, budget) in sorted(enumerate(files), key=order, reverse=True):
            try:
                data = file.entry.read(budget)
            except Refused as error:
                self._refuse(file, str(error), assignment)
                continue
            note = f"{len(files)} files for {notebook}, this one counts: {file.entry.source}"
            return file, data, [note] if len(files) > 1 else []
        return None

    def _submission(self, assignment, best):
        files = [file for file, _, _ in best.values()]
        return Submission(
            self.student,
            assignment,
            {notebook: data for notebook, (_, data, _) in best.items()},
            max(self._handed(file) or file.saved for file in files) or None,
            ", ".join(sorted({file.entry.source for file in files})),
            any(file.late for file in files),
            tuple(note for _, _, notes in best.values() for note in notes),
        )

    def _refuse(self, file, why, assignment):
        self.lines.append(Unreadable(file.entry.source, self.student, assignment, why))


def _utc(text):
    """nbgrader's `2026-03-01 10:00:00.5 UTC`, or with another offset → ISO in UTC. Raises ValueError, OverflowError."""
    text = re.sub(r"\s*(UTC|Z)$", "+00:00", text.strip())
    when = datetime.fromisoformat(re.sub(r"\s+(?=[+-][0-9:]+$)", "", text))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
