"""Submissions for the tests of reading them: what is handed in, and what is expected of it."""

import io
import zipfile

from autograde.roster import Learner, Roster
from autograde.submission import read

WEEK0, WEEK1 = "week0_warm_up", "week1_loss"
ASSIGNMENTS = {WEEK0: ["week0_warm_up"], WEEK1: ["week1_a_loss", "week1_b_perplexity"]}
A, B = "week1_a_loss", "week1_b_perplexity"
MOODLE, CANVAS = "_assignsubmission_file_", "lovelaceada_12345_67890_"
EARLY, LATE = (2026, 3, 1, 10, 0, 0), (2026, 3, 2, 10, 0, 0)
ROSTER = Roster(
    [Learner("ada", "Ada Lovelace", "ada@uni.edu", "12345"), Learner("bob", "Bob Nowak"), Learner("cy", "Cy Young")]
)


def zipped(files, time=EARLY):
    """An archive of {name: bytes, or (bytes, time)} or of such pairs, the names as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            data, when = data if isinstance(data, tuple) else (data, time)
            info = zipfile.ZipInfo("x", when)
            info.filename = info.orig_filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def unpack(top, files):
    for name, data in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return top


def what(found):
    return {(one.student, one.assignment): one.notebooks for one in found}


def clean(path, **more):
    """What is read where nothing is wrong."""
    found, lines = read(path, ASSIGNMENTS, **more)
    assert lines == []
    return found


def only(path, why, student="ada"):
    """All that is wrong with the learner is this, and bob is read all the same."""
    found, lines = read(path, ASSIGNMENTS)
    assert what(found)["bob", WEEK1] == {A: b"bob"}
    assert {(line.student, why in line.why) for line in lines} == {(student, True)}, lines
    assert all(str(line).isprintable() for line in lines)
    return [one for one in found if one.student != "bob"]


def beside_bob(tmp_path, data):
    """Saves a learner's archive as ada.zip, and a good submission of bob's."""
    return unpack(tmp_path / "in", {"ada.zip": data, f"bob/{A}.ipynb": b"bob"})
