"""Hostile and broken folders and archives: what a learner may put into one, and that it harms nobody."""

import io
import os
import random
import socket
import stat
import struct
import tracemalloc
import zipfile
import zlib
from functools import partial

import pytest

from autograde import archives
from autograde.submission import read
from tests.grading.handed_in import ASSIGNMENTS, MOODLE, WEEK1, A, B, beside_bob, clean, only, unpack, what, zipped


@pytest.fixture
def one_zip(tmp_path):
    return partial(beside_bob, tmp_path)


# --- hostile folders --------------------------------------------------------------------------------------------------


@pytest.fixture
def class_of_two(tmp_path):
    top = unpack(tmp_path / "in", {f"bob/{A}.ipynb": b"bob"})
    (top / "ada").mkdir()
    return top


@pytest.mark.parametrize("target", ["../bob/week1_a_loss.ipynb", "/etc/passwd", "nowhere", "week1_a_loss.ipynb"])
def test_no_link_to_a_file_is_followed(class_of_two, target):
    (class_of_two / f"ada/{A}.ipynb").symlink_to(target)
    assert only(class_of_two, "is a symbolic link") == []


@pytest.mark.parametrize("where", ["ada/work", "ada/week1_loss", "eve"])
@pytest.mark.parametrize("target", ["bob", "", "nowhere"])
def test_no_link_to_a_folder_is_followed(class_of_two, where, target):
    (class_of_two / where).symlink_to(class_of_two / target)
    assert only(class_of_two, "is a symbolic link", where[:3]) == []


def test_nothing_but_files_is_opened(class_of_two):
    os.mkfifo(class_of_two / f"ada/{A}.ipynb")
    (class_of_two / f"ada/{B}.ipynb").mkdir()
    with socket.socket(socket.AF_UNIX) as door:
        here = os.getcwd()
        os.chdir(class_of_two / "ada")  # a socket's path is short
        try:
            door.bind("all.zip")
        finally:
            os.chdir(here)
        found, lines = read(class_of_two, ASSIGNMENTS)
    assert [line.why for line in lines] == ["is not a regular file"] * 2 + ["is a folder, not a notebook"]
    assert [one.student for one in found] == ["bob"]


def test_what_may_not_be_read_is_a_line(class_of_two, monkeypatch):
    def refusing(call):
        def wrapped(path, *args, **kwargs):
            if "ada" in str(path):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path, *args, **kwargs)

        return wrapped

    (class_of_two / f"ada/{A}.ipynb").write_bytes(b"")
    for name in ("open", "scandir"):
        with monkeypatch.context() as patch:
            patch.setattr(archives.os, name, refusing(getattr(os, name)))
            only(class_of_two, "cannot be read: Permission denied")


def test_a_file_that_is_too_large_is_not_read(class_of_two):
    with open(class_of_two / f"ada/{A}.ipynb", "wb") as file:
        file.truncate(archives.FILE_LIMIT + 1)
    (class_of_two / f"ada/{B}.ipynb").write_bytes(b"b")
    (one,) = only(class_of_two, "is larger than 20 MB")
    assert one.notebooks == {B: b"b"}


@pytest.mark.parametrize("name", ["none", "file.txt", "fifo"])
def test_a_path_that_is_no_collection_is_a_line(tmp_path, name):
    (tmp_path / "file.txt").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    found, (line,) = read(tmp_path / name, ASSIGNMENTS)
    assert not found and name in str(line)


# --- hostile archives -------------------------------------------------------------------------------------------------


def edited(data, *changes):
    for old, new in changes:
        assert old in data
        data = data.replace(old, new)
    return data


def test_an_archive_that_is_none(one_zip):
    whole = zipped({f"{A}.ipynb": b"x" * 1000})
    for data in (b"", b"Rar!", whole[:-30], whole[:10], b"\0" * 100):
        assert only(one_zip(data), "is not a zip archive, or a damaged one") == []


def test_a_damaged_entry_hides_no_other(one_zip):
    data = zipped({f"{A}.ipynb": os.urandom(1000), f"{B}.ipynb": b"b"})
    (one,) = only(one_zip(data[:500] + bytes(200) + data[700:]), "is damaged")
    assert one.notebooks == {B: b"b"}


def test_random_damage_never_raises(one_zip):
    whole, rng = zipped({f"{A}.ipynb": b"x" * 300, "w.zip": zipped({f"{B}.ipynb": b"y"})}), random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        found, lines = read(one_zip(bytes(data)), ASSIGNMENTS)
        assert ("bob", WEEK1) in what(found) and {line.student for line in lines} <= {"ada"}


def test_a_place_beyond_any_file_is_damage(one_zip):
    data = zipped({f"{A}.ipynb": b"x"})
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    extra = struct.pack("<HHQQQ", 1, 24, 2**64 - 1, 2**64 - 1, 2**64 - 1)  # zip64: the sizes, and where it begins
    entry = bytearray(data[start:end] + extra)
    entry[20:28], entry[30:32], entry[42:46] = b"\xff" * 8, struct.pack("<H", len(extra)), b"\xff" * 4
    tail = bytearray(data[end:])
    tail[12:16] = struct.pack("<I", len(entry))
    assert only(one_zip(bytes(data[:start] + entry + tail)), "is damaged") == []


def test_a_locked_archive(one_zip):
    data = bytearray(zipped({f"{A}.ipynb": b"x"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    assert only(one_zip(bytes(data)), "is locked with a password") == []


@pytest.mark.parametrize(
    "name", ["../../{}", "/tmp/{}", "C:\\{}", "C:/{}", "..\\{}", "x\\..\\{}", "a/../{}", "{}\0.txt", "\\\\host\\{}"]
)
def test_a_path_out_of_an_archive_is_refused(tmp_path, one_zip, name):
    before = sorted(tmp_path.rglob("*"))
    assert only(one_zip(zipped({name.format(f"{A}.ipynb"): b"x"})), "leads out of the archive") == []
    export = tmp_path / "export.zip"
    export.write_bytes(zipped({name.format(f"ada/{A}.ipynb"): b"x", f"bob/{A}.ipynb": b"bob"}))
    found, lines = read(export, ASSIGNMENTS)
    assert [one.student for one in found] == ["bob"] and "leads out" in lines[0].why
    assert all(line.student in ("", "ada", "a", "x", "host", "tmp") for line in lines)
    assert set(tmp_path.rglob("*")) - set(before) == {export, *(tmp_path / "in").rglob("*"), tmp_path / "in"}


def test_a_path_as_windows_writes_it(one_zip):
    one, _ = clean(one_zip(zipped({f"work\\{WEEK1}\\{A}.ipynb": b"1"})))
    assert one.notebooks == {A: b"1"}


@pytest.mark.parametrize("kind", ["LNK", "IFO", "CHR", "DIR"])
def test_an_archive_holds_files_only(one_zip, kind):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(f"{A}.ipynb" + "/" * (kind == "DIR"))
        info.create_system, info.external_attr = 3, (getattr(stat, f"S_IF{kind}") | 0o777) << 16
        archive.writestr(info, b"../../solutions/week1_a_loss.ipynb" * (kind == "LNK"))
    why = {"LNK": "is a symbolic link", "DIR": "is a folder"}.get(kind, "is not a regular file")
    assert only(one_zip(out.getvalue()), why) == []


def test_only_one_zip_is_opened(one_zip):
    inner = zipped({f"{B}.ipynb": b"deep"})
    (one,) = only(one_zip(zipped({f"{A}.ipynb": b"1", "more.zip": inner})), "is not opened")
    assert one.notebooks == {A: b"1"}


def test_an_archive_without_a_notebook_is_a_line(one_zip):
    assert only(one_zip(zipped({"report.pdf": b""})), "holds no notebook") == []


def test_an_archive_of_too_many_files(one_zip):
    full = {f"{A}.ipynb": b"1", **{f"{n}.txt": b"" for n in range(archives.ENTRIES - 1)}}
    assert len(clean(one_zip(zipped(full)))) == 2
    assert only(one_zip(zipped({**full, "one.txt": b""})), "holds more than 200 files") == []


def test_the_list_of_a_million_files_takes_no_memory(one_zip):
    path = one_zip(b"PK\x01\x02" * 500_000 + zipped({f"{A}.ipynb": b""}))
    assert only(path, "holds more than 200 files") == []


def bomb(name, size, claimed=None):
    """An archive of one file of `size` zeros, which is said to be of another size."""
    out, pack, zeros = io.BytesIO(), zlib.compressobj(9, wbits=-15), bytes(archives.MB)
    with zipfile.ZipFile(out, "w") as archive:
        data = b"".join(pack.compress(zeros) for _ in range(size // archives.MB)) + pack.flush()
        archive.writestr(name, data)
    data = bytearray(out.getvalue())
    for header, method, at in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        start = data.index(header)
        data[start + method] = zipfile.ZIP_DEFLATED
        data[start + at : start + at + 4] = (size if claimed is None else claimed).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(("claimed", "why"), [(None, "is larger than 20 MB"), (10, "is damaged")])
def test_a_bomb_costs_no_memory(one_zip, claimed, why):
    path = one_zip(bomb(f"{A}.ipynb", 300 * archives.MB, claimed))
    tracemalloc.start()
    try:
        assert only(path, why) == []
        assert tracemalloc.get_traced_memory()[1] < 4 * archives.FILE_LIMIT
    finally:
        tracemalloc.stop()


def test_a_kind_of_compression_without_a_limit_is_not_begun(one_zip):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(f"{A}.ipynb", b"1")
    assert only(one_zip(out.getvalue()), "compressed in an unusual way") == []


def test_names_that_are_utf8_and_do_not_say_so(tmp_path):
    """As macOS and PHP, and with it Moodle, write them."""
    name = f"Zoë Müller_333{MOODLE}{A}.ipynb".encode()
    data = edited(zipped({"~" * len(name): b"zoe"}), (b"~" * len(name), name))
    (tmp_path / "in.zip").write_bytes(data)
    assert [one.student for one in clean(tmp_path / "in.zip")] == ["zoe-muller-333"]


def test_names_that_say_utf8_and_are_not(one_zip):
    data = edited(zipped({f"é{A}.ipynb": b"1"}), ("é".encode(), b"\xff\xfe"))
    assert only(one_zip(data), "damaged") == []


def test_what_is_not_needed_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "in.zip"
    path.write_bytes(zipped({f"ada/{A}.ipynb": b"1", "ada/film.mp4": b"x", "ada/week0_warm_up.ipynb": b"0"}))
    opened, real = [], zipfile.ZipFile.open

    def seen(archive, info, *args):
        opened.append(info.filename)
        return real(archive, info, *args)

    monkeypatch.setattr(zipfile.ZipFile, "open", seen)
    clean(path, assignment=WEEK1)
    assert opened == [f"ada/{A}.ipynb"]
