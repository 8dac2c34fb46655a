"""Answers whose worth is known, written for the audit in tests/bank/weekN.py and weekN_*.py; no learner gets them."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One answer of the bank. `misconception`: whose hint a wrong answer must get; None asks for none in particular."""

    exercise_id: str
    answer: Callable
    right: bool
    misconception: str | None = None
    file: Path | None = None  # of the bank that it stands in

    @property
    def name(self) -> str:
        return self.answer.__name__.replace("_", " ")


_entries: list[Entry] = []


def right(exercise_id: str):
    """Marks a function of a bank as an alternative right solution."""
    return _entry(exercise_id, True, None)


def wrong(exercise_id: str, misconception: str | None = None):
    """Marks a function of a bank as a wrong answer: it must lose points, and get the hint of `misconception`."""
    return _entry(exercise_id, False, misconception)


def _entry(exercise_id, is_right, misconception):
    def mark(answer):
        _entries.append(Entry(exercise_id, answer, is_right, misconception))
        return answer

    return mark


def load_bank(folder: Path, week: str) -> list[Entry]:
    """The entries of one week's files, week1.py and week1_*.py; none where there are no such files."""
    start = len(_entries)
    for path in [*folder.glob(f"{week}.py"), *sorted(folder.glob(f"{week}_*.py"))]:
        spec = importlib.util.spec_from_file_location(f"bank_{path.stem}", path)
        before = len(_entries)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        _entries[before:] = [replace(entry, file=path) for entry in _entries[before:]]
    entries = _entries[start:]
    del _entries[start:]
    return entries
