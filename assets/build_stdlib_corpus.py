"""Packs part of the Python standard library's source into stdlib.json.xz, the course's real text.

    python assets/build_stdlib_corpus.py            # then: python -m course.lab.assets

The packed file is what the course reads: a run must not depend on which Python the learner has. Rebuilding with
another Python gives another corpus and other losses, so the version is kept inside. Contents: {"python": ...,
"files": {name: source}}.
"""

import hashlib
import json
import lzma
import platform
import re
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
SKIP = {
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "encodings",
    "pydoc_data",
    "turtledemo",
    "ensurepip",
    "__pycache__",
}
OWN_TERMS = re.compile(
    r"permission (is hereby granted|to use)|redistributions? (and use|of source)|rights reserved", re.I
)
LARGEST, BUDGET = 60_000, 3_000_000  # bytes of one file; bytes of all of them, so that the packed file stays small


def wanted(name, data):
    """Handwritten ASCII source under the PSF licence alone: no tables, no file that carries terms of its own."""
    parts = name.split("/")
    if SKIP & set(parts) or parts[0].startswith("config-") or parts[-1].startswith("_sysconfigdata"):
        return False
    if not 500 < len(data) < LARGEST or not data.isascii():
        return False
    digits = sum(48 <= byte < 58 for byte in data)  # ASCII 0-9: a generated table is mostly numbers
    return digits < 0.05 * len(data) and not OWN_TERMS.search(data.decode())


def build():
    """Writes stdlib.json.xz and PSF-LICENSE.txt beside this script; returns {name: source}."""
    root = Path(sysconfig.get_path("stdlib"))
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.py")}
    found = {name: data for name, data in found.items() if wanted(name, data)}
    by_hash = sorted(found, key=lambda name: hashlib.sha256(name.encode()).hexdigest())  # a fixed draw
    files, size = {}, 0
    for name in by_hash:
        if size + len(found[name]) <= BUDGET:
            files[name] = found[name].decode()
            size += len(found[name])
    files = dict(sorted(files.items()))
    text = json.dumps({"python": platform.python_version(), "files": files}, ensure_ascii=True)
    (HERE / "stdlib.json.xz").write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    (HERE / "PSF-LICENSE.txt").write_text((root / "LICENSE.txt").read_text(encoding="utf-8"), encoding="utf-8")
    return files


if __name__ == "__main__":
    files = build()
    print(
        f"{len(files)} files, {sum(map(len, files.values())):,} bytes, "
        f"packed {(HERE / 'stdlib.json.xz').stat().st_size:,}"
    )
