"""A zip of some hundred kilobytes holds a hundred zips of a hundred megabytes each, and a notebook of a gigabyte.

Whoever unpacks it to look fills the disk, and whoever reads a member whole fills memory. Here nothing is unpacked
beyond what a notebook may have.
"""

import io
import zipfile

from tests.grading.attacks import NOTEBOOK, Attack, answers


def _hand_in(folder, notebook):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("zeros", "w") as member:
            for _ in range(100):
                member.write(bytes(1 << 20))
    with zipfile.ZipFile(folder / "submission.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(100):
            archive.writestr(f"{number}.zip", inner.getvalue())
        with archive.open(NOTEBOOK, "w", force_zip64=True) as member:
            for _ in range(1000):
                member.write(b" " * (1 << 20))


ATTACK = Attack(cells=answers(), hand_in=_hand_in, honest=())
