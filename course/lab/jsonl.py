"""JSON Lines, one record a line: written whole or not at all, and read with the number of the line that is wrong."""

import json
from pathlib import Path

from course.lab import files


def write(path, records) -> None:
    """Writes `records` (an iterable of dicts) to `path`, making its folder. A reader never sees half a file."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    files.write_text(path, lines)


def read(path, check=None):
    """The records of `path` as a `datasets.Dataset`, in memory: nothing is copied into a cache folder.

    `check(record)` may raise ValueError. That, a line that is no JSON object, or a file without a record raises
    ValueError in one line that names the file and the line.
    """
    import datasets  # here, for it takes a second

    records = []
    for number, line in enumerate(Path(path).read_bytes().splitlines() or [b""], start=1):
        try:
            records.append(_record(line, check))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return datasets.Dataset.from_list(records)


def _record(line, check):
    try:
        record = json.loads(line.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg}, at column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8") from None
    if not isinstance(record, dict):
        raise ValueError(f"a record is an object in braces, not {type(record).__name__}")
    if check:
        check(record)
    return record
