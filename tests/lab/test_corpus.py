"""The base model's text: split once, its licences with it, and the measure of how well a model predicts it."""

import math
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoTokenizer

from course.lab import assets, corpus


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(assets.root() / "base_model")


class Uniform(torch.nn.Module):
    """Every one of `size` ids is as likely as any other, whatever came before."""

    dtype = torch.float32

    def __init__(self, size):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.size = size

    def forward(self, input_ids):
        return SimpleNamespace(logits=torch.zeros(*input_ids.shape, self.size))


class Successor(Uniform):
    """Knows that n + 1 follows n, and gives it probability 1/2; all others share the rest."""

    def forward(self, input_ids):
        share = torch.full((*input_ids.shape, self.size), math.log(0.5 / (self.size - 1)))
        return SimpleNamespace(logits=share.scatter(-1, (input_ids[..., None] + 1) % self.size, math.log(0.5)))


@pytest.mark.parametrize("domain", corpus.DOMAINS)
def test_no_document_is_on_both_sides_and_each_side_has_enough(domain):
    train, held_out = corpus.documents(domain, "train"), corpus.documents(domain, "held_out")
    assert not set(train) & set(held_out)
    sizes = [sum(len(text.encode()) for text in side) for side in (train, held_out)]
    assert sizes[0] > 1_000_000 and 0.008 < sizes[1] / sizes[0] < 0.15
    assert all(len(text) >= 40 for text in held_out) or domain == "wordnet"


def test_no_held_out_word_of_wordnet_has_an_entry_or_a_question_in_training():
    import re

    def words(split):
        found = set()
        for document in corpus.documents("wordnet", split):
            asked = re.match(r'Question: [^"\n]*"([^"]+)"', document)
            lines = [] if document.startswith("Question:") else document.splitlines()
            found |= {asked[1]} if asked else {m[1] for m in (re.match(r"(.+?) \(", line) for line in lines) if m}
        return found

    train, held_out = words("train"), words("held_out")
    assert len(train) > 20_000 and len(held_out) > 400
    assert not train & held_out


def test_every_packed_text_says_its_licence_and_the_notices_are_there():
    listed = assets.manifest()
    for domain in set(corpus.DOMAINS) - {"stdlib"}:
        assert listed[f"corpus/{domain}.json.xz"]["licence"]
    notices = assets.path("corpus/LICENCES.txt").read_text(encoding="utf-8")
    for holder in ("Princeton", "PSF", "Jargon File", "BIERCE", "King James"):
        assert holder in notices


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="domains are python_docs, .*simple_english"):
        corpus.documents("news", "train")
    with pytest.raises(ValueError, match="train or held_out"):
        corpus.documents("wordnet", "test")


@pytest.mark.parametrize("length", [2, 9, 16, 17, 24, 25, 100])
def test_each_token_but_the_first_counts_once_whatever_the_length(length):
    nats, count = corpus.loss(Uniform(50), torch.arange(length) % 50, context=16, batch_size=2)
    assert count == length - 1
    assert nats == pytest.approx((length - 1) * math.log(50), rel=1e-5)


def test_windows_neither_lose_nor_shift_a_token():
    ids = torch.arange(100) % 50
    nats, _ = corpus.loss(Successor(50), ids, context=16)
    assert nats == pytest.approx(99 * math.log(2), rel=1e-4)
    backwards, _ = corpus.loss(Successor(50), ids.flip(0), context=16)
    assert backwards > 2 * nats


def test_bits_per_byte_of_a_model_that_knows_nothing_follows_from_the_counts(tokenizer):
    sample = corpus.held_out_sample("jargon", 5_000)
    n_tokens = len(corpus.token_ids(tokenizer, sample)) - 1
    n_bytes = sum(len(text.encode()) for text in sample)
    assert n_bytes == 5_000
    measured = corpus.bits_per_byte(Uniform(len(tokenizer)), tokenizer, "jargon", 5_000)
    assert measured == pytest.approx(n_tokens * math.log2(len(tokenizer)) / n_bytes, rel=1e-4)


def test_the_model_s_mode_is_as_it_was():
    model = Uniform(50).train()
    corpus.loss(model, torch.arange(20))
    assert model.training
    corpus.loss(model.eval(), torch.arange(20))
    assert not model.training
