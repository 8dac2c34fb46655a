"""What lies in a folder or a zip archive, read without trust: no link is followed, nothing is extracted or executed,
and no file costs more memory than its limit, whatever it claims to hold."""

import contextlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

MB = 1024**2
FILE_LIMIT, TOTAL_LIMIT = 20 * MB, 100 * MB  # bytes of one file, and of all that is read of one archive or learner
ENTRIES, EXPORT_ENTRIES = 200, 50_000  # in a learner's archive, and in that of a whole class
_CHUNK = MB
_JUNK = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "__pycache__"}
_LINK, _IRREGULAR, _DIRECTORY = "is a symbolic link", "is not a regular file", "is a folder, not a notebook"
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError, RuntimeError, ValueError)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks other kinds without a limit to the memory


class Refused(Exception):
    """It is not read; the message says why, as what follows the name of a file."""


class Budget:
    """How many bytes may still be read of one archive, or of what one learner handed in."""

    def __init__(self):
        self.left = TOTAL_LIMIT

    def take(self, count: int):
        """Raises Refused where it is spent."""
        self.left -= count
        if self.left < 0:
            raise Refused(f"is not read: {TOTAL_LIMIT // MB} MB were read before it, and that is the limit")


@dataclass(frozen=True)
class Entry:
    """A file in a folder or an archive: where it lies, folder by folder, and how to read it or `why` it is not read."""

    parts: tuple[str, ...]
    source: str  # for a reader
    read: Callable[[Budget], bytes]  # raises Refused
    time: str | None = None  # ISO, of an archive's entry alone; an archive's clock has no zone, UTC is taken
    why: str = ""

    @property
    def name(self) -> str:
        return self.parts[-1]


@contextlib.contextmanager
def contents(path: Path) -> Iterator[list[Entry]]:
    """What lies in a folder or a zip archive, to be read within the block. Raises Refused."""
    if path.is_dir():
        yield list(_folder(path))
    elif path.is_file():
        with _archive(path, shown(path), EXPORT_ENTRIES) as entries:
            yield entries
    else:
        raise Refused("is neither a folder nor a file" if path.exists() else "does not exist")


@contextlib.contextmanager
def unpacked(data: bytes, source: str) -> Iterator[list[Entry]]:
    """What lies in a learner's own zip archive, to be read within the block. Raises Refused."""
    if data.count(b"PK\x01\x02") > 50 * ENTRIES:  # one for each entry: counted before the list of them takes memory
        raise Refused(f"holds more than {ENTRIES} files")
    with _archive(io.BytesIO(data), source, ENTRIES) as entries:
        yield entries


def shown(text) -> str:
    """A path as one line that a terminal can print, at most 300 characters long."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return line if len(line) <= 300 else f"{line[:150]} … {line[-140:]}"


# --- folders ----------------------------------------------------------------------------------------------------------


def _folder(top):
    waiting = [()]
    while waiting:
        parts = waiting.pop()
        here = Path(top, *parts)
        try:
            with os.scandir(here) as found:
                entries = sorted((entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in found)
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
            if not parts:
                raise Refused(why) from error
            yield _refused(parts, shown(here), why)
            continue
        for name, mode in entries:
            path, below = here / name, (*parts, name)
            if _is_junk(below):
                continue
            if stat.S_ISLNK(mode):
                yield _refused(below, shown(path), _LINK)
            elif not stat.S_ISDIR(mode):
                yield Entry(_composed(below), shown(path), partial(_read_file, path))
            elif name.lower().endswith(".ipynb"):
                yield _refused(below, shown(path), _DIRECTORY)
            else:
                waiting.append(below)


def _read_file(path, budget):
    """A regular file's bytes. It is looked at before it is opened, as that alone can block or have an effect."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Refused(_IRREGULAR)
        with open(os.open(path, flags), "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise Refused(_IRREGULAR)
            return _limited(stream, budget)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from error


def _limited(stream, budget):
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        budget.take(len(chunk))
        data += chunk
        if len(data) > FILE_LIMIT:
            raise Refused(f"is larger than {FILE_LIMIT // MB} MB")
    return bytes(data)


def _refused(parts, source, why):
    def read(budget):
        raise Refused(why)

    return Entry(_composed(parts), source, read, why=why)


def _composed(parts):
    """Accents as most systems write them, and macOS does not."""
    return tuple(unicodedata.normalize("NFC", part) for part in parts)


def _is_junk(parts):
    """What systems and editors leave behind; `._NAME` is macOS's."""
    return any(part in _JUNK or part.startswith("._") for part in parts)


# --- archives ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _archive(file, source, limit):
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise Refused("is not a zip archive, or a damaged one") from error
    with archive:
        if len(archive.infolist()) > limit:
            raise Refused(f"holds more than {limit} files")
        yield list(filter(None, (_entry(archive, info, source) for info in archive.infolist())))


def _entry(archive, info, source):
    """None for folders and what systems leave behind."""
    name = info.orig_filename  # info.filename ends at a NUL
    if not info.flag_bits & 0x800:  # says nothing of UTF-8, and often is UTF-8 all the same
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    name = name.replace("\\", "/")
    parts = tuple(part for part in re.sub("^[A-Za-z]:", "", name).split("/") if part not in ("", ".", ".."))
    where, kind = f"{source}: {shown(name)}", stat.S_IFMT(info.external_attr >> 16)
    if not parts or _is_junk(parts):
        return None
    if "\0" in name or name.startswith("/") or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        return _refused(parts, where, "has a path that leads out of the archive")
    if any(part.lower().endswith(".ipynb") for part in parts[: None if name.endswith("/") else -1]):
        return _refused(parts, where, _DIRECTORY)
    if name.endswith("/"):
        return None
    if kind == stat.S_IFLNK:
        return _refused(parts, where, _LINK)
    if kind not in (0, stat.S_IFREG):
        return _refused(parts, where, _IRREGULAR)
    return Entry(_composed(parts), where, partial(_read_entry, archive, info), _time(info))


def _read_entry(archive, info, budget):
    if info.flag_bits & 0x1:
        raise Refused("is locked with a password")
    if info.compress_type not in _PACKED:
        raise Refused("is compressed in an unusual way: pack it as an ordinary zip")
    try:
        with archive.open(info) as stream:
            return _limited(stream, budget)
    except _BROKEN as error:
        raise Refused("is damaged") from error


def _time(info):
    try:
        time = datetime(*info.date_time, tzinfo=UTC)
    except ValueError:  # a month 0, for instance
        return None
    return time.isoformat() if time.year > 1980 else None  # 1980 is where that clock begins: not set
