"""Answers do not depend on their batch, a merged model is the adapted one, and an export is whole or not there."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from course.lab import qlora
from tests.lab import qlora_bench as bench

FP32 = torch.float32


def logits(model, batch=None):
    batch = bench.random_batch(21, 8) if batch is None else batch
    with torch.no_grad():
        return model.eval()(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits


def off(one, other):
    """The largest difference where neither is padding."""
    where = bench.random_batch(21, 8)["attention_mask"].bool()
    return (one - other)[where].abs().max().item()


LESSONS = {
    "Is my card ready?": "Yes, it is.",
    "How long does a transfer to another bank take, please?": "One day at most, and often only an hour.",
    "Thanks.": "You are welcome!",
    "Who are you?": "A bank.",
}


@pytest.fixture(scope="module")
def taught(tiny):
    """(model, tokenizer) after it has learned LESSONS by heart."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, tokenizer = bench.adapted(tiny, r=16, alpha=32)
    records = [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in LESSONS.items()
    ]
    config = qlora.Config(lr=2e-2, schedule="constant", epochs=40, micro_batch_size=4, dtype=FP32)
    updates = qlora.Updates(qlora.encode(records, tokenizer), tokenizer.pad_token_id, config)
    # The head is random and the norm before it fixed: no logit is large enough for a loss below 0.5.
    assert bench.losses(model, updates, config)[-1] < 0.6, "it did not learn them"
    yield model, tokenizer
    torch.set_num_threads(threads)


# generate


def test_it_answers_what_it_has_learned_and_ends_there(taught):
    assert qlora.generate(*taught, list(LESSONS)) == list(LESSONS.values())


@pytest.mark.parametrize("batch_size", [2, 5])
def test_an_answer_is_the_same_alone_and_in_a_batch(taught, batch_size):
    questions = [*LESSONS, "What?", "What do you know of my card, and when will a new one be at my door?"]
    alone = [qlora.generate(*taught, [question], 20)[0] for question in questions]
    assert len(set(alone)) >= 4
    assert qlora.generate(*taught, questions, 20, batch_size) == alone


def test_an_answer_is_the_one_that_greedy_steps_without_a_cache_find(taught):
    model, tokenizer = taught
    question = "What do you know of my transfer?"
    ids = tokenizer(f"<bos>Question: {question}\nAnswer:", add_special_tokens=False)["input_ids"]
    start = len(ids)
    while len(ids) < start + 12 and ids[-1] != tokenizer.eos_token_id:
        row = torch.tensor([ids])
        ids = [*ids, logits(model, {"input_ids": row, "attention_mask": torch.ones_like(row)})[0, -1].argmax().item()]
    expected = tokenizer.decode(ids[start:], skip_special_tokens=True).strip()
    assert qlora.generate(model, tokenizer, [question], 12) == [expected] != [""]


def test_max_new_tokens_cuts_an_answer(taught):
    model, tokenizer = taught
    question = list(LESSONS)[1]
    (cut,) = qlora.generate(model, tokenizer, [question], 5)
    assert len(tokenizer(" " + cut, add_special_tokens=False)["input_ids"]) == 5
    assert LESSONS[question].startswith(cut)


def test_generate_restores_the_mode_leaves_the_cache_off_and_takes_no_questions_at_all(taught):
    model, tokenizer = taught
    for mode in (True, False):
        model.train(mode)
        qlora.generate(model, tokenizer, ["Hello."], 2)
        assert model.training is mode
    assert model.config.use_cache is False
    assert qlora.generate(model, tokenizer, []) == []


# merge


@pytest.mark.parametrize("evaluated_before", [False, True])
@pytest.mark.parametrize("faked", [True, pytest.param(False, marks=pytest.mark.needs("avx512_bf16"))])
def test_merging_is_what_peft_does_on_the_dequantized_weights(tiny, evaluated_before, faked, monkeypatch):
    if faked:
        from bitsandbytes.nn import modules

        shift = lambda data, state: (data.flatten().roll(7).view_as(data), state)  # noqa: E731
        monkeypatch.setattr(modules, "has_avx512bf16", lambda: True)
        monkeypatch.setattr(modules, "_convert_weight_packed_for_cpu", shift)
    reference = qlora.add_lora(bench.dense(qlora.load_base(tiny, dtype=FP32)[0]), r=4, alpha=8)
    model, _ = bench.adapted(tiny, B=0.1)
    reference.load_state_dict(bench.values(model), strict=False)
    if evaluated_before:
        logits(model)
    merged = qlora.merge(model, FP32)
    expected = logits(reference.merge_and_unload())
    difference = off(logits(merged), expected)
    print(f"\nmerged against peft's: logits differ by {difference:.1e} at most")
    assert difference <= 1e-4
    assert off(logits(qlora.load_base(tiny, dtype=FP32)[0]), expected) > 0.1, "the adapter does nothing"


def test_merging_leaves_the_adapted_model_as_it_was(tiny):
    model, _ = bench.adapted(tiny, B=0.1)
    before, weights = logits(model), bench.values(model, "")
    merged = qlora.merge(model, FP32)
    with torch.no_grad():
        for parameter in merged.parameters():
            parameter.zero_()
    assert torch.equal(logits(model), before)
    assert bench.apart(bench.values(model, ""), weights) == 0
    assert bench.gradients(model, bench.random_batch(9)).norm() > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, FP32])
def test_a_merged_model_is_plain_and_in_the_dtype_asked_for(tiny, dtype):
    merged = qlora.merge(bench.adapted(tiny, B=0.1)[0], dtype)
    assert {p.dtype for p in merged.parameters()} == {dtype}
    assert {type(m) for m in merged.modules() if isinstance(m, torch.nn.Linear)} == {torch.nn.Linear}
    assert not any("lora" in name for name, _ in merged.named_parameters())


def test_merging_keeps_a_tied_head_tied(tmp_path):
    model, _ = bench.adapted(bench.write_base(tmp_path, tie_word_embeddings=True), B=0.1)
    merged = qlora.merge(model, FP32)
    assert merged.lm_head.weight is merged.model.embed_tokens.weight
    assert off(logits(merged), logits(model)) < 1e-3


def test_there_is_nothing_to_merge_without_an_adapter(tiny):
    with pytest.raises(qlora.SetupError, match="no adapter"):
        qlora.merge(qlora.load_base(tiny)[0])


# export and load_adapter


def test_an_exported_adapter_gives_the_same_logits_on_a_fresh_base(tiny, tmp_path):
    model, tokenizer = bench.adapted(tiny, B=0.1)
    folder = qlora.export(model, tokenizer, tmp_path / "deep" / "adapter", facts="# A model card\n")
    assert (folder / "README.md").read_text(encoding="utf-8") == "# A model card\n"
    loaded = qlora.load_adapter(qlora.load_base(tiny, dtype=FP32)[0], folder)
    assert torch.equal(logits(loaded), logits(model))
    assert not any(p.requires_grad for p in loaded.parameters())
    assert AutoTokenizer.from_pretrained(folder).chat_template == tokenizer.chat_template
    assert not any("model.safetensors" == file.name for file in folder.iterdir()), "the base was written too"


def test_an_adapter_loaded_to_train_on_does(tiny, tmp_path):
    model, tokenizer = bench.adapted(tiny, B=0.1)
    folder = qlora.export(model, tokenizer, tmp_path / "adapter")
    loaded = qlora.load_adapter(qlora.load_base(tiny, dtype=FP32)[0], folder, trainable=True)
    config = qlora.Config(micro_batch_size=4, dtype=FP32)
    updates = bench.updates(tokenizer, config, 16)
    assert bench.losses(loaded, updates, config) == bench.losses(model, updates, config)


def test_an_exported_merged_model_loads_like_any_other(tiny, tmp_path):
    model, tokenizer = bench.adapted(tiny, B=0.1)
    merged = qlora.merge(model, FP32)
    folder = qlora.export(merged, tokenizer, tmp_path / "merged")
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert off(logits(loaded), logits(merged)) < 1e-4  # it comes with another kernel of attention
    assert bench.apart(loaded.state_dict(), merged.state_dict()) == 0
    assert getattr(loaded.config, "quantization_config", None) is None
    again, _ = qlora.load_base(folder, dtype=FP32)  # and is a base itself
    assert bench.gradients(qlora.add_lora(again), bench.random_batch(9)).norm() > 0


def test_an_export_onto_something_is_refused(tiny, tmp_path):
    model, tokenizer = bench.adapted(tiny)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("kept")
    with pytest.raises(qlora.SetupError, match="exists"):
        qlora.export(model, tokenizer, tmp_path / "there")
    assert [file.name for file in (tmp_path / "there").iterdir()] == ["mine"]


@pytest.mark.parametrize("failing", ["model", "tokenizer"])
def test_an_export_that_fails_leaves_nothing_behind(tiny, tmp_path, monkeypatch, failing):
    model, tokenizer = bench.adapted(tiny)

    def fail(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(type(model if failing == "model" else tokenizer), "save_pretrained", fail)
    with pytest.raises(OSError, match="no space"):
        qlora.export(model, tokenizer, tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_a_second_adapter_is_refused(tiny, tmp_path):
    model, tokenizer = bench.adapted(tiny)
    folder = qlora.export(model, tokenizer, tmp_path / "adapter")
    with pytest.raises(qlora.SetupError, match="already"):
        qlora.load_adapter(model, folder)


def test_a_folder_without_an_adapter_is_refused(tiny, tmp_path):
    base, _ = qlora.load_base(tiny)
    for folder in (tiny, tmp_path / "nowhere"):
        with pytest.raises(qlora.SetupError, match="no adapter"):
            qlora.load_adapter(base, folder)
