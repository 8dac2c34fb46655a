"""Names of people and files: compared without case and accents, and respelt so that a folder can be called so."""

import hashlib
import re
import unicodedata

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,99}(?<!\.)")
_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


def fold(text: str) -> str:
    """Text without case, accents and outer blanks."""
    plain = unicodedata.normalize("NFKD", text.strip().casefold()).translate(_UNDECOMPOSED)
    return "".join(c for c in plain if not unicodedata.combining(c))


def squash(text: str) -> str:
    """Its letters and digits alone, folded."""
    return "".join(c for c in fold(text) if c.isalnum())


def slug(text: str) -> str:
    """It in small letters, digits and hyphens, at most 60 of them; a word at least."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:60].rstrip("-") or "learner"


def digest(text: str) -> str:
    """Eight hex digits that tell it from other texts."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def is_safe(text: str) -> bool:
    """Whether no file system, glob, shell or database misreads it as the name of a folder."""
    return bool(_SAFE.fullmatch(text))


def safe_id(text: str) -> str:
    """It where it is safe as the name of a folder, else a slug with a digest of it, so that no two texts share one."""
    return text if is_safe(text) else f"{slug(text)}-{digest(text)}"
