"""Questions with a stated confidence: drawn for a learner, judged fairly, never lost."""

import math

import pytest

from course.lab import assessment, questions


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "week0_x").mkdir()
    monkeypatch.chdir(tmp_path / "week0_x")
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def test_numbers_belong_to_a_learner_and_an_occasion():
    texts = [[item.text for item in questions.items(who, when)] for who, when in
             (("Ada", "before"), ("Ada", "before"), ("Ada", "after"), ("Bob", "before"))]  # fmt: skip
    assert texts[0] == texts[1] and texts[0] != texts[2] and texts[0] != texts[3]
    assert len(texts[0]) == 12


@pytest.mark.parametrize("learner", range(50))
def test_every_answer_is_a_finite_number_that_its_own_item_accepts(learner):
    for item in questions.items(str(learner), "before", questions.WARM_UP + questions.TWELVE):
        assert math.isfinite(item.answer) and item.right(item.answer), item
        assert not item.right(1.05 * item.answer) and not item.right(""), item


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1e-3", [0.001]), ("1,5", [1.5]), ("25 000", [25000.0]), ("120,832", [120.832, 120832.0]), ("", []), ("two", []),
     ("nan", []), (None, []), ("1,234.5", [1234.5])],
)  # fmt: skip
def test_what_people_type(typed, meant):
    assert sorted(questions.readings(typed)) == meant


def test_the_score_and_its_brier():
    asked = questions.items("Ada", "before")
    right = {"value": str(asked[0].answer), "confidence": 0.9}
    result = questions.score(asked, {asked[0].name: right, asked[1].name: {"value": "-1", "confidence": 0.5}})
    assert (result.right, result.answered, result.total) == (1, 2, 12)
    assert result.brier == pytest.approx((0.1**2 + 0.5**2) / 2)
    assert questions.score(asked, {}).brier is None


def test_the_gain_is_the_share_of_what_was_left():
    def of(right):
        return questions.Score(right, 12, 12, None)

    assert questions.gain(of(4), of(8)) == 0.5
    assert math.isnan(questions.gain(of(12), of(12)))


def test_answers_outlive_the_quiz():
    assessment.pretest("Ada").answer(1, "1.9", 0.7)
    again = assessment.pretest()
    assert again.learner == "Ada" and list(again.answers.values()) == [{"value": "1.9", "confidence": 0.7}]
    assert "stay closed" in again.words()
    with pytest.raises(ValueError, match="between 0 and 1"):
        again.answer(1, "1.9", 70)


def test_an_opener_asks_about_earlier_weeks_and_tells_the_answer():
    quiz = assessment.opener(1)
    assert {item.name for item in quiz.items} == {q.name for q in questions.WARM_UP}
    quiz.answer(1, quiz.items[0].answer)
    assert "1. right" in quiz.words()
    assert len(assessment.opener(2).items) == 3


def test_boxes_keep_what_is_typed_and_come_back_filled():
    quiz = assessment.pretest("Ada")
    box, sure = quiz._widgets().children[0].children[1].children
    box.value, sure.value = "2.5", 0.3
    assert quiz.answers[quiz.items[0].name] == {"value": "2.5", "confidence": 0.3}
    sure.value = ""
    assert quiz.answers[quiz.items[0].name]["confidence"] is None
    assert assessment.pretest()._widgets().children[0].children[1].children[0].value == "2.5"


def test_a_reflection_is_kept_line_by_line():
    reflection = assessment.Reflection("week1", ["I can"])
    rows = reflection._widgets().children
    level, proof = rows[0].children[1].children
    level.value, proof.value, rows[1].value = 3, "a check", "the floor"
    kept = reflection.kept
    assert (kept["I can"]["level"], kept["I can"]["evidence"]) == (3, "a check")
    assert kept[reflection.OPEN[0]]["text"] == "the floor"
    assert assessment.Reflection("week1", ["I can"])._widgets().children[0].children[1].children[0].value == 3
