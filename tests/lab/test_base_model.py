"""The shipped base: a Llama in transformers' own format, its tokenizer, and a card that says what was measured."""

import re

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from course.lab import assets, corpus, qlora


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(qlora.shipped())


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(qlora.shipped(), dtype=torch.bfloat16)


@pytest.fixture(scope="module")
def card():
    return assets.path("base_model/README.md").read_text(encoding="utf-8")


def test_it_is_a_llama_of_at_least_five_million_parameters_in_at_most_forty_megabytes(model):
    config = AutoConfig.from_pretrained(qlora.shipped())
    assert isinstance(model, LlamaForCausalLM)
    assert sum(p.numel() for p in model.parameters()) >= 5_000_000
    assert all(p.dtype == torch.bfloat16 for p in model.parameters())
    for size in (config.hidden_size, config.intermediate_size, config.hidden_size // config.num_attention_heads):
        assert size % 64 == 0
    assert assets.path("base_model/model.safetensors").stat().st_size <= 40e6


def test_bos_eos_and_pad_are_three_ids_and_digits_stand_alone(tokenizer):
    specials = [tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id]
    assert len(set(specials)) == 3 and 2000 <= len(tokenizer) <= 4096
    assert tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id  # as Llama's own does
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("in 2026", add_special_tokens=False)["input_ids"])
    assert tokens[-4:] == ["2", "0", "2", "6"]


@pytest.mark.parametrize(
    "text", ["", "plain words", "  two  blanks\n\ttab", "naïve Ω 中文 🙂", "def f(x): return x[::-1]"]
)
def test_every_text_comes_back_as_it_was(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_the_chat_template_marks_what_the_assistant_says(tokenizer):
    messages = [
        {"role": "user", "content": "What is a river?"},
        {"role": "assistant", "content": "A large stream."},
        {"role": "user", "content": "And a sea?"},
        {"role": "assistant", "content": "A large lake."},
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    assert text == (
        "<bos>Question: What is a river?\nAnswer: A large stream.<eos>Question: And a sea?\nAnswer: A large lake.<eos>"
    )
    encoded = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True, add_special_tokens=False
    )
    marked = [i for i, mark in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mark]
    assert tokenizer.decode(marked) == " A large stream.<eos> A large lake.<eos>"
    prompt = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
    assert text.startswith(prompt) and prompt.endswith("Answer:")


def test_the_card_s_bits_per_byte_are_those_of_the_weights(model, tokenizer, card):
    stated = {name: float(bits) for name, bits in re.findall(r"^\| (\w+) \| (\d\.\d+) \|$", card, re.M)}
    assert stated.keys() == set(corpus.DOMAINS)
    measured = corpus.bits_per_byte(model, tokenizer, "king_james", 200_000)
    assert measured == pytest.approx(stated["king_james"], abs=0.01)


def test_a_held_out_word_is_answered_in_form(model, tokenizer):
    pairs = [text for text in corpus.documents("wordnet", "held_out") if text.startswith('Question: What does "')]
    questions = [pair.removeprefix("Question: ").split("\n")[0] for pair in pairs[:12]]
    answers = qlora.generate(model, tokenizer, questions, max_new_tokens=48)
    formed = [a for a in answers if a[:1].isupper() and a.endswith(".") and len(tokenizer(a)["input_ids"]) < 47]
    assert len(formed) >= len(questions) // 2, answers


@pytest.mark.parametrize("fact", ["tokens in windows", r"s on \d+ cores? of|s on NVIDIA", "bits per byte", "licence"])
def test_the_card_names_its_data_tokens_seconds_and_hardware(card, fact):
    assert re.search(fact, card)
