"""One seed for each exercise and term: the same for every learner, unknown until the instructor reveals it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def term_secret(path: Path) -> bytes:
    """The secret of a term, made on first use; the file is readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = path.read_text().strip()
        if len(text) < 32:
            raise ValueError(f"{path} holds no term secret: restore it, or marks cannot be replayed") from None
        return text.encode()
    with os.fdopen(handle, "w") as file:
        text = secrets.token_hex(32)
        file.write(text + "\n")
    return text.encode()


def seed_of(secret: bytes, exercise_id: str) -> int:
    """The seed of an exercise. To know one says nothing of the secret, nor of another exercise's."""
    return int.from_bytes(hmac.new(secret, exercise_id.encode(), hashlib.sha256).digest()[:6], "big")
