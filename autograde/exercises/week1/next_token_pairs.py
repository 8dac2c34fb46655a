"""week1.next_token_pairs: inputs and labels."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

EOS, PAD = 257, 258


def _padded(rng, lengths, width, pad, left=False):
    """Rows of bytes, none twice in a row, each ending in EOS, padded with `pad`; and their attention mask."""
    ids, mask = torch.full((len(lengths), width), pad), torch.zeros(len(lengths), width, dtype=torch.int64)
    for row, length in enumerate(lengths):
        place = slice(width - length, width) if left else slice(0, length)
        ids[row, place] = torch.cat([torch.randperm(256, generator=rng)[: length - 1], torch.tensor([EOS])])
        mask[row, place] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _pairs_cases(rng):
    yield Case("no padding", _padded(rng, [6, 6], 6, PAD))
    short = integer(rng, 2, 4)
    yield Case("padding on the right", _padded(rng, [7, short, 5], 7, PAD))
    yield Case("EOS is the padding id too", _padded(rng, [short, 6, 4], 6, EOS))
    yield Case("padding on the left", _padded(rng, [short, 5], 6, EOS, left=True))
    yield Case("another ignore_index", {**_padded(rng, [3, 5], 5, PAD), "ignore_index": -1})
    twice = _padded(rng, [5, 5], 5, PAD)
    twice["input_ids"][:, 2] = twice["input_ids"][:, 1]
    yield Case("a token that repeats", twice)
    yield Case("two tokens", _padded(rng, [2, 2, 2], 2, PAD))


def _pairs(inputs):
    """As transformers does it: labels are a copy of the inputs, ignored where padded, and shifted inside the loss."""
    labels = inputs["input_ids"].clone()
    labels[inputs["attention_mask"] == 0] = inputs.get("ignore_index", -100)
    return [inputs["input_ids"][..., :-1], labels[..., 1:]]


def _masked(labels, mask, ignore_index):
    return labels.masked_fill(mask == 0, ignore_index)


def _no_shift(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, :-1], _masked(input_ids, attention_mask, ignore_index)[:, :-1]


def _two_shifts(input_ids, attention_mask, ignore_index=-100):
    labels = _masked(input_ids, attention_mask, ignore_index)[:, 2:]
    return input_ids[:, :-1], torch.nn.functional.pad(labels, (0, 1), value=ignore_index)


def _by_the_id(input_ids, attention_mask, ignore_index=-100):
    labels = input_ids[:, 1:]
    return input_ids[:, :-1], labels.masked_fill((labels == EOS) | (labels == PAD), ignore_index)


def _by_the_inputs_place(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, :-1], _masked(input_ids[:, 1:], attention_mask[:, :-1], ignore_index)


def _where_an_id_repeats(input_ids, attention_mask, ignore_index=-100):
    inputs, labels = input_ids[:, :-1], input_ids[:, 1:]
    return inputs, labels.masked_fill(labels == inputs, ignore_index)


def _backwards(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, 1:], _masked(input_ids, attention_mask, ignore_index)[:, :-1]


def _not_masked(input_ids, attention_mask, ignore_index=-100):
    return input_ids[:, :-1], input_ids[:, 1:]


NEXT_TOKEN_PAIRS = Exercise(
    id="week1.next_token_pairs",
    title="Inputs and labels",
    points=2,
    minutes=12,
    why="A label that is off by one still trains, to a plausible loss and a useless model.",
    oracle="the labels of transformers' causal language models",
    cases=_pairs_cases,
    expected=_pairs,
    misconceptions=(
        Misconception(
            "no shift",
            _no_shift,
            "Your labels are the inputs themselves: a model only has to copy what it reads.",
        ),
        Misconception(
            "shifted twice",
            _two_shifts,
            "Your labels are two tokens ahead of their inputs. Count how often the sequence is shifted.",
        ),
        Misconception(
            "masked by the padding id",
            _by_the_id,
            "A real end-of-sequence token has lost its label, because padding may have the same id. What else tells "
            "the two apart? (A model trained like this never stops.)",
        ),
        Misconception(
            "masked where an id repeats",
            _where_an_id_repeats,
            "You take an id that comes again for padding. A text may repeat a token, and the first padding follows "
            "another id. What tells you which places are real?",
        ),
        Misconception(
            "the token before",
            _backwards,
            "Your inputs and labels have changed places: each label is the token before its input.",
        ),
        Misconception(
            "masked by the input's place",
            _by_the_inputs_place,
            "You ask whether the input at a position is real. It is the label that must be real: which column of the "
            "mask is that?",
        ),
        Misconception(
            "padding kept as a label",
            _not_masked,
            "The shift is right, but the model is trained to predict padding.",
        ),
    ),
)
