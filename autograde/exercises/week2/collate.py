"""week2.collate: rows of unequal length in one batch."""

import torch
from torch.nn.utils.rnn import pad_sequence

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers


def _collate_probe(target, inputs):
    import torch
    import torch.nn.functional as F

    batch = target(*[inputs[name] for name in ("sequences", "pad_id", "ignore_index") if name in inputs])
    seen = {"batch": batch}
    if "model" in inputs:  # the batch must do for a model, and its labels for a loss
        if inputs["model"] == "Llama":
            from transformers import LlamaConfig, LlamaForCausalLM

            sizes = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2)
            model = LlamaForCausalLM(LlamaConfig(vocab_size=16, **sizes))
        else:
            from course.lab.gpt import GPT, GPTConfig

            model = GPT(GPTConfig(vocab_size=16, width=8, heads=2, seq_len=16, mlp_width=12))
        generator = torch.Generator().manual_seed(inputs["seed"])
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5)
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            seen["loss"] = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
    return seen


def _collate_cases(rng):
    def rows(*lengths, low=0, high=90):
        return [integers(rng, low, high, length).tolist() for length in lengths]

    def case(name, sequences, pad_id, edge=False, **more):
        return Case(name, {"sequences": sequences, "pad_id": pad_id, **more}, edge=edge)

    order = torch.randperm(4, generator=rng).tolist()
    yield case("four rows", [rows(3, 7, 1, 5)[i] for i in order], integer(rng, 100, 110))
    yield case("the longest comes last", rows(2, 4, 6), integer(rng, 100, 110))
    yield case("the longest comes first", rows(6, 2, 2), integer(rng, 100, 110))
    eos = integer(rng, 1, 9)
    sequences = [[*row, eos] for row in rows(4, 2, 3, low=10)]
    sequences[1][0] = sequences[0][2] = eos
    yield case("padding has the id of EOS", sequences, eos)
    sequences = rows(3, 5, 2, low=1)
    sequences[0][1], sequences[1][3] = 0, 0
    yield case("padding has the id 0", sequences, 0)
    other = integer(rng, -9, -1)
    yield case("another ignore_index", rows(4, 2, 3), integer(rng, 100, 110), ignore_index=other)
    pad = integer(rng, 100, 110)
    yield case("ignore_index is the padding's id", rows(2, 4), pad, ignore_index=pad)
    yield case("nothing to pad", rows(4, 4, 4), integer(rng, 100, 110))
    yield case("an empty row", [*rows(3, 2), []], integer(rng, 100, 110))
    yield case("a single row", rows(integer(rng, 2, 6)), integer(rng, 100, 110))
    for model in ("GPT", "Llama"):
        sequences = rows(3, 6, 4, high=14)
        name = f"fed to {'the lab’s GPT' if model == 'GPT' else 'a Llama'}"
        yield case(name, sequences, 15, model=model, seed=integer(rng, 0, 10_000))


def _padded(inputs):
    rows = [torch.tensor(row, dtype=torch.int64) for row in inputs["sequences"]]
    ignored = inputs.get("ignore_index", -100)
    batch = {
        "input_ids": pad_sequence(rows, batch_first=True, padding_value=inputs["pad_id"]),
        "attention_mask": pad_sequence([torch.ones_like(row) for row in rows], batch_first=True),
        "labels": pad_sequence(rows, batch_first=True, padding_value=ignored),
    }
    return _collate_probe(lambda *_: batch, inputs)


def _batch(sequences, pad_id, ignore_index, length=max):
    """→ ids, mask, labels, each (B, T), and the padded places as a bool tensor."""
    long = length(map(len, sequences))
    rows = [list(row[:long]) + [None] * (long - len(row)) for row in sequences]
    padding = torch.tensor([[token is None for token in row] for row in rows], dtype=torch.bool)
    ids = torch.tensor([[pad_id if token is None else token for token in row] for row in rows], dtype=torch.int64)
    return ids, (~padding).long(), ids.masked_fill(padding, ignore_index), padding


def _named(ids, mask, labels):
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _labels_keep_padding(sequences, pad_id, ignore_index=-100):
    ids, mask, _, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, mask, ids.clone())


def _mask_inverted(sequences, pad_id, ignore_index=-100):
    ids, mask, labels, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, 1 - mask, labels)


def _mask_and_labels_by_id(sequences, pad_id, ignore_index=-100):
    ids, _, _, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, (ids != pad_id).long(), ids.masked_fill(ids == pad_id, ignore_index))


def _labels_by_id(sequences, pad_id, ignore_index=-100):
    ids, mask, _, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, mask, ids.masked_fill(ids == pad_id, ignore_index))


def _mask_by_id(sequences, pad_id, ignore_index=-100):
    ids, _, labels, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, (ids != pad_id).long(), labels)


def _labels_shifted(sequences, pad_id, ignore_index=-100):
    ids, mask, labels, _ = _batch(sequences, pad_id, ignore_index)
    shifted = torch.cat([labels[:, 1:], torch.full((len(ids), 1), ignore_index)], 1)
    return _named(ids, mask, shifted)


def _cut_to_the_shortest(sequences, pad_id, ignore_index=-100):
    return _named(*_batch(sequences, pad_id, ignore_index, length=min)[:3])


def _only_minus_100(sequences, pad_id, ignore_index=-100):
    return _named(*_batch(sequences, pad_id, -100)[:3])


def _padded_on_the_left(sequences, pad_id, ignore_index=-100):
    flipped = _batch([row[::-1] for row in sequences], pad_id, ignore_index)[:3]
    return _named(*(part.flip(1) for part in flipped))


def _padded_with_0(sequences, pad_id, ignore_index=-100):
    return _named(*_batch(sequences, 0, ignore_index)[:3])


def _ids_padded_with_ignore_index(sequences, pad_id, ignore_index=-100):
    return _named(*_batch(sequences, ignore_index, ignore_index)[:3])


def _mask_of_ones(sequences, pad_id, ignore_index=-100):
    ids, mask, labels, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, torch.ones_like(mask), labels)


def _mask_as_bool(sequences, pad_id, ignore_index=-100):
    ids, mask, labels, _ = _batch(sequences, pad_id, ignore_index)
    return _named(ids, mask.bool(), labels)


COLLATE = Exercise(
    id="week2.collate",
    title="Rows of unequal length in one batch",
    points=2,
    minutes=12,
    why="A wrong mask or label here raises no error: the model learns to write padding, or never learns to stop.",
    oracle="torch.nn.utils.rnn.pad_sequence",
    cases=_collate_cases,
    probe=_collate_probe,
    expected=_padded,
    seconds=30.0,
    misconceptions=(
        Misconception(
            "labels padded with the padding's id",
            _labels_keep_padding,
            "Your labels hold the padding's id where there is nothing to learn: the model is trained to predict "
            "padding. What does a loss skip?",
        ),
        Misconception(
            "mask inverted",
            _mask_inverted,
            "Your mask is 1 at padding and 0 at real tokens. What does 1 stand for?",
        ),
        *(
            Misconception(
                "padding told by its id",
                answer,
                "A real token that has the padding's id is taken for padding. EOS often has it, and a model trained "
                "like this never stops. What else tells you where a row ends?",
            )
            for answer in (_mask_and_labels_by_id, _labels_by_id, _mask_by_id)
        ),
        Misconception(
            "labels shifted",
            _labels_shifted,
            "Your labels are shifted already. The loss will shift them once more, and the model learns to predict the "
            "token after the next.",
        ),
        Misconception(
            "cut to the shortest",
            _cut_to_the_shortest,
            "Your rows are cut to the shortest one: what was behind is lost.",
        ),
        Misconception(
            "the argument ignore_index is not used",
            _only_minus_100,
            "Your labels hold -100 at padding, whatever the caller asked for: see `ignore_index`.",
        ),
        Misconception(
            "padded on the left",
            _padded_on_the_left,
            "Your padding stands before the text. That serves for generating; here it belongs behind.",
        ),
        Misconception(
            "padded with 0",
            _padded_with_0,
            "You pad with 0, which is a token like any other. Which id does the caller give?",
        ),
        Misconception(
            "ids padded with ignore_index",
            _ids_padded_with_ignore_index,
            "Your input_ids hold ignore_index: no embedding has a row of that number. It is a mark for labels alone.",
        ),
        Misconception(
            "a mask of ones",
            _mask_of_ones,
            "Your mask is 1 everywhere: padding counts as text.",
        ),
        Misconception(
            "a mask of booleans",
            _mask_as_bool,
            "The mask is right, but it holds True and False where the docstring asks for the numbers 1 and 0.",
        ),
    ),
)
