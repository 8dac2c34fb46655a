"""Submissions read from every layout that they are collected in: which file counts, and whose it is."""

import os
from functools import partial

import pytest

from autograde import archives
from autograde.names import is_safe
from autograde.roster import Learner, Roster
from autograde.submission import Submission, read
from tests.grading.handed_in import (
    ASSIGNMENTS,
    CANVAS,
    EARLY,
    LATE,
    MOODLE,
    ROSTER,
    WEEK0,
    WEEK1,
    A,
    B,
    beside_bob,
    clean,
    only,
    unpack,
    what,
    zipped,
)


@pytest.fixture(params=["folder", "zip"])
def collected(request, tmp_path):
    """Saves {name: bytes} as a folder, or as a zip archive."""

    def save(files):
        if request.param == "folder":
            return unpack(tmp_path / "collected", files)
        (tmp_path / "collected.zip").write_bytes(zipped(files))
        return tmp_path / "collected.zip"

    return save


@pytest.fixture
def one_zip(tmp_path):
    return partial(beside_bob, tmp_path)


# --- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["", "submitted/", "collected/"])
def test_nbgraders_folders(collected, around):
    files = {
        f"bob/{WEEK1}/{A}.ipynb": b"ba",
        f"ada/{WEEK1}/{B}.ipynb": b"ab",
        f"ada/{WEEK1}/{A}.ipynb": b"aa",
        f"ada/{WEEK1}/timestamp.txt": b"2026-03-01 10:00:00.500000 UTC\n",
        f"ada/{WEEK0}/week0_warm_up.ipynb": b"a0",
    }
    found = clean(collected({around + name: data for name, data in files.items()}))
    assert [(one.assignment, one.student) for one in found] == [(WEEK0, "ada"), (WEEK1, "ada"), (WEEK1, "bob")]
    assert found[1].notebooks == {A: b"aa", B: b"ab"}
    assert found[1].timestamp == "2026-03-01T10:00:00.500000+00:00"
    assert f"ada/{WEEK1}/{A}.ipynb" in found[1].source and found[1].notes == ()


def test_a_folder_or_a_zip_for_each_learner(collected):
    files = {
        f"ada/{A}.ipynb": b"ada",
        "bob.zip": zipped({f"{A}.ipynb": b"bob"}),
        "cy.zip": zipped({f"work/deep/{A}.ipynb": b"cy", f"__MACOSX/work/._{A}.ipynb": b"junk"}),
        f"dee/my work/{A}.ipynb": b"dee",
        "eli/work.zip": zipped({f"{A}.ipynb": b"eli"}),
    }
    found = what(clean(collected(files)))
    assert found == {(name, WEEK1): {A: name.encode()} for name in ("ada", "bob", "cy", "dee", "eli")}


def test_folders_by_assignment_first(collected):
    files = {f"{WEEK1}/ada/{A}.ipynb": b"ada", f"{WEEK1}/bob.zip": zipped({f"{A}.ipynb": b"bob"})}
    assert what(clean(collected(files))) == {(name, WEEK1): {A: name.encode()} for name in ("ada", "bob")}


@pytest.mark.parametrize(
    "files",
    [
        {f"ada/{A}.ipynb": b"1"},
        {f"ada/x/{A}.ipynb": b"1"},
        {f"ada/x/{A}.ipynb": b"1", "ada/y/report.pdf": b""},
        {f"ada/{WEEK1}/{A}.ipynb": b"1", "ada/old/report.pdf": b""},
        {f"ada/x/{A}.ipynb": b"1", f"ada/y/{B}.ipynb": b"2", "ada/timestamp.txt": b"2026-03-01 10:00:00 UTC"},
        {f"ada/{A}.zip": zipped({f"{A}.ipynb": b"1"}), f"ada/{B}.zip": zipped({f"{B}.ipynb": b"2"})},
        {f"collected/ada/{A}.ipynb": b"1"},
        {f"submitted/ada/{WEEK1}/{A}.ipynb": b"1"},
    ],
)
def test_a_class_of_one(collected, files):
    (one,) = clean(collected(files))
    assert one.student == "ada" and one.notebooks.items() <= {(A, b"1"), (B, b"2")}


def test_a_folder_around_all_learners(collected):
    files = {f"hand in (1)/ada/x/{A}.ipynb": b"1", "hand in (1)/bob.zip": zipped({f"{A}.ipynb": b"2"})}
    assert [one.student for one in clean(collected(files))] == ["ada", "bob"]


@pytest.mark.parametrize("around", ["", "course-hand-in/"])
def test_moodles_export(collected, around):
    files = {
        f"Ada Lovelace_111{MOODLE}/{A}.ipynb": b"ada",
        f"Ada Lovelace_111{MOODLE}/sub/{B}.ipynb": b"ada b",
        f"Ada Lovelace_111{MOODLE}/timestamp.txt": b"2020-01-01 00:00:00 UTC",
        f"Bob Nowak_222{MOODLE}{A}.ipynb": b"bob",
        f"Zoë Müller_333{MOODLE}/all.zip": zipped({f"{A}.ipynb": b"zoe"}),
        "Zoë Müller_333_assignsubmission_onlinetext_/onlinetext.html": b"",
        "王小明_444_assignsubmission_file/week1_b_perplexity.ipynb": b"wang",
    }
    found = clean(collected({around + name: data for name, data in files.items()}), roster=ROSTER)
    assert what(found) == {
        ("ada", WEEK1): {A: b"ada", B: b"ada b"},
        ("bob", WEEK1): {A: b"bob"},
        ("learner-444", WEEK1): {B: b"wang"},
        ("zoe-muller-333", WEEK1): {A: b"zoe"},
    }
    assert not any(one.timestamp and one.timestamp.startswith("2020") for one in found)  # a learner's own claim


@pytest.mark.parametrize("around", ["", "course-hand-in/"])
def test_canvas_export(collected, around):
    files = {
        f"{CANVAS}{A}.ipynb": b"ada",
        f"nowakbob_LATE_22_68_{A}-1.ipynb": b"bob",
        "youngcy_33_69_all.zip": zipped({f"{A}.ipynb": b"cy"}),
        f"anon_AbCdE_70_{A}.ipynb": b"anon",
    }
    found = clean(collected({around + name: data for name, data in files.items()}), roster=ROSTER)
    assert what(found) == {(one, WEEK1): {A: one[:4].encode()} for one in ("ada", "anon-AbCdE", "bob", "cy")}
    assert [one.student for one in found if one.late] == ["bob"]


def test_the_roster_tells_learners_from_the_folder_around_them(collected):
    path = collected({f"export (1)/ada/{A}.ipynb": b"ada", f"export (1)/{B}.ipynb": b"stray"})
    assert what(read(path, ASSIGNMENTS, ROSTER)[0]) == {("ada", WEEK1): {A: b"ada"}}


def test_a_learners_file_name_does_not_make_it_anothers(collected):
    files = {
        f"evil_99_1_lovelaceada_12345_67890_{A}.ipynb": b"",
        f"Eve_98{MOODLE}Ada Lovelace_111{MOODLE}{A}.ipynb": b"",
    }
    assert [one.student for one in clean(collected(files), roster=ROSTER)] == ["eve-98", "evil-99"]


@pytest.mark.parametrize("path", ["collected", "collected.zip"])
def test_files_of_nobody_are_named(tmp_path, path):
    unpack(tmp_path / "collected", {f"{A}.ipynb": b""})
    (tmp_path / "collected.zip").write_bytes(zipped({f"{A}.ipynb": b""}))
    found, (line,) = read(tmp_path / path, ASSIGNMENTS)
    assert not found and "is in no learner's folder" in line.why and line.source.endswith(f"{A}.ipynb")


# --- which notebook, which file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [f"{A} (1)", f"{A}-Copy1", f"{A}_ada", f"Copy of {A}", f"ada-{A}", A.upper(), f"{A}.new-2"]
)
def test_a_renamed_notebook_counts(collected, name):
    assert what(clean(collected({f"ada/{name}.ipynb": b"1"}))) == {("ada", WEEK1): {A: b"1"}}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("notes", "no notebook"),
        (f"{A}x", "no notebook"),
        (f"{A}_{B}", f"has the name of {WEEK1}/{A} and of {WEEK1}/{B}"),
        ("week1_a", "no notebook"),
    ],
)
def test_a_notebook_of_no_or_several_names_is_a_line(collected, name, why):
    assert only(collected({f"ada/{name}.ipynb": b"", f"bob/{A}.ipynb": b"bob"}), why) == []


def test_the_longer_of_two_names_that_fit(collected):
    path = collected({"ada/lab_extra (1).ipynb": b"1", "ada/lab (1).ipynb": b"2"})
    found, _ = read(path, {"x": ["lab", "lab_extra"]})
    assert found[0].notebooks == {"lab": b"2", "lab_extra": b"1"}


def test_the_folder_decides_where_two_assignments_share_a_name(collected):
    shared = {"x": ["lab"], "y": ["lab"]}
    path = collected({"ada/y/lab.ipynb": b"1", "bob/lab.ipynb": b"2"})
    found, (line,) = read(path, shared)
    assert what(found) == {("ada", "y"): {"lab": b"1"}} and line.student == "bob" and "x/lab and of y/lab" in line.why
    assert what(read(path, shared, assignment="x")[0]) == {("bob", "x"): {"lab": b"2"}}


def test_an_exact_name_beats_a_renamed_one(collected):
    (one,) = clean(collected({f"ada/{A}-Copy1.ipynb": b"copy", f"ada/{A}.ipynb": b"own", f"ada/{A} (1).ipynb": b"3"}))
    assert one.notebooks == {A: b"own"}
    (note,) = one.notes
    assert note.startswith(f"3 files for {A}, this one counts: ") and note.endswith(f"{A}.ipynb")


def test_the_newest_of_two_files_beats_the_exact_name(one_zip):
    path = one_zip(zipped({f"{A} (1).ipynb": (b"new", LATE), f"{A}.ipynb": (b"old", EARLY)}))
    one, bob = clean(path)
    assert one.notebooks == {A: b"new"} and "(1).ipynb" in one.notes[0]
    assert one.timestamp == "2026-03-02T10:00:00+00:00" and bob.timestamp is None


def test_canvas_counts_what_was_handed_in_again(collected):
    files = {
        f"lovelaceada_12345_{n}_{A}{again}.ipynb": again.encode() for n, again in [(9, ""), (11, "-2"), (10, "-1")]
    }
    (one,) = clean(collected(files))
    assert one.notebooks == {A: b"-2"} and "3 files" in one.notes[0] and one.student == "lovelaceada-12345"


def test_of_repeated_submissions_the_newest_counts(tmp_path):
    path = tmp_path / "in.zip"
    ours = [("ada", LATE, b"2"), ("Ada Lovelace", EARLY, b"1"), ("ADA@uni.edu", EARLY, b"0")]
    path.write_bytes(zipped({f"{name}/{A}.ipynb": (data, when) for name, when, data in ours}))
    (one,) = clean(path, roster=ROSTER)
    assert one.student == "ada" and one.notebooks == {A: b"2"}
    assert one.notes == (f"3 submissions, the newest counts: {path}: ada/{A}.ipynb",)


def test_a_folder_and_a_zip_of_one_name_are_one_learners(tmp_path):
    path = unpack(tmp_path, {f"ada/{A}.ipynb": b"old", "ada.zip": zipped({f"{A}.ipynb": b"new"})})
    (one,) = clean(path)
    assert one.notebooks == {A: b"new"} and one.notes[0].startswith("2 submissions")


def test_one_name_in_two_spellings_of_its_accent(collected):
    (one,) = clean(collected({f"Zo\u00eb/{A}.ipynb": b"1", f"Zoe\u0308/{A}.ipynb": b"2"}))
    assert one.notes[0].startswith("2 files")


def test_one_name_twice_in_an_archive(one_zip):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped([(f"{A}.ipynb", b"first"), (f"{A}.ipynb", b"second")])
    one, _ = clean(one_zip(data))
    assert one.notebooks == {A: b"second"} and "2 files" in one.notes[0]


def test_an_older_file_counts_where_the_newest_is_unreadable(one_zip, monkeypatch):
    monkeypatch.setattr(archives, "FILE_LIMIT", 5000)
    path = one_zip(zipped({f"{A}.ipynb": b"old", f"{A} (1).ipynb": (b"n" * 5001, LATE)}))
    (one,) = only(path, "is larger than")
    assert one.notebooks == {A: b"old"} and "2 files" in one.notes[0]


def test_one_assignment_alone(collected, monkeypatch):
    files = {
        f"ada/{A}.ipynb": b"1",
        "ada/week0_warm_up.ipynb": b"0",
        "bob.zip": zipped({"week0_warm_up.ipynb": b"0"}),
        f"cy/{WEEK0}/nothing.ipynb": b"",
    }
    path = collected(files)
    assert what(clean(path, assignment=WEEK1)) == {("ada", WEEK1): {A: b"1"}}
    with pytest.raises(ValueError, match="no assignment 'week9', but week0_warm_up, week1_loss"):
        read(path, ASSIGNMENTS, assignment="week9")


def test_stray_files_are_passed_over(collected):
    strays = ["report.pdf", ".DS_Store", f".ipynb_checkpoints/{A}-checkpoint.ipynb", f"__MACOSX/{A}.ipynb", "data.csv"]
    strays += [f"._{A}.ipynb", f".venv/{A}.ipynb", "timestamp.txt.bak"]
    files = {f"{A}.ipynb": b"1", **dict.fromkeys(strays, b"x")}
    path = collected({"readme.txt": b"", "bob.zip": zipped(files), **{f"ada/{name}": files[name] for name in files}})
    assert [(one.notebooks, one.notes) for one in clean(path)] == [({A: b"1"}, ())] * 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2015-02-02 15:58:23.948203 UTC", "2015-02-02T15:58:23.948203+00:00"),
        ("2026-03-01 12:00:00 +0200", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00+00:00"),
        ("yesterday", None),
        ("", None),
        ("0001-01-01 00:00:00 +0100", None),
        ("\udcff", None),
    ],
)
def test_nbgraders_timestamp(tmp_path, text, time):
    stamp = text.encode("utf-8", "surrogateescape")
    path = unpack(tmp_path, {f"ada/{WEEK1}/{A}.ipynb": b"1", f"ada/{WEEK1}/timestamp.txt": stamp})
    (one,), lines = read(path, ASSIGNMENTS)
    assert one.timestamp == time and one.notebooks
    assert [line.source.endswith("timestamp.txt") and "says no time" in line.why for line in lines] == [True] * (
        not time
    )


def test_a_learners_own_timestamp_is_no_proof(one_zip):
    files = {f"{A}.ipynb": b"1", "timestamp.txt": b"2020-01-01 00:00:00 UTC"}
    assert [one.timestamp for one in clean(one_zip(zipped(files)))] == ["2026-03-01T10:00:00+00:00", None]


def test_a_clock_that_was_never_set_says_nothing(one_zip):
    for when in [(1980, 1, 1, 0, 0, 0), (2026, 0, 0, 0, 0, 0)]:
        one, _ = clean(one_zip(zipped({f"{A}.ipynb": (b"1", when)})))
        assert one.timestamp is None


@pytest.mark.parametrize("name", ["work.rar", "work.7z", "work.tar.gz"])
def test_another_kind_of_archive_is_a_line(collected, name):
    assert only(collected({f"ada/{name}": b"x", f"bob/{A}.ipynb": b"bob"}), "hand in one zip") == []


def test_the_limit_of_all_that_is_read(collected, monkeypatch):
    monkeypatch.setattr(archives, "TOTAL_LIMIT", 2500)
    big = b"x" * 2000
    files = {
        "two/a.zip": zipped({f"{A}.ipynb": big}),
        "two/b.zip": zipped({f"{B}.ipynb": big}),
        "ada.zip": zipped({f"{A}.ipynb": big, f"{B}.ipynb": big}),
        f"ada2/{A}.ipynb": big,
        f"ada2/{B}.ipynb": big,
        f"bob/{A}.ipynb": b"bob",
    }
    found, lines = read(collected(files), ASSIGNMENTS)
    read_in = {one.student: set(one.notebooks) for one in found}
    assert read_in == {"ada": {A}, "ada2": {A}, "bob": {A}, "two": {A, B}}  # the limit is each archive's
    assert [(line.student, "were read before it" in line.why) for line in lines] == [("ada", True), ("ada2", True)]


# --- whose it is ------------------------------------------------------------------------------------------------------

NAMES = ["Ada L", ".hid", "zoë", "x" * 200, "-rf", "a*b?[c]", "a\nb", "\x1b[31m", "con.", "ADA", "ada", "Ada", "a  b"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_any_name_becomes_a_safe_id_that_is_nobody_elses(tmp_path, kind):
    if kind == "folder":
        names = [*map(os.fsencode, NAMES), b"\xff\xfe"]
        for number, name in enumerate(names):
            os.mkdir(os.path.join(os.fsencode(tmp_path), name))
            with open(os.path.join(os.fsencode(tmp_path), name, os.fsencode(f"{A}.ipynb")), "wb") as file:
                file.write(bytes([number]))
        path = tmp_path
    else:
        names = [*NAMES, "zoe\u0308z", "y" * 2000]
        path = tmp_path / "in.zip"
        path.write_bytes(zipped({f"{name}/{A}.ipynb": bytes([number]) for number, name in enumerate(names)}))
    found = clean(path)
    assert sorted(one.notebooks[A] for one in found) == [bytes([number]) for number in range(len(names))]
    ids = [one.student for one in found]
    assert all(map(is_safe, ids)) and len({id.casefold() for id in ids}) == len(names)
    assert {one.student: one.notebooks for one in clean(path)} == {one.student: one.notebooks for one in found}
    assert all(one.source.isprintable() and len(one.source) < 400 for one in found)


def test_a_safe_name_stays_and_an_id_does_not_hang_on_the_others(tmp_path):
    alone = unpack(tmp_path / "alone", {f"Zoë M/{A}.ipynb": b""})
    more = unpack(tmp_path / "more", {f"{name}/{A}.ipynb": b"" for name in ("Zoë M", "S-12.a_b@x.org", "zoe-m")})
    assert {one.student for one in clean(more)} == {clean(alone)[0].student, "S-12.a_b@x.org", "zoe-m"}


def test_an_unknown_learner_does_not_get_the_id_of_a_known_one(collected):
    roster = Roster([Learner("eve-1", "Ada Lovelace")])
    path = collected({f"Eve_1{MOODLE}{A}.ipynb": b"eve", f"Ada Lovelace_2{MOODLE}{A}.ipynb": b"ada"})
    found = what(clean(path, roster=roster))
    assert found.pop(("eve-1", WEEK1)) == {A: b"ada"}
    (((student, _), notebooks),) = found.items()
    assert student.startswith("eve-1-") and notebooks == {A: b"eve"}


def test_nobody_passes_as_another_by_a_name_that_he_chose(collected):
    files = {f"Ada Lovelace_{number}{MOODLE}{A}.ipynb": b"" for number in (1, 2)}
    files |= {f"bob_3{MOODLE}{A}.ipynb": b"", f"lovelaceada_999_4_{A}.ipynb": b""}  # an id as a name; Ada is 12345
    found = clean(collected(files), roster=ROSTER)
    assert [one.student for one in found] == ["ada-lovelace-1", "ada-lovelace-2", "bob-3", "lovelaceada-999"]
    assert found[0].notes == ("2 learners are called Ada Lovelace: none is taken for ada",)


def test_moodles_number_is_for_one_assignment_alone(collected):
    files = {
        f"{week}/Ada Lovelace_{n}{MOODLE}{name}.ipynb": b"" for n, week, name in [(1, WEEK1, A), (2, WEEK0, WEEK0)]
    }
    assert {one.student for one in clean(collected(files), roster=ROSTER)} == {"ada"}


def test_a_submission_is_plain_data():
    one = Submission("ada", WEEK1, {A: b"{}"}, None, "in.zip: x")
    assert (one.late, one.notes) == (False, ())
