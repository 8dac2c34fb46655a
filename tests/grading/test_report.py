"""The report of a class: what is counted, that nothing of a learner becomes markup, and who may read what."""

import copy
import csv
import io
import itertools
import random
import re
from html.parser import HTMLParser

import pytest

from autograde import report, tally
from autograde.exercise import find, of_week
from autograde.report import Marks

LESSON, EMA, SOFTMAX = "week1_loss_and_perplexity", "week1.ema", "week1.log_softmax"
VOID = {"br", "meta", "rect", "path"}


def check(status="right", score=None, misconception="", hint="", told="", seconds=0.1):
    score = {"right": 1.0, "partly": 0.5}.get(status, 0.0) if score is None else score
    return dict(
        seed=987654, score=score, status=status, misconception=misconception, hint=hint, told=told, passed=6, cases=8,
        seconds=seconds,
    )  # fmt: skip


def result(student, checks=None, status="graded", assignment=LESSON, **changed):
    cells = [{"id": "week1-ema", "error": ["NameError", "name 'x' is not defined"], "seconds": 0.1}]
    book = {"status": "graded", "detail": "", "cells": cells, "checks": checks or {}}
    about = dict(detail="", timestamp="2026-11-20T10:00:00+00:00", late_s=0.0, sandbox="warm", seconds=1.0)
    notebooks = {"week1_a_loss": book} if status == "graded" else {}
    made = dict(student=student, assignment=assignment, status=status, **about, flags=[], notes=[], notebooks=notebooks)
    return made | changed


def small_class():
    mistake = dict(misconception="no correction", hint="Look at step one.")
    return [
        result(
            "cy", {EMA: check("wrong", told="step one gave 31.5", **mistake), SOFTMAX: check("blank")}, late_s=7500.0
        ),
        result("ada", {EMA: check(), SOFTMAX: check("partly", score=0.75)}, notes=["3 submissions"], seconds=9.0),
        result("bo", {EMA: check("wrong", **mistake)}, sandbox="none", flags=["essay waits"]),
        result("di", status="unreadable", detail="not JSON", timestamp=None),
        result("ed", {EMA: check("right", seconds=5.0), SOFTMAX: check("right")}, flags=["essay waits"]),
    ]


POINTS = {EMA: 2, SOFTMAX: 4, "week1.gone": 0}
MARKS = Marks(POINTS, {"ada": "Ada Lovelace", "flo": "Flo"}, {("ed", SOFTMAX): 3.5, ("di", EMA): 1})


@pytest.fixture(scope="module")
def made():
    return report.pages(small_class(), MARKS)


class Page(HTMLParser):
    """The elements of a page with their attributes, its text, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.open = [], "", []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, tuple(attributes)))
        self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open[-1:] != ["style"] else ""

    @property
    def words(self):
        return " ".join(self.text.split())


# --- what is counted --------------------------------------------------------------------------------------------------


def test_a_small_class_is_counted():
    (found,) = tally.assignments(small_class(), MARKS)
    assert [row.student for row in found.rows] == ["ada", "bo", "cy", "di", "ed"]
    assert [exercise.id for exercise in found.exercises] == [SOFTMAX, EMA, "week1.gone"]  # the order of the lesson
    assert [row.score for row in found.rows] == [5, 0, 0, 1, 5.5]
    assert (found.points, found.mean, found.median) == (6, 2.625, 2.5)
    softmax, ema, gone = found.tallies
    assert softmax.counts == {"right": 1, "partly": 1, "wrong": 0, "blank": 2}
    assert ema.counts == {"right": 2, "partly": 0, "wrong": 2, "blank": 0}
    assert gone.counts["blank"] == 4 and gone.exercise.title == "week1.gone"
    assert (softmax.mean, ema.mean, ema.most_seconds) == (0.4375, 0.5, 5.0)
    (mistake,) = found.mistakes
    assert [row.student for row in mistake.rows] == ["bo", "cy"] and mistake.hint == "Look at step one."
    assert [(line, [row.student for row in rows]) for line, rows in found.human] == [
        ("unreadable: not JSON", ["di"]),
        ("essay waits", ["bo", "ed"]),
    ]
    assert found.absent == ("Flo",)


def test_every_score_falls_into_one_bin():
    scores = [0, 0.6, 1.8, 4.2, 6, 6.5, -1]  # borders of bins, a bonus, a penalty
    overrides = {(f"s{i}", SOFTMAX): score for i, score in enumerate(scores)}
    (found,) = tally.assignments([result(f"s{i}") for i in range(7)], Marks({SOFTMAX: 6}, {}, overrides))
    assert [count for _, _, count in report.histogram(found)] == [2, 1, 0, 1, 0, 0, 0, 1, 0, 2]


def test_points_stand_in_the_specification_unless_they_are_changed():
    results = [result("ada", {EMA: check(), SOFTMAX: check()})]
    (found,) = tally.assignments(results, Marks({EMA: 0}))
    assert found.points == find(SOFTMAX).points and found.rows[0].score == find(SOFTMAX).points


def test_an_exercise_belongs_to_the_assignment_that_checks_it():
    results = [result("ada", {EMA: check()}, assignment="week1_a"), result("ada", {}, assignment="week1_b")]
    results += [result("ada", {}, assignment="week10_c"), result("ada", {}, assignment="week2_d")]
    found = tally.assignments(results, Marks({EMA: 2, SOFTMAX: 2}))
    assert [each.name for each in found] == ["week1_a", "week1_b", "week2_d", "week10_c"]
    assert [[exercise.id for exercise in each.exercises] for each in found] == [[SOFTMAX, EMA], [SOFTMAX], [], []]


def test_the_instructor_reads_what_matters(made):
    words = Page(made["index.html"]).words
    for expected in (
        "handed in 5 graded 4 unreadable 1 stopped 0 late 1",
        "Unsandboxed. 1 of 5 submissions",
        "unreadable: not JSON",
        "Nothing was handed in by 1 learner",
        "Ada Lovelace: 3 submissions",
        "Lowest: Log-softmax (44%), Smooth a noisy curve (50%).",
        "✓ right, ◐ partly, ✗ wrong, ○ blank",
        "no correction Smooth a noisy curve 2 learners bo cy Look at step one.",
        "2 h 5 min late",
        "✓ right 3.5 by hand",
        "week1.gone does not count",
        "The slowest submissions",
    ):
        assert expected in words
    assert "step one gave 31.5" not in words  # the first learner's own, and bo has none


def test_an_empty_class_has_a_page():
    made = report.pages([], Marks())
    assert sorted(made) == ["index.html", "marks.csv", "misconceptions.csv"]
    assert "There are no results yet" in Page(made["index.html"]).words


def test_a_class_without_a_single_graded_submission_has_a_page():
    made = report.pages([result("ada", status="stopped", detail="600 s")], Marks({EMA: 2}))
    assert "No submission was graded." in made["index.html"]
    assert "Grading did not come to its end: 600 s" in Page(made["learners/ada.html"]).words


# --- nothing of a learner becomes markup ------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "\" onmouseover='alert(1)' x=\"",
    "' autofocus onfocus=alert(1) '",
    "javascript:alert(1)",
    "</style></title></svg></details><img src=x onerror=alert(1)>",
    "<!-- ]]> <b>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b[0m\x1b]8;;x\x07\x00\x07\x9b1m\u202e\u2066\ud800\r\n\x0b",
    "../../etc/passwd",
    "e" + "\u0301" * 5000,
    "long " * 2_000,
)
ENUMS = {"graded", "unreadable", "right", "partly", "wrong", "blank", "warm", "none", LESSON}


def filled(value, text, keep):
    """`value` with every string in it, names of exercises and notebooks too, replaced by text()."""
    if isinstance(value, str):
        return value if value in keep else text()
    if isinstance(value, list):
        return [filled(item, text, keep) for item in value]
    if isinstance(value, dict):
        named = "checks" not in value and not value.keys() & {"student", "seed", "error"}
        return {text() if named else key: filled(item, text, keep) for key, item in value.items()}
    return value


def hostile_class(text, keep):
    one = small_class()
    for each in one:
        each["detail"], each["notes"] = "why", ["note"]
        for book in each["notebooks"].values():
            book["detail"] = "lost"
            for found in book["checks"].values():
                found.update(misconception="name", hint="hint", told="told")
    results = [filled(each, text, keep) for each in one]
    points = {text(): 3.0, **{key: 1.0 for each in results for b in each["notebooks"].values() for key in b["checks"]}}
    return results, Marks(points, {each["student"]: text() for each in results} | {text(): text()})


def skeleton(text):
    """What a page is built of, whatever stands in it: elements and attributes, the names of learners' files apart."""
    name = re.compile(r'learners/[a-z0-9_-]+(\.[0-9a-f]{16})?\.html(?="|$)')
    return [(tag, tuple((k, name.sub("learners/…", v)) for k, v in found)) for tag, found in Page(text).elements]


@pytest.mark.parametrize("keep", [ENUMS, set()], ids=["known statuses", "every string"])
@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_strings_stay_text(payload, keep):
    def rendered(start):
        numbers = itertools.count()
        results, marks = hostile_class(lambda: f"{start}{next(numbers):04}", keep)
        made = report.pages(results, marks)
        return made["index.html"], [made[name] for name in sorted(made) if name.startswith("learners/")], made

    (index, learners, made), (calm, calm_learners, _) = rendered(payload), rendered("calm")
    assert skeleton(index) == skeleton(calm)
    assert sorted(map(skeleton, learners)) == sorted(map(skeleton, calm_learners))
    for text in made.values():
        text.encode("utf-8")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        assert "\u0301" * 4 not in text


def test_the_contract_of_filled_covers_the_result():
    """The test above replaces what it should: not a string of a result is left."""
    results, marks = hostile_class(lambda: "X", set())
    left = set(re.findall(r"'([^']*)'", repr([list(each.values()) for each in results])))
    fields = set(result("x")) | {"id", "error", "seconds", "status", "detail", "cells", "checks"} | set(check())
    assert left <= fields | {"X"}


def test_pages_load_and_run_nothing(made):
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    allowed = set(
        "html head meta title style body a header h1 h2 h3 nav ul ol li main section div p strong details summary dl "
        "dt dd svg desc rect text path table caption thead tbody tr th td br small span".split()
    )
    for name in ("index.html", "learners/ada.html", "learners/di.html"):
        page, text = Page(made[name]), made[name]
        assert text.startswith("<!doctype html>") and '<html lang="en">' in text and 'name="viewport"' in text
        assert policy in dict(page.elements[3][1])["content"]
        assert {tag for tag, _ in page.elements} <= allowed
        attributes = [pair for _, found in page.elements for pair in found]
        assert (
            not {name for name, _ in attributes if name.startswith("on")} | {"src", "style"} & dict(attributes).keys()
        )
        for _, address in (pair for pair in attributes if pair[0] == "href"):
            assert re.fullmatch(r"#[a-z0-9-]+|learners/[a-z0-9._-]+\.html", address)
        assert not re.search(r"https?:|//|url\(|@import", text)


def test_a_page_can_be_found_the_way_around_in(made):
    page = Page(made["index.html"])
    ids = [dict(found)["id"] for _, found in page.elements if "id" in dict(found)]
    assert len(ids) == len(set(ids))
    for _, found in page.elements:
        named = [dict(found).get("href", "").removeprefix("#")] + dict(found).get("aria-labelledby", "").split()
        assert all(name in ids or not name or name.startswith("learners/") for name in named)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption") and tags.count("h1") == 1
    heads = [dict(found) for tag, found in page.elements if tag == "th"]
    assert all(head.get("scope") in ("row", "col") for head in heads)


@pytest.mark.parametrize("limit", [5, 600])
def test_a_clean_text_is_one_line_of_at_most_so_many_characters(limit):
    for text in HOSTILE:
        cleaned = report.clean(text, limit)
        assert len(cleaned) <= limit and report.clean(cleaned, limit) == cleaned and len(cleaned.splitlines()) < 2
    assert report.clean("\x1b[1;31mred\x1b[0m \x1b]0;title\x07door\x1b") == "red door"
    assert report.clean("می\u200cخواهم Zoë Erdős 王") == "می\u200cخواهم Zoë Erdős 王"


# --- who may read what ------------------------------------------------------------------------------------------------


def test_a_learner_reads_nothing_of_others_and_nothing_of_the_grader(made):
    text = made["learners/cy.html"]
    for secret in ("987654", "31.5", "Ada", "bo.html", "Flo", "no correction", "NameError", "essay", "mean", "index"):
        assert secret not in Page(text).text and f">{secret}" not in text
    assert "Smooth a noisy curve ✗ wrong, 0 of 2 points Look at step one." in Page(text).words
    assert "2 h 5 min late" in Page(text).words


def test_a_learner_reads_why_points_are_as_they_are(made):
    assert "Log-softmax ✓ right, 3.5 of 4 points, given by hand" in Page(made["learners/ed.html"]).words
    assert "This submission could not be read: not JSON" in Page(made["learners/di.html"]).words
    assert "Smooth a noisy curve ◐ partly, 1 of 2 points, given by hand" in Page(made["learners/di.html"]).words
    voided = report.pages([result("ada", {EMA: check()})], Marks({EMA: 0}))
    assert "Smooth a noisy curve ✓ right, does not count" in Page(voided["learners/ada.html"]).words


def test_a_hint_is_given_only_where_something_is_wrong():
    checks = {EMA: check("right", hint="Well."), SOFTMAX: check("partly", hint="Nearly.")}
    words = Page(report.pages([result("ada", checks)], Marks())["learners/ada.html"]).words
    assert "Nearly." in words and "Well." not in words


def test_a_learner_finds_all_assignments_on_one_page():
    results = [result("ada", {EMA: check()}), result("ada", assignment="week0_start")]
    words = Page(report.pages(results, Marks())["learners/ada.html"]).words
    assert words.index("week0_start") < words.index(LESSON)


def test_file_names_are_safe_and_differ():
    odd = [
        "ada",
        "Ada",
        "ADA",
        "a/b",
        "a\\b",
        "..",
        "",
        ".",
        "con",
        "nul",
        "com1",
        "a b",
        "é",
        "a" * 300,
        "\ud800",
        "_ada",
    ]
    odd += ["ada@uni.example", "a\x00", "ada.html", "-rf", "a.b"]
    names = [report.file_name(student) for student in odd]
    assert names[0] == "ada.html" and len({name.lower() for name in names}) == len(odd)
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9._-]{0,90}\.html", name) and ".." not in name for name in names)
    assert report.file_name(names[1].removesuffix(".html")) != names[1]


# --- files ------------------------------------------------------------------------------------------------------------


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_marks_can_be_read_back(made):
    ada, bo, cy, di, ed = rows(made["marks.csv"])
    assert ada == {
        "student": "ada", "name": "Ada Lovelace", "assignment": LESSON, "timestamp": "2026-11-20T10:00:00+00:00",
        "late_s": "0.0", "status": "graded", "sandbox": "warm", SOFTMAX: "3.0", EMA: "2.0", "week1.gone": "0.0",
        "score": "5.0", "max_score": "6",
    }  # fmt: skip
    assert (bo["sandbox"], cy["late_s"], di["status"], di["timestamp"]) == ("none", "7500.0", "unreadable", "")
    assert (ed[SOFTMAX], ed["score"], di["score"]) == ("3.5", "5.5", "1.0")
    (mistake,) = rows(made["misconceptions.csv"])
    assert list(mistake.values()) == [LESSON, EMA, "no correction", "2", "bo; cy"]


def test_a_spreadsheet_reads_no_formula():
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("x";"y")', 'ok, "quoted"\nline']
    checks = {EMA: check("wrong", misconception="=cmd", hint="h")}
    made = report.pages([result(name, checks, late_s=-1.0) for name in names], Marks())
    for table in (made["marks.csv"], made["misconceptions.csv"]):
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert not [cell for cell in cells if cell[:1] in tuple("=+@\t\r＝＋－＠") and cell[:1]]
        assert {cell for cell in cells if cell.startswith("-")} <= {"-1.0"}  # a number
    assert "'=HYPERLINK" in made["marks.csv"] and "'=cmd" in made["misconceptions.csv"]


def test_who_of_a_large_class_is_not_cut():
    results = [result(f"student-{i}", {EMA: check("wrong", misconception="same")}) for i in range(300)]
    (mistake,) = rows(report.pages(results, Marks())["misconceptions.csv"])
    assert len(mistake["who"].split("; ")) == 300


def test_writing_replaces_and_removes_only_its_own(made, tmp_path):
    report.write(tmp_path, made)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == made.keys()
    assert all((tmp_path / name).read_bytes() == text.encode() for name, text in made.items())
    (tmp_path / "learners" / "mine.html").write_text("<p>my own notes</p>")
    report.write(tmp_path, report.pages(small_class()[:2], MARKS))
    assert sorted(path.name for path in (tmp_path / "learners").iterdir()) == ["ada.html", "cy.html", "mine.html"]


def test_the_same_results_give_the_same_bytes(made):
    shuffled, before = small_class(), small_class()
    random.Random(1).shuffle(shuffled)
    handed = copy.deepcopy(shuffled)
    assert report.pages(shuffled, MARKS) == report.pages(before, MARKS) == made
    assert shuffled == handed  # and stay as they were


def test_five_hundred_learners_fit_a_page():
    exercises, draw = of_week("week1"), random.Random(0)

    def answer(exercise):
        status = draw.choice(tally.STATUSES)
        mistake = draw.choice(exercise.misconceptions) if status in ("partly", "wrong") else None
        return check(status, misconception=mistake.name, hint=mistake.hint) if mistake else check(status)

    results = [result(f"student{i}", {e.id: answer(e) for e in exercises}, flags=[f"line {i}"]) for i in range(500)]
    made = report.pages(results, Marks(names={f"student{i}": f"Somebody Longname {i}" for i in range(500)}))
    assert len(made) == 503 and len(made["index.html"].encode()) < 3_000_000


# --- colours ----------------------------------------------------------------------------------------------------------


def schemes():
    """The colours of the light and of the dark scheme, by name, in linear RGB."""

    def linear(value):
        parts = [int(value[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]

    text = report.pages([], Marks())["index.html"]
    found = [
        dict(re.findall(r"--([a-z]+): #([0-9a-f]{6});", block)) for block in re.findall(r":root {(.*?)}", text, re.S)
    ]
    assert len(found) == 2 and found[0].keys() == found[1].keys()
    return [{name: linear(value) for name, value in scheme.items()} for scheme in found]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_every_text_can_be_read(scheme):
    def luminance(colour):
        return times([(0.2126, 0.7152, 0.0722)], colour)[0] + 0.05

    for name in scheme.keys() - {"bg", "panel", "line"}:
        for ground in ("bg", "panel"):
            dark, light = sorted([luminance(scheme[name]), luminance(scheme[ground])])
            assert light / dark >= 4.5, (name, ground)


# How the colours look without the red, the green or the blue cones (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_the_colour_blind_see_the_parts_of_a_bar_apart(scheme, eyes):
    def oklab(colour):
        cones = ((0.41222, 0.53633, 0.05145), (0.21190, 0.68070, 0.10740), (0.08830, 0.28172, 0.62998))
        axes = ((0.21045, 0.79362, -0.00407), (1.97800, -2.42859, 0.45059), (0.02590, 0.78277, -0.80868))
        seen = [min(max(part, 0.0), 1.0) for part in times(eyes, colour)]
        return times(axes, [part ** (1 / 3) for part in times(cones, seen)])

    for one, other in itertools.combinations(("right", "partly", "wrong"), 2):
        apart = [a - b for a, b in zip(oklab(scheme[one]), oklab(scheme[other]), strict=True)]
        assert sum(part**2 for part in apart) ** 0.5 > 0.1, (one, other)


def test_a_submission_of_which_nothing_ran_is_not_called_unsandboxed():
    result = {"student": "ada", "assignment": "week1_x", "status": "unreadable", "detail": "a link", "timestamp": None}
    result |= {"late_s": 0.0, "sandbox": "", "seconds": 0.0, "flags": [], "notes": [], "notebooks": {}}
    assert "nsandboxed" not in report.pages([result], Marks())["index.html"]
    assert "nsandboxed" in report.pages([result | {"sandbox": "none"}], Marks())["index.html"]
