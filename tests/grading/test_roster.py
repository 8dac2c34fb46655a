"""The roster: who is in it, whom a text names, what is said of a bad file, and the marks as an LMS takes them back."""

import csv
import io

import pytest

from autograde.names import is_safe, safe_id
from autograde.roster import Learner, Roster, RosterError

ADA = Learner("ada", "Ada Lovelace", "ada@uni.edu")
OWN = "id,name,email\nada,Ada Lovelace,ada@uni.edu\nzoe,Zoë Müller,z@uni.edu\n"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Week 1 (4711),Week 2 (4712),Final Score\n"
    ",,,,,Manual Posting,,\n"
    "    Points Possible,,,,,10,20,(read only)\n"
    '"Lovelace, Ada",501,s1,ada,Monday,,3,77\n'
    '"Müller, Zoë",502,s2,zoe,Monday,EX,,50\n'
)
MOODLE = (
    "First name,Last name,ID number,Email address,Assignment: Week 1 (Real),Last downloaded from this course\n"
    "Ada,Lovelace,ada,ada@uni.edu,-,1700000000\n"
    "Zoë,Müller,,zoe@uni.edu,-,1700000000\n"
)
MARKS = {"ada": 7.5}


@pytest.fixture
def saved(tmp_path):
    def save(text, encoding="utf-8", name="roster.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return save


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_spreadsheets_csv_is_read(saved, encoding, delimiter, newline):
    roster = Roster.read(saved(OWN.replace(",", delimiter).replace("\n", newline), encoding))
    assert list(roster) == [ADA, Learner("zoe", "Zoë Müller", "z@uni.edu")]


def test_columns_in_any_order_and_with_an_lms_number(saved):
    (learner,) = Roster.read(saved("LMS,Name,extra,ID\n501,Ada,x,ada\n"))
    assert learner == Learner("ada", "Ada", "", "501")


def test_a_canvas_export(saved):
    assert list(Roster.read(saved(CANVAS))) == [
        Learner("ada", "Ada Lovelace", "", "501"),
        Learner("zoe", "Zoë Müller", "", "502"),
    ]


def test_a_canvas_export_with_first_and_last_names_and_addresses_as_logins(saved):
    text = "LastName,FirstName,ID,SIS Login ID,Section\nLovelace,Ada,501,ada@uni.edu,A\nMüller,Zoë,502,,A\n"
    assert list(Roster.read(saved(text))) == [
        Learner("ada@uni.edu", "Ada Lovelace", "ada@uni.edu", "501"),
        Learner("502", "Zoë Müller", "", "502"),
    ]


@pytest.mark.parametrize("german", [False, True])
def test_a_moodle_export(saved, german):
    head, rest = MOODLE.split("\n", 1)
    text = f"Vorname,Nachname,ID-Nummer,E-Mail-Adresse,Aufgabe: Week 1 (Punkte),Zuletzt geladen\n{rest}"
    assert list(Roster.read(saved(text if german else MOODLE))) == [
        ADA,
        Learner("zoe@uni.edu", "Zoë Müller", "zoe@uni.edu"),
    ]


def test_an_id_of_an_lms_becomes_one_that_a_folder_can_have(saved):
    text = MOODLE.replace("Lovelace,ada,", 'Lovelace,"../a b",').replace("zoe@", "zoe+1@")
    first, second = Roster.read(saved(text))
    assert is_safe(first.id) and is_safe(second.id)
    assert Roster.read(saved(text)).find("../a b") == first


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "a.", "-a", "a b", "a/b", "a\\b", "é", "a*", "a\n", "a" * 101, "@a"]
)
def test_names_that_are_no_ids(name):
    assert not is_safe(name) and is_safe(safe_id(name)) and is_safe("Ada-L_1.x@uni.edu")


# --- finding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    "zoe ZOE 502 s2 zoe@uni.edu Zoe@Uni.edu zoemuller mullerzoe".split()
    + ["Zoë Müller", "zoe muller", "Müller, Zoë", "Muller Zoe", "mu\u0308llerzoe", " Zoë  Müller "],
)
def test_a_learner_is_found_by_whatever_names_him(saved, text):
    zoe = Learner("zoe", "Zoë Müller", "zoe@uni.edu", "502")
    assert Roster([ADA, zoe], [("s2", zoe)]).find(text) == zoe


def test_canvas_and_moodle_words_are_known_after_reading(saved):
    roster = Roster.read(saved(CANVAS))
    assert {roster.find(text).id for text in ("501", "s1", "ada", "lovelaceada")} == {"ada"}


@pytest.mark.parametrize("text", ["", " ", ",", "nobody", "lovelace", "ad"])
def test_nobody_is_found_by_less(text):
    assert Roster([ADA, Learner("anon")]).find(text) is None


def test_the_ambiguous_is_not_found_and_ids_come_first():
    one, other, third = Learner("a", "Jan Novak"), Learner("b", "Novak, Jan"), Learner("c", "b", lms="a")
    roster = Roster([one, other, third])
    assert roster.find("Jan Novak") is None
    assert roster.find("b") == other and roster.named("b") == third
    assert roster.find("a") == one and roster.of_lms("a") == third


def test_names_of_several_words_and_letters_of_their_own():
    roster = Roster([Learner("v", "Jan van der Berg"), Learner("s", "Søren Großmann"), Learner("w", "王小明")])
    found = [roster.find(text) for text in ("vanderbergjan", "Berg, Jan van der", "soren grossmann", "王小明")]
    assert [learner.id for learner in found] == ["v", "v", "s", "w"]


# --- bad files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "roster.csv: is empty"),
        ("\n\n", "roster.csv: is empty"),
        ("id,name,email\n", "names no learner"),
        ("who,what\nada,x\n", "line 1: the columns are 'who, what': expected id,name,email"),
        ("First name,Last name\nAda,L\n", "line 1: the columns are"),
        ("id,name\nada,A\n\nzoe,Z\nADA,B\n", "line 5: the id 'ADA' is in line 2 already"),
        ("id,name\nada,A\n,B\n", "line 3: the id '' cannot be a folder's name"),
        ("id,name\n../x,A\n", "line 2: the id '../x' cannot be a folder's name"),
        ("id,name\nada,Lovelace, Ada\n", "line 2: has more cells than the first line"),
        (MOODLE.replace("zoe@uni.edu", ""), "line 3: has no ID number and no email address"),
        pytest.param('id,name\nada,"' + "x" * 200_000, "line 2: is no CSV", id="a cell without an end"),
    ],
)
def test_a_bad_file_is_one_clear_line(saved, text, said):
    with pytest.raises(RosterError) as raised:
        Roster.read(saved(text))
    assert said in str(raised.value) and "\n" not in str(raised.value) and "roster.csv" in str(raised.value)


def test_files_that_cannot_be_read_at_all(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"id,name\n\x81\x8d,x\n")
    for path, said in [("binary.csv", "neither UTF-8 nor cp1252"), ("none.csv", "cannot be read"), (".", "cannot be")]:
        with pytest.raises(RosterError, match=said):
            Roster.read(tmp_path / path)


# --- marks out --------------------------------------------------------------------------------------------------------


def test_canvas_gets_one_column_filled_and_all_else_as_it_was(saved):
    template = saved(CANVAS)
    roster = Roster.read(template)
    before, after = cells(CANVAS), cells(roster.lms_csv(template, MARKS, "Week 1", 10))
    before[3][5] = "7.5"
    assert after == before


def test_a_roster_of_ones_own_finds_the_rows_too(saved):
    text = cells(Roster.read(saved(OWN)).lms_csv(saved(CANVAS, name="canvas.csv"), MARKS, "Week 1 (4711)", 10))
    assert [row[5] for row in text[3:]] == ["7.5", "EX"]


def test_a_column_that_is_missing_is_added_with_its_points(saved):
    template = saved(CANVAS)
    rows = cells(Roster.read(template).lms_csv(template, {"zoe": 1 / 3}, "=Week 3", 37))
    assert [row[-1] for row in rows] == ["'=Week 3", "", "37", "", "0.3333"]
    assert [row[:-1] for row in rows] == cells(CANVAS)


def test_moodles_column_is_found_and_only_marks_are_written(saved):
    template = saved(MOODLE)
    rows = cells(Roster.read(template).lms_csv(template, MARKS, "Week 1", 10))
    assert [row[4] for row in rows] == ["Assignment: Week 1 (Real)", "7.5", "-"]
    percent = saved(MOODLE.replace("Real", "Percentage"))
    assert cells(Roster.read(percent).lms_csv(percent, MARKS, "Week 1", 10))[0][-1] == "Week 1"


def test_the_templates_own_bom_delimiter_and_line_ends_stay(saved):
    template = saved(CANVAS.replace(",", ";").replace("Lovelace;", "Lovelace,").replace("\n", "\r\n"), "utf-8-sig")
    text = Roster.read(template).lms_csv(template, MARKS, "Week 1", 10)
    assert text.startswith("\ufeffStudent;ID;") and text.count("\r\n") == 5
    assert cells(text, ";")[3][:6] == ["Lovelace, Ada", "501", "s1", "ada", "Monday", "7.5"]


@pytest.mark.parametrize(
    ("change", "title", "most", "said"),
    [
        (("Week 2", "Week 1"), "Week 1", 10, "'Week 1 (4711)' and 'Week 1 (4712)' both fit"),
        (("501", "501"), "Week 1", 37, "line 3: 'Week 1 (4711)' has 10 points in the LMS and 37 here"),
        (("Lovelace", "Byron"), "Week 1", 10, "none of the graded learners"),
        (("502,s2,zoe", "503,s1,"), "Week 1", 10, "line 5: is ada, as line 4 is"),
    ],
)
def test_what_would_put_marks_in_the_wrong_place_is_refused(saved, change, title, most, said):
    text = CANVAS.replace("s1,ada", ",") if change[0] == "Lovelace" else CANVAS
    template = saved(text.replace(*change), name="canvas.csv")
    ada = Learner("ada", "Ada Lovelace", lms="501" if change[0] != "Lovelace" else "")
    with pytest.raises(RosterError) as raised:
        Roster([ada], [("s1", ada)]).lms_csv(template, MARKS, title, most)
    assert said in str(raised.value) and "canvas.csv" in str(raised.value)


def test_points_that_canvas_writes_otherwise_are_the_same_points(saved):
    template = saved(CANVAS.replace("Possible,,,,,10,", 'Possible,,,,,"10,00",'))
    assert '"10,00"' in Roster.read(template).lms_csv(template, MARKS, "Week 1", 10)


def test_a_number_of_the_lms_is_not_taken_for_anothers_id(saved):
    """Canvas knows Zoë as 502, which is Ada's number at the university."""
    roster = Roster([Learner("502", "Ada Lovelace"), Learner("9", "Zoë Müller")])
    text = roster.lms_csv(saved(CANVAS.replace("s2,zoe", ",")), {"502": 1.0, "9": 2.0}, "Week 1", 10)
    assert [row[5] for row in cells(text)[3:]] == ["1", "2"]


def test_marks_without_a_row_are_listed(saved):
    template = saved(CANVAS)
    assert Roster.read(template).unplaced(template, {"ada": 1.0, "gone": 2.0}) == ["gone"]


def test_the_plain_csv_has_everyone_and_runs_no_formula():
    names = ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "Ada"]
    roster = Roster([Learner(f"s{n}", name, "=e") for n, name in enumerate(names)])
    rows = cells(roster.plain_csv({"s6": 2.0, "other": -0.5}, 10))
    assert rows[0] == ["id", "name", "email", "score", "max_score"]
    assert [row[1] for row in rows[1:]] == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "'\rx", "Ada", ""]
    assert {row[2] for row in rows[1:-1]} == {"'=e"}
    assert rows[7:] == [["s6", "Ada", "'=e", "2", "10"], ["other", "", "", "-0.5", "10"]]
    assert rows[1][3] == ""
