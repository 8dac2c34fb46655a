"""The journal of a class: one line of JSON an entry, on disk before anything rests on it.

Whoever is killed leaves at most half a line at the end, which the next one cuts off. Reading it through says what such
a one left undone.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

_EMPTY = {"status": "graded", "detail": "", "timestamp": None, "seconds": 0.0, "edition": {}, "flags": [], "notes": []}
_EMPTY |= {"notebooks": {}}


class ClassError(RuntimeError):
    """Something of a class is missing or in the way; the message is one line that says what to do."""


class Journal:
    """Entries are dicts with a "kind". The file is made with the first entry.

    plan      a run's submissions, before it begins; done, after the last of them
    result    what a submission was marked with; notebook: the same of one notebook, by nbgrader's own command
    written   the latest result of a submission is in the gradebook
    weighed   the results of an assignment are worth something else from now on
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    def add(self, kind: str, **entry) -> None:
        """Append an entry; it is on disk when this returns."""
        import fcntl

        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"kind": kind, **entry}, ensure_ascii=True, separators=(",", ":")) + "\n"
        with open(self.path, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # nbgrader's own command may be at it too: half a line of its is no wreck
            self._mend(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def entries(self, *kinds: str) -> Iterator[dict]:
        """All entries of these kinds, the oldest first. Raises ClassError where a line cannot be read."""
        if not self.path.is_file():
            return
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # half a line: its writer was killed, and nothing rests on it
                try:
                    entry = json.loads(line)
                    kind = entry["kind"]
                except (ValueError, TypeError, KeyError):
                    raise ClassError(f"{self.path}, line {number}, is no entry: restore the file from a copy") from None
                if kind in kinds:
                    yield entry

    def results(self) -> dict[tuple[str, str], dict]:
        """{(assignment, student): the latest result}, with what nbgrader's own command marked a notebook at a time."""
        found = {}
        for entry in self.entries("result", "notebook"):
            key = entry["assignment"], entry["student"]
            if entry["kind"] == "result":
                found[key] = entry
            else:
                old = found.get(key, {**_EMPTY, "student": entry["student"], "assignment": entry["assignment"]})
                books = old["notebooks"] | {entry["notebook"]: entry["book"]}
                found[key] = old | {"notebooks": books, "digest": "", "sandbox": entry["sandbox"]}
        return found

    def unwritten(self) -> set[tuple[str, str]]:
        """(assignment, student) of each latest result that the gradebook may not have as it is."""
        waiting, known = set(), set()
        for entry in self.entries("result", "written", "weighed"):
            key = entry["assignment"], entry.get("student")
            if entry["kind"] == "result":
                known.add(key)
                waiting.add(key)
            elif entry["kind"] == "written":
                waiting.discard(key)
            else:
                waiting |= {one for one in known if one[0] == key[0]}
        return waiting

    def unfinished(self) -> dict | None:
        """What is left of runs that did not come to their end: {"submissions": {(assignment, student): what its plan
        says}, "again": whether what was graded before was to be run again}; None where nothing is."""
        left = {}
        for entry in self.entries("plan", "result"):
            if entry["kind"] == "plan":
                left |= {(one[0], one[1]): (one[2], entry["again"]) for one in entry["submissions"]}
            else:
                left.pop((entry["assignment"], entry["student"]), None)
        again = any(again for _, again in left.values())
        left = {key: {} for key in self.unwritten()} | {key: about for key, (about, _) in left.items()}
        return {"submissions": left, "again": again} if left else None

    @staticmethod
    def _mend(file):
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            back = 1 << 16
            while back:
                file.seek(max(0, end - back))
                tail = file.read()
                cut = tail.rfind(b"\n")
                if cut >= 0 or back >= end:
                    file.truncate(max(0, end - back) + cut + 1)
                    return
                back *= 2
