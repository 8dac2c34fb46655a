"""Whose a file is, and what for: the layouts in which nbgrader, Moodle, Canvas and people collect submissions."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from autograde.archives import Entry
from autograde.names import digest, safe_id, slug
from autograde.roster import Learner, Roster

STAMP = "timestamp.txt"  # nbgrader's, beside the notebooks
OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".tgz", ".tar.gz")
# What an LMS puts before a file's own name. The first match counts, as what follows it is the learner's own choice.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>[0-9]+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL)
_WHO = r"(?:(?P<name>.+?)_)??(?P<late>LATE_)?(?P<number>[0-9]+|anon_[A-Za-z0-9]+)"
_CANVAS = re.compile(_WHO + r"_(?P<upload>[0-9]{1,18})_(?P<file>.+)", re.DOTALL)
_AGAIN = re.compile(r".*-([0-9]{1,4})\.[^.]+", re.DOTALL)  # Canvas's mark of a file handed in again


@dataclass(frozen=True)
class Owner:
    """A learner as the folders call him."""

    name: str
    number: str = ""  # the LMS's, Moodle's is for one assignment alone
    lms: str = ""
    zipped: bool = False  # NAME.zip, which is not the folder NAME
    where: tuple[str, ...] = ()  # the folders above


@dataclass(frozen=True)
class File:
    """An entry as its owner's: `folders` are those above and around it, `name` lacks what the LMS put before it."""

    entry: Entry
    folders: tuple[str, ...]
    name: str
    rank: tuple[int, int] = (0, 0)  # Canvas's order of what was handed in again
    late: bool = False
    handed: str = ""  # when, by the clock of whoever collected it
    saved: str = ""  # when, by the clock of the learner's own archive

    def ends(self, *endings: str) -> bool:
        return self.name.lower().endswith(endings)

    @property
    def matters(self) -> bool:
        return bool(self.entry.why) or self.name == STAMP or self.ends(".ipynb", ".zip", *OTHER_ARCHIVES)


class Release:
    """The notebooks that there are, {assignment: names}; `only` the one that is asked for, or None."""

    def __init__(self, assignments: dict[str, list[str]], only: str | None = None):
        self.assignments, self.only = assignments, only

    def of(self, folders: Iterable[str]) -> str:
        """The assignment that the innermost of these folders is called after, or ""."""
        return next((folder for folder in reversed([*folders]) if folder in self.assignments), "")

    def fitting(self, stem: str, assignment: str = "") -> list[tuple[str, str]]:
        """(assignment, notebook) of what a file of this name can be, one where that is clear."""
        among = [assignment] if assignment else self.assignments
        names = [(one, name) for one in among for name in self.assignments[one]]
        found = [pair for pair in names if pair[1] == stem]
        if not found:  # week1_a_loss (1), Copy of week1_a_loss; not week1_a where there is week1_a_loss
            held = [pair for pair in names if _holds(stem, pair[1])]
            found = [pair for pair in held if not any(_holds(name, pair[1]) and name != pair[1] for _, name in held)]
        return [pair for pair in found if pair[0] == self.only] if len(found) > 1 and self.only else found


def by_owner(
    entries: list[Entry], stem: str, release: Release, roster: Roster | None
) -> tuple[dict[Owner, list[File]], list[File]]:
    """({owner: his files}, files that are nobody's), of the files that matter. `stem` is the collection's own name."""
    files, nobodys, where = defaultdict(list), [], ()
    placed = [(entry, entry.parts) for entry in entries if File(entry, (), entry.name).matters]
    while top := _wrapper({parts for _, parts in placed}, stem, release, roster):
        where += (top,)
        placed = [(entry, parts[1:]) for entry, parts in placed]
    for entry, parts in placed:
        named = len(parts) > 1 and parts[0] in release.assignments  # ASSIGNMENT/STUDENT/NAME.ipynb
        owner, file = _place(entry, (*where, parts[0]), parts[1:]) if named else _place(entry, where, parts)
        if not owner:
            nobodys.append(file)
        elif not is_hidden(parts[named + 1 :]):
            files[owner].append(file)
    return files, nobodys


def is_hidden(parts: Iterable[str]) -> bool:
    """Whether one of them is hidden, and what is in it no learner's work."""
    return any(part.startswith(".") for part in parts)


def _wrapper(paths, stem, release, roster):
    """The folder around the folders of all learners, where there is one, else ""."""
    top = next(iter(paths), ("",))[0]
    if any(parts[0] != top or len(parts) == 1 for parts in paths):
        return ""
    if top in release.assignments or _MOODLE.fullmatch(top) or roster and roster.find(top):
        return ""
    files = {parts[1] for parts in paths if len(parts) == 2}
    learners = {parts[1] for parts in paths if len(parts) > 2} | {name[:-4] for name in files if _is_zip(name)}
    if any(map(_MOODLE.fullmatch, files | learners)) or any(map(_CANVAS.fullmatch, files)):
        return top
    if roster and any(map(roster.find, learners)):
        return top
    if any(name == STAMP or name.lower().endswith(".ipynb") for name in files):
        return ""  # it is a learner's own
    if any(name in release.assignments or release.fitting(name) for name in learners):
        return ""
    return top if len(learners) > 1 or top.lower() in ("submitted", stem.lower()) else ""


def _place(entry, where, parts):
    """(owner or None, file) of what lies at `parts` in the folders `where`."""
    first, time, around = parts[0], entry.time or "", (*where, *parts[:-1])
    if match := _MOODLE.fullmatch(first):
        owner = Owner(match["name"].replace("_", " "), match["number"], "moodle", where=where)
        return owner, File(entry, around, parts[-1] if len(parts) > 1 else match["file"], handed=time)
    if len(parts) > 1:
        return Owner(first, where=where), File(entry, around, parts[-1], handed=time)
    if match := _CANVAS.fullmatch(first):
        again = _AGAIN.fullmatch(first)
        rank = (int(again[1]) if again else 0, int(match["upload"]))
        owner = Owner(match["name"] or "", match["number"], "canvas", where=where)
        return owner, File(entry, around, match["file"], rank, bool(match["late"]), time)
    file = File(entry, around, first, handed=time)
    if _is_zip(first):
        return Owner(first[:-4], zipped=True, where=where), file
    is_folder = entry.why and not file.ends(".ipynb")  # one that is a link, or that may not be read
    return Owner(first, where=where) if is_folder else None, file


def _is_zip(name):
    return name.lower().endswith(".zip")


# --- their ids --------------------------------------------------------------------------------------------------------


def ids(owners: Iterable[Owner], roster: Roster | None) -> tuple[dict[Owner, str], dict[Owner, tuple[str, ...]]]:
    """({owner: his id}, {owner: notes}); two share an id only where the roster or the same name makes them one.

    A name that two numbers of one export share is taken for neither: learners can choose it themselves.
    """
    known = {owner: _known(owner, roster) for owner in owners} if roster else dict.fromkeys(owners)
    numbers = defaultdict(set)
    for owner, learner in known.items():
        numbers[learner, owner.lms, owner.where].add(owner.number)
    notes = {}
    for owner, learner in known.items():
        if learner and (count := len(numbers[learner, owner.lms, owner.where])) > 1:
            notes[owner] = (f"{count} learners are called {owner.name}: none is taken for {learner.id}",)
    found = {owner: learner.id for owner, learner in known.items() if learner and owner not in notes}
    taken = {learner.id.casefold() for learner in roster or ()}
    made = {(owner.name, owner.number): _made(owner) for owner in known if owner not in found}
    while clashing := _clashing(made, taken):
        made |= {key: f"{made[key][:80]}-{digest('_'.join(key))}" for key in clashing}
    return {owner: found.get(owner) or made[owner.name, owner.number] for owner in known}, notes


def _known(owner: Owner, roster: Roster) -> Learner | None:
    if not owner.lms:
        return roster.find(owner.name)
    if owner.lms == "moodle":
        return roster.named(owner.name)
    learner = roster.named(owner.name)
    return roster.of_lms(owner.number) or (learner if learner and not learner.lms else None)


def _made(owner):
    """An id of the owner's name."""
    if owner.number.startswith("anon_"):
        return owner.number.replace("_", "-")
    return f"{slug(owner.name)}-{owner.number}"[:100] if owner.number else safe_id(owner.name)


def _clashing(made, taken):
    """The keys whose ids would be one folder where case does not matter, or a learner's in the roster."""
    same = defaultdict(list)
    for key, id in made.items():
        same[id.casefold()].append(key)
    return [key for id, keys in same.items() if len(keys) > 1 or id in taken for key in keys]


def _holds(text, name):
    """Whether a name is part of it, apart from other words and whatever its case."""
    return re.search(rf"(?<![^\W_]){re.escape(name.casefold())}(?![^\W_])", text.casefold()) is not None
