"""Answers to week 2's split and collate whose worth is known, for `autograde audit`."""

import functools
import hashlib
import itertools
import math
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import random_split

from autograde.audit import right, wrong

# --- split ------------------------------------------------------------------------------------------------------------


@right("week2.split")
def split_by_a_random_of_its_own(n, val_fraction, seed):
    indices = list(range(n))
    random.Random(seed).shuffle(indices)
    n_val = int(n * val_fraction + 0.5)
    return sorted(indices[n_val:]), sorted(indices[:n_val])


@right("week2.split")
def split_by_numpy(n, val_fraction, seed):
    n_train = n - int(np.rint(n * val_fraction))
    return np.split(np.random.default_rng(seed).permutation(n), [n_train])


@right("week2.split")
def split_with_the_global_generator_put_back(n, val_fraction, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        scores = torch.rand(n)
    ranks = scores.argsort()
    held_out = torch.zeros(n, dtype=torch.bool)
    held_out[ranks[: round(n * val_fraction)]] = True
    return torch.where(~held_out)[0], torch.where(held_out)[0]


@right("week2.split")
def split_by_the_library(n, val_fraction, seed):
    n_val = round(val_fraction * n)
    generator = torch.Generator()
    generator.manual_seed(seed)
    train, val = random_split(range(n), [n - n_val, n_val], generator=generator)
    return list(train.indices), list(val.indices)


@right("week2.split")
def split_by_hashes(n, val_fraction, seed):
    """No generator at all: the smallest hashes are held out."""

    def score(index):
        return hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()

    chosen = set(sorted(range(n), key=score)[: math.floor(n * val_fraction + 0.5)])
    return [i for i in range(n) if i not in chosen], chosen


@right("week2.split")
def split_by_exchanges(n, val_fraction, seed):
    """Fisher and Yates by hand."""
    draw = np.random.RandomState(seed)
    order = [*range(n)]
    for last in range(n - 1, 0, -1):
        other = draw.randint(last + 1)
        order[last], order[other] = order[other], order[last]
    cut = n - round(n * val_fraction)
    return tuple(order[:cut]), tuple(order[cut:])


@right("week2.split")
def split_by_a_sample(n, val_fraction, seed):
    val = random.Random(seed).sample(range(n), k=round(n * val_fraction))
    return set(range(n)).difference(val), set(val)


@right("week2.split")
def split_with_the_state_saved(n, val_fraction, seed):
    saved = random.getstate()
    random.seed(seed)
    try:
        keys = {i: random.random() for i in range(n)}
    finally:
        random.setstate(saved)
    in_order = sorted(keys, key=keys.get)
    sizes = n - round(n * val_fraction), round(n * val_fraction)
    numbers = iter(in_order)
    return tuple(list(itertools.islice(numbers, size)) for size in sizes)


@wrong("week2.split", "not shuffled: the tail")
def head_held_out(n, val_fraction, seed):
    indices = torch.arange(n)
    n_val = round(n * val_fraction)
    return indices[n_val:], indices[:n_val]


@wrong("week2.split", "a run at a random place")
def window_at_a_random_place(n, val_fraction, seed):
    n_val = round(n * val_fraction)
    start = random.Random(seed).randrange(n - n_val + 1)
    val = range(start, start + n_val)
    return [i for i in range(n) if i not in val], val


@wrong("week2.split", "the seed is not used")
def shuffled_by_numpy_as_it_stands(n, val_fraction, seed):
    order = np.random.permutation(n)
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split", "the seed is not used")
def fresh_generator_each_time(n, val_fraction, seed):
    order = random.Random().sample(range(n), n)
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split", "always the same seed")
def seed_of_a_constant(n, val_fraction, seed=0):
    order = np.random.default_rng(42).permutation(n)
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split", "a global generator")
def numpy_seeded_for_everyone(n, val_fraction, seed):
    np.random.seed(seed)
    order = np.arange(n)
    np.random.shuffle(order)
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split", "a global generator")
def torch_seeded_for_everyone(n, val_fraction, seed):
    torch.manual_seed(seed)
    order = torch.rand(n).argsort()
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split", "leak")
def validation_drawn_from_everything(n, val_fraction, seed):
    draw = np.random.default_rng(seed)
    n_val = round(n * val_fraction)
    return draw.permutation(n)[: n - n_val], draw.permutation(n)[:n_val]


@wrong("week2.split", "leak")
def training_keeps_everything(n, val_fraction, seed):
    return range(n), random.Random(seed).sample(range(n), round(n * val_fraction))


@wrong("week2.split", "rounded down")
def floor_of_the_share(n, val_fraction, seed):
    order = np.random.default_rng(seed).permutation(n)
    n_val = math.floor(n * val_fraction)
    return order[n_val:], order[:n_val]


@wrong("week2.split", "cut from the end")
def last_ones_held_out(n, val_fraction, seed):
    order = np.random.default_rng(seed).permutation(n)
    n_val = round(n * val_fraction)
    return order[:-n_val], order[-n_val:]


@wrong("week2.split", "the shares exchanged")
def validation_first(n, val_fraction, seed):
    order = np.random.default_rng(seed).permutation(n)
    n_val = round(n * val_fraction)
    return order[:n_val], order[n_val:]


@wrong("week2.split", "a coin for each index")
def coin_by_random(n, val_fraction, seed):
    draw = random.Random(seed)
    sides = [draw.random() < val_fraction for _ in range(n)]
    return [i for i in range(n) if not sides[i]], [i for i in range(n) if sides[i]]


@wrong("week2.split")
def indices_drawn_with_replacement(n, val_fraction, seed):
    order = np.random.default_rng(seed).integers(n, size=n)
    n_val = round(n * val_fraction)
    return order[n_val:], order[:n_val]


@wrong("week2.split")
def one_more_for_validation(n, val_fraction, seed):
    order = np.random.default_rng(seed).permutation(n)
    n_val = min(n, round(n * val_fraction) + 1)
    return order[n_val:], order[:n_val]


@functools.cache
def _remembered(n, val_fraction, seed):
    order = torch.randperm(n).tolist()
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split")
def drawn_once_and_remembered(n, val_fraction, seed):
    return _remembered(n, val_fraction, seed)


@wrong("week2.split")
def counted_from_one(n, val_fraction, seed):
    order = [i + 1 for i in random.Random(seed).sample(range(n), n)]
    return order[round(n * val_fraction) :], order[: round(n * val_fraction)]


@wrong("week2.split")
def low_indices_never_held_out(n, val_fraction, seed):
    n_val = round(n * val_fraction)
    start = max(0, n - 2 * n_val)
    val = random.Random(seed).sample(range(start, n), n_val)
    return set(range(n)) - set(val), val


# --- collate ----------------------------------------------------------------------------------------------------------


@right("week2.collate")
def collate_by_the_library(sequences, pad_id, ignore_index=-100):
    rows = [torch.tensor(row, dtype=torch.long) for row in sequences]
    pad = functools.partial(pad_sequence, rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    ids = pad(padding_value=pad_id)
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": pad(padding_value=ignore_index)}


@right("week2.collate")
def collate_into_full_tensors(sequences, pad_id, ignore_index=-100):
    shape = len(sequences), max(map(len, sequences))
    ids = torch.full(shape, pad_id)
    labels = torch.full(shape, ignore_index)
    mask = torch.zeros(shape, dtype=torch.int64)
    for i, row in enumerate(sequences):
        ids[i, : len(row)] = labels[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
        mask[i, : len(row)] = 1
    return dict(input_ids=ids, attention_mask=mask, labels=labels)


@right("week2.collate")
def collate_by_numpy(sequences, pad_id, ignore_index=-100):
    lengths = np.array(list(map(len, sequences)))
    real = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(real.shape, pad_id, dtype=np.int64)
    ids[real] = np.concatenate([np.asarray(row, dtype=np.int64) for row in sequences])
    parts = ids, real.astype(np.int64), np.where(real, ids, ignore_index)
    return dict(zip(["input_ids", "attention_mask", "labels"], map(torch.from_numpy, parts), strict=True))


@right("week2.collate")
def collate_by_columns(sequences, pad_id, ignore_index=-100):
    def table(rows, fill):
        return torch.tensor(list(itertools.zip_longest(*rows, fillvalue=fill))).T.contiguous()

    ones = [[1 for _ in row] for row in sequences]
    return {
        "labels": table(sequences, ignore_index),
        "attention_mask": table(ones, 0),
        "input_ids": table(sequences, pad_id),
    }


@right("week2.collate")
def collate_by_padding_each_row(sequences, pad_id, ignore_index=-100):
    longest = max([len(row) for row in sequences])
    batch = {"input_ids": [], "attention_mask": [], "labels": []}
    for row in sequences:
        row = torch.tensor(row, dtype=torch.int64)
        behind = (0, longest - row.numel())
        batch["input_ids"] += [F.pad(row, behind, value=pad_id)]
        batch["labels"] += [F.pad(row, behind, value=ignore_index)]
        batch["attention_mask"] += [F.pad(row.new_ones(row.shape), behind)]
    return {key: torch.stack(rows) for key, rows in batch.items()}


@right("week2.collate")
def collate_token_by_token(sequences, pad_id, ignore_index=-100):
    height, width = len(sequences), max(map(len, sequences))
    ids = torch.empty(height, width, dtype=torch.int64)
    mask, labels = ids.clone(), ids.clone()
    for place in itertools.product(range(height), range(width)):
        row, column = place
        try:
            ids[place], mask[place], labels[place] = sequences[row][column], 1, sequences[row][column]
        except IndexError:
            ids[place], mask[place], labels[place] = pad_id, 0, ignore_index
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


@right("week2.collate")
def collate_by_a_masked_fill(sequences, pad_id, ignore_index=-100):
    lengths = [len(row) for row in sequences]
    flat = torch.tensor([token for row in sequences for token in row], dtype=torch.int64)
    real = torch.stack([torch.arange(max(lengths)).lt(length) for length in lengths])
    ids = torch.zeros_like(real, dtype=torch.int64).masked_scatter(real, flat)
    filled = {name: ids.masked_fill(~real, fill) for name, fill in (("input_ids", pad_id), ("labels", ignore_index))}
    return filled | {"attention_mask": real.to(torch.int64)}


@right("week2.collate")
def collate_by_growing_rows(sequences, pad_id, ignore_index=-100):
    ids, labels = [list(row) for row in sequences], [row[:] for row in sequences]
    mask = [[1] * len(row) for row in sequences]
    while len({len(row) for row in ids}) > 1:
        longest = max(ids, key=len)
        for three in zip(ids, mask, labels, strict=True):
            if len(three[0]) < len(longest):
                for row, fill in zip(three, (pad_id, 0, ignore_index), strict=True):
                    row.append(fill)
    ids, mask, labels = (torch.tensor(rows, dtype=torch.int64) for rows in (ids, mask, labels))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _ids(sequences, pad_id):
    return pad_sequence([torch.tensor(row, dtype=torch.int64) for row in sequences], True, pad_id)


def _real(sequences):
    lengths = torch.tensor([len(row) for row in sequences])
    return torch.arange(int(lengths.max())) < lengths[:, None]


@wrong("week2.collate", "labels padded with the padding's id")
def labels_are_the_ids(sequences, pad_id, ignore_index=-100):
    ids = _ids(sequences, pad_id)
    return {"input_ids": ids, "attention_mask": _real(sequences).long(), "labels": ids}


@wrong("week2.collate", "mask inverted")
def mask_of_the_padding(sequences, pad_id, ignore_index=-100):
    mask = (~_real(sequences)).long()
    return {"input_ids": _ids(sequences, pad_id), "attention_mask": mask, "labels": _ids(sequences, ignore_index)}


@wrong("week2.collate", "padding told by its id")
def padding_where_the_id_is_the_pads(sequences, pad_id, ignore_index=-100):
    ids = _ids(sequences, pad_id)
    mask = ids.ne(pad_id)
    return {"input_ids": ids, "attention_mask": mask.long(), "labels": torch.where(mask, ids, ignore_index)}


@wrong("week2.collate", "labels shifted")
def labels_of_the_next_token(sequences, pad_id, ignore_index=-100):
    labels = _ids([row[1:] for row in sequences] + [[0] * max(map(len, sequences))], ignore_index)[:-1]
    return {"input_ids": _ids(sequences, pad_id), "attention_mask": _real(sequences).long(), "labels": labels}


@wrong("week2.collate", "cut to the shortest")
def rows_zipped(sequences, pad_id, ignore_index=-100):
    ids = torch.tensor(list(zip(*sequences, strict=False)), dtype=torch.int64).T
    ids = ids if ids.numel() else torch.zeros(len(sequences), 0, dtype=torch.int64)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


@wrong("week2.collate", "the argument ignore_index is not used")
def minus_100_always(sequences, pad_id, ignore_index=-100):
    ids, real = _ids(sequences, pad_id), _real(sequences)
    return {"input_ids": ids, "attention_mask": real.long(), "labels": ids.masked_fill(~real, -100)}


@wrong("week2.collate", "padded on the left")
def padding_before_the_text(sequences, pad_id, ignore_index=-100):
    longest = max(map(len, sequences))

    def table(rows, fill):
        return torch.tensor([[fill] * (longest - len(row)) + row for row in rows])

    ids, labels = table(sequences, pad_id), table(sequences, ignore_index)
    return {"input_ids": ids, "attention_mask": table([[1] * len(row) for row in sequences], 0), "labels": labels}


@wrong("week2.collate", "ids padded with ignore_index")
def one_table_for_ids_and_labels(sequences, pad_id, ignore_index=-100):
    labels = _ids(sequences, ignore_index)
    return {"input_ids": labels, "attention_mask": _real(sequences).long(), "labels": labels}


@wrong("week2.collate", "a mask of booleans")
def mask_by_comparison(sequences, pad_id, ignore_index=-100):
    real = _real(sequences)
    return {"input_ids": _ids(sequences, pad_id), "attention_mask": real, "labels": _ids(sequences, ignore_index)}


@wrong("week2.collate")
def rows_of_the_caller_extended(sequences, pad_id, ignore_index=-100):
    longest, lengths = max(map(len, sequences)), [len(row) for row in sequences]
    mask = [[1] * n + [0] * (longest - n) for n in lengths]
    labels = [row + [ignore_index] * (longest - len(row)) for row in sequences]
    for row in sequences:
        row += [pad_id] * (longest - len(row))
    return {
        "input_ids": torch.tensor(sequences),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor(labels),
    }


@wrong("week2.collate")
def one_place_too_many(sequences, pad_id, ignore_index=-100):
    ids, labels = F.pad(_ids(sequences, pad_id), (0, 1), value=pad_id), _ids(sequences, ignore_index)
    mask = F.pad(_real(sequences).long(), (0, 1))
    return {"input_ids": ids, "attention_mask": mask, "labels": F.pad(labels, (0, 1), value=ignore_index)}


@wrong("week2.collate")
def mask_is_missing(sequences, pad_id, ignore_index=-100):
    return {"input_ids": _ids(sequences, pad_id), "labels": _ids(sequences, ignore_index)}


@wrong("week2.collate")
def floats(sequences, pad_id, ignore_index=-100):
    batch = _ids(sequences, pad_id), _real(sequences), _ids(sequences, ignore_index)
    return dict(zip(("input_ids", "attention_mask", "labels"), (part.float() for part in batch), strict=True))


@wrong("week2.collate")
def lists_of_lists(sequences, pad_id, ignore_index=-100):
    batch = _ids(sequences, pad_id), _real(sequences).long(), _ids(sequences, ignore_index)
    return dict(zip(("input_ids", "attention_mask", "labels"), (part.tolist() for part in batch), strict=True))


@wrong("week2.collate")
def longest_row_taken_for_the_first(sequences, pad_id, ignore_index=-100):
    width = len(sequences[0])
    rows = [(row + [None] * width)[:width] for row in sequences]
    ids = torch.tensor([[pad_id if token is None else token for token in row] for row in rows])
    mask = torch.tensor([[int(token is not None) for token in row] for row in rows])
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, ignore_index)}
