"""Files that are replaced whole: whoever reads one, or the crash that comes in between, sees the old or the new."""

import contextlib
import os
import tempfile
from pathlib import Path


@contextlib.contextmanager
def replacing(path):
    """A binary file to write into, which takes the place of `path` when the block ends, and vanishes if it raises.

    The folder of `path` is made where it is missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        os.chmod(partial, 0o644)  # mkstemp's own files are for one user alone
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


def write_text(path, text: str) -> None:
    """Writes `text` as UTF-8, its line ends as they are."""
    with replacing(path) as stream:
        stream.write(text.encode("utf-8"))
