"""Runs kept as they happened: a JSON Lines file whose first line says what was run, on what, and when.

    {"name", "hardware", "date", "versions", "seed", "config", "figures"}       the header
    {"run": "lr 5e-3", "step": 1, "loss": 5.1, "seconds": 0.2, ...}             one row for each record of a run

Several runs that belong together (a sweep) share a file and differ in "run". Lessons quote the header's figures as
`{{ name.key }}`; demos replay the rows. The shipped recordings lie in `assets/recordings/`.
"""

import dataclasses
import datetime
import importlib.metadata
import itertools
import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course.lab import assets, hardware, jsonl

_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")


@dataclass(frozen=True)
class Recording:
    """A header and its rows, in the order in which they were written."""

    header: dict
    rows: list[dict]

    @property
    def figures(self) -> dict:
        """{key: figure} that lessons quote."""
        return self.header["figures"]

    def runs(self) -> dict[str, list[dict]]:
        """{run: its rows}, in the order of their first rows."""
        grouped = {}
        for row in self.rows:
            grouped.setdefault(row.get("run", ""), []).append(row)
        return grouped


def header(name: str, *, config: dict, seed: int | None, figures: dict, device="cpu") -> dict:
    """A header for a run on this machine, today: `config` and `figures` as given, versions of the libraries in use."""
    versions = {}
    for library in _LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue  # a run without it
    return {
        "name": name,
        "hardware": hardware.short(device),
        "date": datetime.date.today().isoformat(),
        "versions": versions,
        "seed": seed,
        "config": {key: _plain(value) for key, value in config.items()},
        "figures": {key: _plain(value) for key, value in figures.items()},
    }


def save(path, header: dict, rows: Iterable) -> None:
    """Writes the recording to `path`, whole or not at all; a row is a dict or a NamedTuple. NaN and inf become null."""
    as_dicts = (row._asdict() if hasattr(row, "_asdict") else row for row in rows)
    jsonl.write(path, itertools.chain([header], ({key: _plain(v) for key, v in row.items()} for row in as_dicts)))


def load(name) -> Recording:
    """A shipped recording by its name, or any by its path.

    Raises AssetError for a name that is not shipped, ValueError for a file that is no recording.
    """
    path = Path(name) if str(name).endswith(".jsonl") else assets.path(f"recordings/{name}.jsonl")
    lines = path.read_bytes().splitlines()  # not of the text, which has other ends of lines within a string
    try:
        first, *rows = (json.loads(line.decode("utf-8")) for line in lines)
        if not {"hardware", "date", "figures"} <= first.keys():
            raise ValueError("its first line is no header")
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("one of its rows is no object")
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no recording: {error}") from None
    return Recording(first, rows)


def replay(rows: Iterable[dict], speed: float = 1.0) -> Iterator[dict]:
    """The rows at the pace of their "seconds", `speed` times as fast; math.inf does not wait."""
    start, first = time.monotonic(), None
    for row in rows:
        if first is None:
            first = row.get("seconds") or 0.0
        due = start + ((row.get("seconds") or first) - first) / speed
        time.sleep(max(0.0, due - time.monotonic()))
        yield row


def _plain(value):
    """What JSON holds: a dtype by its name, a dataclass as a dict, a float that is not finite as null."""
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
