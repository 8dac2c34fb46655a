"""The made-up English for pretraining: the same for a seed, varied, in bounds, and no banking support in it."""

import importlib.util
import re
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "assets" / "simple_english.py"
BANKING = re.compile(
    r"\b(bank|banks|banking|account|accounts|pin|atm|cash|transfer\w*|loan|debit|credit|passcode|refund\w*|top.?up"
    r"|withdraw\w*|overdraft|currency|exchange rate|payment\w*|cheque|bank card|my card|statement|balance)\b",
    re.I,
)


@pytest.fixture(scope="module")
def english():
    spec = importlib.util.spec_from_file_location("simple_english_under_test", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pairs(english):
    return english.labelled(0, 1.0)


@pytest.fixture(scope="module")
def questions(pairs):
    return [text for kind, text in pairs if kind == "question"]


def test_a_seed_gives_the_same_documents_and_another_gives_others(english):
    first = english.documents(3, 0.1)
    assert first == english.documents(3, 0.1)
    assert not set(first) & set(english.documents(4, 0.1)) or first != english.documents(4, 0.1)


def test_documents_are_unique_ascii_of_bounded_length_and_add_up_to_the_size(pairs):
    texts = [text for _, text in pairs]
    assert len(set(texts)) == len(texts)
    assert all(text.isascii() and text == text.strip() and not re.search(r"[{}\[\]|]|  \w+  ", text) for text in texts)
    assert all((40 if kind == "question" else 150) <= len(text) <= 1500 for kind, text in pairs)
    assert 0.99e6 < sum(map(len, texts)) < 1.01e6


def test_many_kinds_are_present(english, pairs):
    kinds = {kind for kind, _ in pairs}
    assert kinds == {*english.KINDS, "question"} and len(kinds) >= 12


def test_a_quarter_is_one_question_with_one_answer(pairs, questions):
    form = [text for _, text in pairs if re.fullmatch(r"Question: [^\n]+\nAnswer: [^\n]+", text)]
    assert form == questions and 0.2 < len(form) / len(pairs) < 0.3
    assert not any("Question: " in text for kind, text in pairs if kind != "question")


def test_little_is_repeated_and_the_vocabulary_is_wide(english, pairs):
    texts = [text for _, text in pairs]
    assert english.distinct_share(texts) > 0.6
    assert len({word for text in texts for word in english.words(text)}) > 2500


def test_no_question_is_one_of_banking_support(pairs, questions):
    asked = [*questions, *(text for kind, text in pairs if kind in ("page", "help_desk"))]
    assert [found[0] for found in map(BANKING.search, asked) if found] == []


VERBS = [
    ("bake", "baked", "bakes", "baking"),
    ("carry", "carried", "carries", "carrying"),
    ("cut", "cut", "cuts", "cutting"),
    ("catch", "caught", "catches", "catching"),
]


@pytest.mark.parametrize("verb, past, third, ing", VERBS)
def test_verb_forms(english, verb, past, third, ing):
    assert [english.inflect(f"{verb} it", f) for f in ("past", "s", "ing")] == [
        f"{past} it",
        f"{third} it",
        f"{ing} it",
    ]
