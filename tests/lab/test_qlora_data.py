"""Only the answer and its EOS are learned, padding is told by length, and an order is decided by the seed alone."""

import copy

import pytest
import torch
from transformers import AutoTokenizer

from course.lab import banking, qlora
from tests.lab import qlora_bench as bench

QUESTION = {"role": "user", "content": "Is my card ready?"}


@pytest.fixture(scope="module")
def tokenizer(tiny):
    return AutoTokenizer.from_pretrained(tiny)


@pytest.fixture(scope="module")
def encoded(tokenizer):
    return qlora.encode(banking.load("train"), tokenizer)


def numbered(*lengths):
    """Examples that can be told apart: the first token is the example's number."""
    return [{"input_ids": [i] + [5] * (n - 1), "labels": [i] + [5] * (n - 1)} for i, n in enumerate(lengths)]


def seen(updates):
    """The numbers of the examples, in the order of the run."""
    return [int(row[0]) for micro in updates for batch in micro for row in batch["input_ids"]]


def test_what_is_supervised_is_the_answer_and_its_eos(tokenizer, encoded):
    for record, feature in zip(banking.load("train"), encoded, strict=True):
        learned = [label for label in feature["labels"] if label != -100]
        assert tokenizer.decode(learned) == " " + record["messages"][-1]["content"] + "<eos>"
        assert learned[-1] == tokenizer.eos_token_id
        assert feature["input_ids"][-len(learned) :] == learned, "the answer does not stand at the end"
        prompt = tokenizer.decode(feature["input_ids"][: -len(learned)])
        assert prompt == f"<bos>Question: {record['messages'][0]['content']}\nAnswer:"
        assert feature["input_ids"].count(tokenizer.bos_token_id) == 1 and len(feature["labels"]) == len(
            feature["input_ids"]
        )


def test_of_several_turns_the_last_alone_is_learned(tokenizer):
    first, last = {"role": "assistant", "content": "Not yet."}, {"role": "assistant", "content": "Now it is."}
    (feature,) = qlora.encode([{"messages": [QUESTION, first, QUESTION, last]}], tokenizer)
    assert tokenizer.decode([label for label in feature["labels"] if label != -100]) == " Now it is.<eos>"
    assert "Not yet." in tokenizer.decode(feature["input_ids"])


def test_a_prompt_has_the_tokens_that_generation_gives_it(tokenizer, encoded):
    """Whether the answer follows or is to be found: the same ids, no token across the border."""
    for record, feature in list(zip(banking.load("train"), encoded, strict=True))[:50]:
        text = tokenizer.apply_chat_template(record["messages"][:1], add_generation_prompt=True, tokenize=False)
        prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert feature["input_ids"][: len(prompt)] == prompt
        assert feature["labels"][: len(prompt)] == [-100] * len(prompt)
        assert feature["labels"][len(prompt)] != -100


def test_batches_are_padded_on_the_right_and_the_mask_follows_the_lengths(tokenizer):
    eos = tokenizer.eos_token_id
    features = [{"input_ids": [7, 8, eos], "labels": [-100, 8, eos]}, {"input_ids": [7, eos], "labels": [-100, eos]}]
    batch = qlora.collate(features, pad_id=eos)
    assert batch["input_ids"].tolist() == [[7, 8, eos], [7, eos, eos]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [[-100, 8, eos], [-100, eos, -100]]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


@pytest.mark.parametrize("group_by_length", [False, True])
def test_each_epoch_holds_each_example_once_and_its_remainder(group_by_length):
    config = qlora.Config(epochs=3, micro_batch_size=3, accumulation_steps=2, group_by_length=group_by_length)
    updates = qlora.Updates(numbered(*range(2, 25)), 0, config)
    assert len(updates) == 3 * 4
    for epoch in range(3):
        part = updates[4 * epoch : 4 * epoch + 4]
        assert sorted(seen(part)) == list(range(23))
        sizes = [[len(batch["input_ids"]) for batch in micro] for micro in part]
        assert sum(map(sum, sizes)) == 23 and [len(micro) for micro in sizes] == [2, 2, 2, 2]
        assert sorted(sum(sizes, [])) == [2] + [3] * 7


def test_an_update_short_of_micro_batches_still_comes():
    updates = qlora.Updates(numbered(*[4] * 7), 0, qlora.Config(micro_batch_size=2, accumulation_steps=3))
    assert sorted(seen(updates)) == list(range(7))
    assert [len(micro) for micro in updates] == [3, 1]


@pytest.mark.parametrize("group_by_length", [False, True])
def test_the_order_is_the_seeds_and_another_one_each_epoch(group_by_length):
    def order(seed, epochs=2):
        config = qlora.Config(epochs=epochs, micro_batch_size=2, group_by_length=group_by_length, seed=seed)
        return seen(qlora.Updates(numbered(*[3 + i % 9 for i in range(40)]), 0, config))

    first = order(0)
    torch.manual_seed(5)
    assert order(0) == first
    assert order(0, epochs=3)[:80] == first
    assert first[:40] != first[40:]
    assert order(1) != first


def test_any_update_can_be_asked_for_in_any_order():
    updates = qlora.Updates(numbered(*range(3, 13)), 0, qlora.Config(epochs=2, micro_batch_size=2))
    forwards = [seen([updates[i]]) for i in range(10)]
    assert [seen([updates[i]]) for i in reversed(range(10))] == forwards[::-1]
    assert [seen([one]) for one in updates] == forwards
    assert [seen([one]) for one in updates[3:8:2]] == forwards[3:8:2]
    for outside in (10, -1):
        with pytest.raises(IndexError):
            updates[outside]


def padding(encoded, pad_id, **options):
    updates = qlora.Updates(encoded, pad_id, qlora.Config(micro_batch_size=8, **options))
    masks = [batch["attention_mask"] for micro in updates for batch in micro]
    return 1 - sum(mask.sum().item() for mask in masks) / sum(mask.numel() for mask in masks)


def test_grouping_by_length_saves_padding(encoded):
    with_it, without = (padding(encoded, 0, group_by_length=grouped) for grouped in (True, False))
    print(f"\npadding: {with_it:.1%} of all tokens grouped by length, {without:.1%} in random order")
    assert with_it < without / 2


def refusal(attempt):
    with pytest.raises(qlora.SetupError) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_data_set_is_refused(tokenizer):
    assert "empty" in refusal(lambda: qlora.encode([], tokenizer))
    assert "empty" in refusal(lambda: qlora.Updates([], 0, qlora.Config()))


@pytest.mark.parametrize(
    "messages",
    [None, [], [QUESTION], [{"role": "assistant", "content": " "}], [QUESTION, {"role": "assistant", "content": None}]],
    ids=["none", "no messages", "no answer", "blank", "null"],
)
def test_a_record_without_an_answer_is_refused_by_its_number(tokenizer, messages):
    good = {"messages": [QUESTION, bench.TURN]}
    message = refusal(lambda: qlora.encode([good, good, {"messages": messages}], tokenizer))
    assert "record 2" in message and "answer" in message


def test_data_with_every_label_masked_is_refused():
    masked = [{"input_ids": [1, 2, 3], "labels": [-100] * 3}] * 4
    assert "masked" in refusal(lambda: qlora.Updates(masked, 0, qlora.Config()))
    only_first = [{"input_ids": [1, 2, 3], "labels": [1, -100, -100]}]  # which no position predicts
    assert "masked" in refusal(lambda: qlora.Updates(only_first, 0, qlora.Config()))


def test_records_that_are_too_long_are_counted_not_cut(tokenizer):
    short = {"messages": [QUESTION, bench.TURN]}
    long = {"messages": [QUESTION, {"role": "assistant", "content": "yes " * 100}]}
    message = refusal(lambda: qlora.encode([short, long, long], tokenizer, max_length=40))
    assert "2 of 3" in message and "record 1 has" in message and "max_length" in message
    assert len(qlora.encode([short, long, long], tokenizer, max_length=300)) == 3


def test_a_tokenizer_without_chat_template_is_refused(tokenizer):
    bare = copy.deepcopy(tokenizer)
    bare.chat_template = None
    assert "chat template" in refusal(lambda: qlora.encode([{"messages": [QUESTION, bench.TURN]}], bare))
