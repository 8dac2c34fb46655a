"""Bytes in, the same bytes out; a corpus without a file on both sides; batches that keep the contract."""

import itertools
import random

import pytest
import torch

from course.lab import text


def test_decode_undoes_encode_for_any_string():
    draw = random.Random(0)
    for _ in range(300):
        alphabet = draw.choice(
            ["ab \n\t\0", "äß€漢字😀\u0301", [chr(c) for c in (*range(0x20, 0xD800, 97), *range(0xE000, 0x11000, 89))]]
        )
        string = "".join(draw.choices(alphabet, k=draw.randrange(40)))
        ids = text.encode(string, bos=draw.random() < 0.5, eos=draw.random() < 0.5)
        assert text.decode(ids) == string and all(0 <= i < text.VOCAB_SIZE for i in ids)


def test_specials_stand_at_the_ends_and_are_dropped_by_decode():
    assert text.encode("é", bos=True, eos=True) == [256, 0xC3, 0xA9, 257]
    assert text.decode(torch.tensor([258, 256, 104, 105, 257, 258])) == "hi"
    assert text.decode([0xC3]) == "\ufffd"


def test_no_file_is_on_both_sides_and_no_side_is_small():
    corpus = text.corpus()
    assert not set(corpus.train_files) & set(corpus.val_files)
    assert len(corpus.train) > 2_000_000 and len(corpus.val) > 150_000
    for ids, files in ((corpus.train, corpus.train_files), (corpus.val, corpus.val_files)):
        assert (ids == text.BOS).sum() == (ids == text.EOS).sum() == len(files)


def test_the_corpus_is_the_same_when_it_is_read_again():
    first = text.corpus()
    text.corpus.cache_clear()
    again = text.corpus()
    assert (
        torch.equal(first.train, again.train)
        and torch.equal(first.val, again.val)
        and first.val_files == again.val_files
    )


def test_the_first_file_is_whole():
    corpus = text.corpus()
    end = (corpus.train == text.EOS).nonzero()[0].item()
    source = text.decode(corpus.train[: end + 1])
    assert corpus.train_files[0].endswith(".py")
    compile(source, corpus.train_files[0], "exec")


def test_windows_are_cut_from_the_split_and_follow_their_generator_alone():
    def draw(split="val", seed=3):
        return list(itertools.islice(text.windows(split, 4, 16, torch.Generator().manual_seed(seed)), 5))

    before = torch.get_rng_state()
    first = draw()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first, draw(), strict=True))
    assert not torch.equal(first[0], draw(seed=4)[0])
    assert first[0].shape == (4, 16) and first[0].dtype == torch.int64
    val = text.corpus().val.long().unfold(0, 16, 1)
    assert all((val == row).all(1).any() for row in first[0])


def test_windows_reach_the_last_id_and_refuse_a_split_that_is_too_short():
    ids = torch.arange(6)
    drawn = torch.cat(list(itertools.islice(text.windows(ids, 8, 5, torch.Generator().manual_seed(0)), 5)))
    assert {tuple(row.tolist()) for row in drawn} == {(0, 1, 2, 3, 4), (1, 2, 3, 4, 5)}
    with pytest.raises(ValueError, match="do not fit"):
        next(text.windows(ids, 1, 7, torch.Generator()))


def test_a_ragged_batch_is_padded_on_the_right_and_padding_counts_for_nothing():
    batch = text.batch([text.encode("abc", eos=True), text.encode("d")])
    assert batch["input_ids"].tolist() == [[97, 98, 99, 257], [100, 258, 258, 258]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 0, 0, 0]]
    assert batch["labels"].tolist() == [[97, 98, 99, 257], [100, -100, -100, -100]]


def test_labels_are_unshifted_and_no_view_of_the_inputs():
    ids = torch.arange(8).reshape(2, 4)
    batch = text.batch(ids)
    assert torch.equal(batch["labels"], ids)
    batch["labels"][0, 0] = -100
    assert batch["input_ids"][0, 0] == 0
