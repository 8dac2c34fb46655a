"""The instruction set as shipped: many kinds, nothing twice, and right wherever an answer can be recomputed."""

import collections
import json
import random
import re

import pytest

from course.lab import assets, instruction_sources, instructions

SHIPPED = assets.root() / "instructions"
GOOD = {"instruction": "Count the words.", "input": "One two.", "output": "2"}


def records(split):
    return [json.loads(line) for line in (SHIPPED / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def every(kind):
    found = [record for split in instructions.SPLITS for record in records(split) if record["kind"] == kind]
    assert found
    return found


def test_counts_kinds_and_domains():
    assert len(instructions.KINDS) >= 12
    for split, number in (("train", 600), ("held_out", 100)):
        found = records(split)
        kinds = collections.Counter(record["kind"] for record in found)
        assert len(found) == number and set(kinds) == set(instructions.KINDS)
        assert max(kinds.values()) - min(kinds.values()) <= 1
        assert all(record["domain"] == record["kind"].split("/")[0] for record in found)
        assert all(record["instruction"] in instructions.KINDS[record["kind"]][1] for record in found)
    domains = "jargon king_james python_docs simple_english stdlib text wordnet"
    assert sorted({record["domain"] for record in records("train")}) == domains.split()


def test_nothing_occurs_twice_and_texts_are_short_and_tidy():
    both = records("train") + records("held_out")
    assert len({(record["kind"], record["input"]) for record in both}) == len(both)
    for record in both:
        instructions.check(record)
        assert len(record["input"]) + len(record["output"]) <= 240
        for key in ("instruction", "input", "output"):
            assert record[key] == record[key].strip() and "\n" not in record[key]


@pytest.mark.parametrize(
    ("kind", "recompute"),
    [
        ("text/uppercase", str.upper),
        ("text/count_words", lambda text: str(len(text.split(" ")))),
        ("text/reverse", lambda text: ", ".join(text.split(", ")[::-1])),
        ("text/sort", lambda text: ", ".join(sorted(text.split(", ")))),
        ("text/number", lambda text: "".join(filter(str.isdigit, text))),
        ("jargon/references", lambda text: ", ".join(re.findall(r"\{([^}]*)", text))),
        ("wordnet/question", lambda text: re.sub(r"(\S+) \((\w+)\).*", r'What does the \2 "\1" mean?', text)),
    ],
)
def test_mechanical_tasks_recomputed(kind, recompute):
    for record in every(kind):
        assert record["output"] == recompute(record["input"])


def test_reasoning_recomputed_from_both_comparisons():
    for record in every("simple_english/reasoning"):
        pairs = re.findall(r"(\w+) is (\w+) than (\w+)\.", record["input"])
        assert len(pairs) == 2 and len({measure for _, measure, _ in pairs}) == 1
        beaten = {loser for *_, loser in pairs}
        assert [winner for winner, *_ in pairs if winner not in beaten] == [record["output"]]
        assert re.search(r"Who is the (\w+)est\?$", record["input"])[1] == pairs[0][1].removesuffix("er")


def test_opposites_and_categories_stand_in_the_tables():
    pairs = {frozenset(pair.split()) for pair in re.split(r"[|\n]", instruction_sources.OPPOSITES)}
    assert all(frozenset((one["input"], one["output"])) in pairs for one in every("simple_english/opposite"))
    members = dict(instruction_sources.from_tables(list("abcdefgh"))["members"])
    for record in every("simple_english/category"):
        assert (
            record["output"].lower().removesuffix(".").endswith(f"{record['input']} is {_a(members[record['input']])}")
        )


def _a(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


def test_a_missing_word_fits_its_gap_and_a_signature_its_beginning():
    for record in every("king_james/missing"):
        assert record["input"].count("____") == 1 and re.fullmatch(r"[a-z]{4,}", record["output"])
        assert not re.search(rf"\b{record['output']}\b", record["input"])
    for record in every("stdlib/signature"):
        assert record["output"].startswith(record["input"]) and record["output"].endswith(")")


# A source shows in these parts of a task, whichever kind it is of.
SOURCES = {
    "wordnet": lambda record: {"define": record["input"].split(" ")[0], "word": record["output"]}.get(
        record["kind"].split("/")[1], record["input"].split(" ")[0]
    ),
    "python_docs": lambda record: frozenset((record["input"], record["output"])),
    "jargon": lambda record: frozenset((record["input"].split(" (")[0], record["output"])),
    "simple_english": lambda record: frozenset((record["input"], record["output"])),
    "king_james": lambda record: record["input"].replace("____", record["output"])[:30],
}


@pytest.mark.parametrize("domain", sorted(SOURCES))
def test_no_source_is_on_both_sides(domain):
    train, held_out = (
        {SOURCES[domain](record) for record in records(split) if record["domain"] == domain}
        for split in instructions.SPLITS
    )
    assert train and held_out and not train & held_out


@pytest.fixture
def few(monkeypatch):
    """Pools of twelve made-up sources each, instead of the corpus, and the kinds that they serve."""
    pools = {
        "sentences": [(f"The {number} hens of the farm.",) for number in range(12)],
        "lists": [(f"b{number}", "a", "c") for number in range(12)],
    }
    kinds = {name: kind for name, kind in instructions.KINDS.items() if kind[0] in pools}
    monkeypatch.setattr(instructions, "pools", lambda: pools)
    monkeypatch.setattr(instructions, "KINDS", kinds)


def test_the_same_seed_gives_the_same_tasks(few):
    assert instructions.build(12, 4, seed=5) == instructions.build(12, 4, seed=5) != instructions.build(12, 4, seed=6)


def test_no_source_serves_twice(few):
    built = instructions.build(20, 4)
    inputs = [record["input"] for split in built.values() for record in split]
    assert len(inputs) == len(set(inputs)) == 24


def test_too_few_sources_are_refused(few):
    with pytest.raises(ValueError, match=r"yield only \d+ tasks of 40: there are no more (sentences|lists) for text/"):
        instructions.build(40, 4)


def test_verses_are_cut_where_they_pause_and_lose_one_word():
    verse = "And the light shineth in darkness; and the darkness comprehended it not."
    assert instructions._halves(verse) == (
        "And the light shineth in darkness;",
        "and the darkness comprehended it not.",
    )
    first, second = instructions._halves("In the beginning was the Word without a pause to cut it at.")
    assert f"{first} {second}" == "In the beginning was the Word without a pause to cut it at."
    gap, word = instructions._missing(verse, random.Random(0))
    assert gap.replace("____", word) == verse and word != "darkness"  # that one occurs twice


def test_a_task_becomes_a_conversation():
    assert instructions.to_messages(GOOD) == {
        "messages": [
            {"role": "user", "content": "Count the words.\n\nOne two."},
            {"role": "assistant", "content": "2"},
        ]
    }
    alone = instructions.to_messages({"instruction": "Say hello.", "input": "", "output": "Hello."})
    assert alone["messages"][0]["content"] == "Say hello."


@pytest.mark.parametrize("key", ["instruction", "input", "output"])
@pytest.mark.parametrize("value", [None, 3, "absent"])
def test_a_task_of_another_shape_is_refused_by_name(key, value):
    bad = {**GOOD, key: value}
    if value == "absent":
        del bad[key]
    with pytest.raises(ValueError, match=f'a task needs "{key}"'):
        instructions.to_messages(bad)


def test_an_empty_output_is_refused():
    with pytest.raises(ValueError, match='the "output" of this task is empty'):
        instructions.to_messages({**GOOD, "output": " \n"})


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'validation': take one of train, held_out"):
        instructions.load("validation")
