"""For the tests of the sandbox: an ordinary user where the tests run as root, and sandboxes with a hole in them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograde.sandbox import bwrap, view

REPOSITORY = Path(__file__).resolve().parents[2]
PLAIN_USER = 61_999  # without an account

needs_bubblewrap = pytest.mark.skipif(not bwrap.available(), reason="no bubblewrap here: apt-get install bubblewrap")


def run_as_plain_user(*words, **how) -> subprocess.CompletedProcess:
    """Run a command as a user without rights, in the repository; as this user where it is not root.

    A user other than root does not reach an interpreter that lies in root's home: in a mount namespace of its own, what
    is needed of such a folder is put back on an empty one.
    """
    if os.getuid() == 0:
        needed = {str(REPOSITORY), sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix)}
        closed = {path: _first_closed(path) for path in needed if _first_closed(path)}
        outer = ["bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
        for folder in sorted(set(closed.values())):
            outer += ["--perms", "0755", "--tmpfs", folder]
        for path, folder in sorted(closed.items()):
            between = [str(parent) for parent in reversed(Path(path).parents) if str(parent).startswith(f"{folder}/")]
            for parent in between:
                outer += ["--perms", "0755", "--dir", parent]
            outer += ["--ro-bind", path, path]
        user = ["setpriv", "--reuid", str(PLAIN_USER), "--regid", str(PLAIN_USER), "--clear-groups"]
        words = [*outer, "--die-with-parent", "--cap-add", "ALL", "--", *user, *words]
    environment = {**os.environ, "HOME": "/tmp", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, **how)


def _first_closed(path):
    """The topmost folder on the way to `path` that not everybody may enter."""
    for folder in [*reversed(Path(path).parents), Path(path)]:
        if not folder.stat().st_mode & 0o001:
            return str(folder)
    return None


def edit_words(monkeypatch, edit):
    """Every sandbox from now on starts with edit(bubblewrap's words)."""
    original = bwrap.command
    monkeypatch.setattr(bwrap, "command", lambda *args, **how: edit(original(*args, **how)))


def edit_inside(monkeypatch, folder, name, *replacements):
    """Every sandbox from now on carries inside/`name` with each text of `replacements` replaced by the next."""
    target = view.KIT / "inside" / name
    original = view.kit
    text = original()[target].read_text()
    for old, new in zip(replacements[::2], replacements[1::2], strict=True):
        assert old in text, f"{name} no longer has {old!r}"
        text = text.replace(old, new)
    edited = Path(folder, f"edited-{name}")
    edited.write_text(text)
    monkeypatch.setattr(view, "kit", lambda: {**original(), target: edited})
