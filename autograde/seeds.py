"""One seed for each exercise and term: the same for every learner, unknown until the instructor reveals it."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path

from autograde.journal import ClassError


def term_secret(path: Path) -> bytes:
    """The secret of a term, made on first use; the file is readable by its owner alone, and never there half written.

    Raises ClassError where it was cut short since.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".secret.")  # for its owner alone
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(partial, path)
        os.unlink(partial)
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ClassError(f"{path} holds no term secret: restore it from a copy, or no mark can be made again")
    return text.encode()


def seed_of(secret: bytes, exercise_id: str) -> int:
    """The seed of an exercise. To know one says nothing of the secret, nor of another exercise's."""
    return int.from_bytes(hmac.new(secret, exercise_id.encode(), hashlib.sha256).digest()[:6], "big")
