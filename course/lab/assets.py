"""Shipped files: found alike in a checkout and in an installed wheel, and checked before they are used.

`assets/manifest.json` maps a file's name to {"sha256", "bytes", "source", "licence"}. After changing a file:

    python -m course.lab.assets
"""

import functools
import hashlib
import json
from pathlib import Path

_INSTALLED = Path(__file__).with_name("_assets")  # the wheel puts assets/ here
_CHECKOUT = Path(__file__).resolve().parents[2] / "assets"  # an editable install, or the repository itself


class AssetError(RuntimeError):
    """A shipped file is missing, altered or unknown; the message is one line that names it and says what to do."""


def root() -> Path:
    """The folder that holds the assets and their manifest."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


def manifest(folder=None) -> dict:
    """The manifest of `folder` (default: `root()`) as {name: {"sha256", "bytes", "source", "licence"}}."""
    file = Path(folder or root()) / "manifest.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssetError(
            f"{file} cannot be read ({type(error).__name__}): reinstall the package, "
            "or restore it with `git checkout assets`."
        ) from None


def path(name: str) -> Path:
    """The path of asset `name`, e.g. "stdlib.json.xz"; its sha256 is checked once per process.

    Raises AssetError if the manifest does not list it, if it is not there, or if its bytes are not those listed.
    """
    return _verified(root(), name)


def folder(name: str) -> Path:
    """The path of a folder of assets, e.g. "base_model", every file of it checked as by `path`.

    Raises AssetError if nothing in the manifest lies in it, or one of its files is missing or altered.
    """
    files = [listed for listed in manifest() if listed.startswith(f"{name}/")]
    if not files:
        raise AssetError(f"{name} is no folder of this course's assets.")
    for file in files:
        path(file)
    return root() / name


@functools.cache
def _verified(folder, name):
    listed = manifest(folder)
    if name not in listed:
        raise AssetError(
            f"{name} is not an asset of this course: the manifest lists {', '.join(sorted(listed)) or 'nothing'}."
        )
    file, mend = folder / name, "reinstall the package, or restore it with `git checkout assets`."
    if not file.is_file():
        raise AssetError(f"{name} is missing from {folder}: {mend}")
    if _sha256(file) != listed[name]["sha256"]:
        raise AssetError(f"{name} in {folder} is not the file that was shipped (its sha256 differs): {mend}")
    return file


def _sha256(file):
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder=None) -> dict:
    """Lists every file under `folder`, scripts apart, in its manifest.json, keeping `source` and `licence` of those
    already listed.

    Returns the manifest. A new file gets empty `source` and `licence`, to be filled in by hand; a test refuses
    blanks.
    """
    folder = Path(folder or _CHECKOUT)
    old = manifest(folder) if (folder / "manifest.json").exists() else {}
    new = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if not file.is_file() or name == "manifest.json" or file.suffix in (".py", ".pyc") or name.startswith("."):
            continue  # the scripts that build assets are no assets
        facts = {key: old.get(name, {}).get(key, "") for key in ("source", "licence")}
        new[name] = {"sha256": _sha256(file), "bytes": file.stat().st_size, **facts}
    (folder / "manifest.json").write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
    return new


if __name__ == "__main__":
    for name, facts in write_manifest().items():
        print(f"{facts['bytes']:>12,}  {name}{'' if facts['licence'] else '   <- fill in its source and licence'}")
