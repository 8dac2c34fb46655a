"""The journal of a class: one line of JSON an entry, on disk before anything rests on it.

Whoever is killed leaves at most half a line at the end, which the next one cuts off.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

_EMPTY = {"status": "graded", "detail": "", "timestamp": None, "seconds": 0.0, "edition": {}, "flags": [], "notes": []}
_EMPTY |= {"notebooks": {}}


class Journal:
    """Entries are dicts with a "kind": plan, result, written, done. The file is made with the first entry."""

    def __init__(self, path: Path):
        self.path = Path(path)

    def add(self, kind: str, **entry) -> None:
        """Append an entry; it is on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"kind": kind, **entry}, ensure_ascii=True, separators=(",", ":")) + "\n"
        with open(self.path, "ab+") as file:
            self._mend(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def entries(self, *kinds: str) -> Iterator[dict]:
        """All entries of these kinds, the oldest first."""
        if not self.path.is_file():
            return
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # half a line: its writer was killed, and nothing rests on it
                try:
                    entry = json.loads(line)
                except ValueError:
                    raise ValueError(f"{self.path}, line {number}, is no JSON: restore the file from a copy") from None
                if entry["kind"] in kinds:
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

    def unfinished(self) -> dict | None:
        """The plan of a run that did not come to its end."""
        last = None
        for entry in self.entries("plan", "done"):
            last = entry
        return last if last and last["kind"] == "plan" else None

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
