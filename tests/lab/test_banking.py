"""The bank's conversations: what is shipped is what the generator writes, and each answer follows from its question."""

import collections
import itertools
import json
import os
import re
import subprocess
import sys

import pytest

from course.lab import assets, banking, jsonl

SHIPPED = assets.root() / "banking"
GOOD = {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}]}


def records(split):
    return [json.loads(line) for line in (SHIPPED / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def question(record):
    return record["messages"][0]["content"]


def answer(record):
    return record["messages"][1]["content"]


def test_the_shipped_files_are_what_the_generator_writes(tmp_path):
    banking.write(tmp_path / "once")
    for split in banking.SPLITS:
        assert (tmp_path / "once" / f"{split}.jsonl").read_bytes() == (SHIPPED / f"{split}.jsonl").read_bytes()
    assert sorted(file.name for file in (tmp_path / "once").iterdir()) == ["held_out.jsonl", "train.jsonl"]


def test_another_seed_gives_other_conversations_of_the_same_number():
    one, other = banking.conversations(60, seed=3), banking.conversations(60, seed=4)
    assert one == banking.conversations(60, seed=3) != other and len(one) == len(other) == 60


@pytest.mark.parametrize(("split", "each"), [("train", 30), ("held_out", 6)])
def test_every_intent_occurs_equally_often(split, each):
    counted = collections.Counter(record["intent"] for record in records(split))
    assert set(counted) == set(banking.intents()) and set(counted.values()) == {each}


def test_an_uneven_number_is_spread_by_at_most_one():
    counted = collections.Counter(record["intent"] for record in banking.conversations(100))
    assert sum(counted.values()) == 100 and set(counted.values()) == {3, 4}


def test_more_questions_than_the_wordings_yield_are_refused():
    with pytest.raises(ValueError, match=r"held_out yield only \d+ different questions of 100000"):
        banking.held_out(100_000)


def test_no_family_and_no_question_is_on_both_sides():
    train, held_out = records("train"), records("held_out")
    families = [{record["family"] for record in side} for side in (train, held_out)]
    assert not families[0] & families[1]
    assert len(families[0]) >= 6 * len(banking.intents()) and len(families[1]) >= 2 * len(banking.intents())
    assert len({question(record) for record in train + held_out}) == len(train) + len(held_out) == 1080
    assert all(record["family"].split("/")[0] == record["intent"] for record in train + held_out)


def test_every_question_of_every_family_has_one_answer():
    answers = collections.defaultdict(set)
    for intent in banking.intents().values():
        for family in intent["train"] + intent["held_out"]:
            for asked, said in banking.expand(family, intent["answer"]):
                answers[asked].add(said)
    assert max(map(len, answers.values())) == 1


def test_the_answer_follows_from_intent_and_question():
    slots = banking._wordings()[0]
    for record in records("train") + records("held_out"):
        template = banking.intents()[record["intent"]]["answer"]
        slot = re.search(r"\{(\w+)\}", template)
        named = [value for value in slots[slot[1]] if value in question(record)] if slot else [""]
        assert len(named) == 1 and answer(record) == (template.format(**{slot[1]: named[0]}) if slot else template)


def test_the_intents_are_many_their_answers_short_and_none_starts_like_another():
    intents = banking.intents()
    assert len(intents) >= 28
    assert len({intent["answer"].split()[0] for intent in intents.values()}) == len(intents)
    slotted = [name for name, intent in intents.items() if "{" in intent["answer"]]
    assert len(intents) / 4 <= len(slotted) <= len(intents) / 2
    assert all(60 <= len(answer(record)) <= 140 for record in records("train") + records("held_out"))


@pytest.mark.parametrize("name", sorted(banking.intents()))
def test_families_differ_in_words_but_share_their_keys(name):
    intent = banking.intents()[name]
    families = intent["train"] + intent["held_out"]
    assert len(intent["train"]) >= 6 and len(intent["held_out"]) >= 2
    assert all(any(key in family.lower() for key in intent["keys"]) for family in families)
    assert all(("{" in family) == ("{" in intent["answer"]) for family in families)
    words = [set(re.findall(r"[a-z]+", re.sub(r"\{.*?\}", "", family.lower()))) for family in families]
    for one, other in itertools.combinations(words, 2):
        assert len(one & other) / len(one | other) < 0.6


def test_filling_in_leaves_no_trace():
    for record in records("train") + records("held_out"):
        assert not re.search(r"[][{}|]|  | [.,?]|^ | $", question(record) + "\n" + answer(record))
    assert banking.expand("Go [on|] now, {device}.", "{device}!")[3] == ("Go now, phone.", "phone!")
    assert banking._greet("I see.", "Hi, ") == "Hi, I see." and banking._greet("My PIN.", "Hi, ") == "Hi, my PIN."


def test_reading_needs_no_network_and_leaves_nothing_at_home(tmp_path, repository):
    program = """
from course.lab import banking, instructions
import sys
assert "datasets" not in sys.modules
for module in (banking, instructions):
    print([(len(module.load(split)), module.load(split).column_names) for split in module.SPLITS])
"""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=kept | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    columns = ["messages", "intent", "family"], ["instruction", "input", "output", "domain", "kind"]
    read = [[(900, columns[0]), (180, columns[0])], [(600, columns[1]), (100, columns[1])]]
    assert done.stdout.splitlines() == list(map(str, read))
    assert list(tmp_path.rglob("*")) == []


def test_what_is_read_is_what_was_written():
    assert banking.load("held_out").to_list() == records("held_out")


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'test': take one of train, held_out"):
        banking.load("test")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of assets with one conversation, in the place of the shipped ones."""
    jsonl.write(tmp_path / "banking" / "train.jsonl", [GOOD])
    assets.write_manifest(tmp_path)
    monkeypatch.setattr(assets, "_INSTALLED", tmp_path)
    assets._verified.cache_clear()
    yield tmp_path / "banking"
    assets._verified.cache_clear()


def test_a_missing_file_is_named(folder):
    (folder / "train.jsonl").unlink()
    with pytest.raises(assets.AssetError, match="banking/train.jsonl is missing"):
        banking.load("train")


def test_an_altered_file_is_named(folder):
    (folder / "train.jsonl").write_text("{}\n")
    with pytest.raises(assets.AssetError, match="banking/train.jsonl.*sha256 differs"):
        banking.load("train")


ROLES = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"messages": [', "this is not JSON"),
        (b"", "this is not JSON"),
        (b"\xff\xfe", "this is not UTF-8"),
        (b"[1]", "an object in braces, not list"),
        (b'{"intent": "loan"}', 'needs "messages"'),
        (b'{"messages": "hello"}', 'needs "messages"'),
        (json.dumps({"messages": GOOD["messages"][:1]}).encode(), "user, then assistant, not ['user']"),
        (json.dumps({"messages": ROLES}).encode(), "user, then assistant, not ['assistant', 'user']"),
        (json.dumps({"messages": [GOOD["messages"][0], {"role": "assistant"}]}).encode(), "assistant's message has no"),
        (json.dumps(GOOD).replace("Hello.", " ").encode(), "assistant's message has no content"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path, line, says):
    file = tmp_path / "some.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(ValueError) as raised:
        jsonl.read(file, banking.check)
    assert str(raised.value).startswith(f"{file}, line 2: ") and says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(ValueError, match="empty.jsonl, line 1: this is not JSON"):
        jsonl.read(tmp_path / "empty.jsonl")


def test_unusual_characters_survive_writing_and_reading(tmp_path):
    texts = [{"text": one} for one in ("line\u2028separator", "a\nb\r\nc", 'quote " and ü', "\x85")]
    jsonl.write(tmp_path / "deep" / "some.jsonl", texts)
    assert jsonl.read(tmp_path / "deep" / "some.jsonl").to_list() == texts


def test_a_failing_write_keeps_the_old_file_and_leaves_no_part_behind(tmp_path, monkeypatch):
    file = tmp_path / "some.jsonl"
    jsonl.write(file, [GOOD])
    before = file.read_bytes()
    with pytest.raises(TypeError):
        jsonl.write(file, [GOOD, {"messages": object()}])
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        jsonl.write(file, [])
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]
