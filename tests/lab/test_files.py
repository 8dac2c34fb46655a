"""A file is replaced whole or not at all."""

import os

import pytest

from course.lab import files


def test_the_new_text_takes_the_place_of_the_old_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "folder" / "notes.txt"
    files.write_text(path, "old")
    files.write_text(path, "naïve\r\n")
    assert path.read_bytes() == "naïve\r\n".encode()
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_while_writing_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "notes.txt"
    files.write_text(path, "old")
    with pytest.raises(error), files.replacing(path) as stream:
        stream.write(b"half of the new")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_an_interruption_just_before_the_replacement_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "notes.txt"
    files.write_text(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        files.write_text(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
