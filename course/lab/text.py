"""Bytes as tokens, and the Python standard library's own source as real text.

There are 259 ids: the 256 byte values, then BOS, EOS and PAD. Every string has exactly one encoding and nothing is ever
unknown, which leaves the lessons free to talk about losses instead of tokenizers.
"""

import functools
import hashlib
import json
import lzma
from dataclasses import dataclass

import torch

from course.lab import assets

BOS, EOS, PAD = 256, 257, 258
VOCAB_SIZE = 259


def encode(text: str, bos: bool = False, eos: bool = False) -> list[int]:
    """UTF-8 bytes of `text` as ids 0-255, between BOS and EOS where asked for."""
    return [BOS] * bos + list(text.encode("utf-8")) + [EOS] * eos


def decode(ids) -> str:
    """The text of `ids` (any iterable of ints, or a 1-d tensor). Specials are dropped, bytes that are not UTF-8
    become U+FFFD.
    """
    ids = ids.tolist() if isinstance(ids, torch.Tensor) else ids  # one by one, a tensor's elements are slow to read
    return bytes(i for i in ids if i < BOS).decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Corpus:
    """`train` and `val`: all ids of one side, (N,) int16, each file as BOS, bytes, EOS. `*_files`: its file names."""

    train: torch.Tensor
    val: torch.Tensor
    train_files: tuple[str, ...]
    val_files: tuple[str, ...]


@functools.cache
def files() -> tuple[dict[str, str], dict[str, str]]:
    """About 3 MB of standard library source (PSF licence) as {name: source}, once for training, once for validation.

    The side of a file follows from a hash of its name, so it never changes; about one byte in ten is validation.
    """
    every = json.loads(lzma.decompress(assets.path("stdlib.json.xz").read_bytes()))["files"]
    held_out = {name for name in every if hashlib.sha256(name.encode()).digest()[-1] % 10 == 0}
    return tuple({name: every[name] for name in sorted(side)} for side in (every.keys() - held_out, held_out))


@functools.cache
def corpus() -> Corpus:
    """The standard library's source, split by file: no file is on both sides (see `files`)."""
    return Corpus(*(_ids(side.values()) for side in files()), *map(tuple, files()))


def _ids(texts):
    bytes_of = [torch.frombuffer(bytearray(one.encode("utf-8")), dtype=torch.uint8) for one in texts]
    bos, eos = torch.tensor([BOS], dtype=torch.int16), torch.tensor([EOS], dtype=torch.int16)
    return torch.cat([part for ids in bytes_of for part in (bos, ids.to(torch.int16), eos)])


def windows(split, batch_size: int, seq_len: int, generator: torch.Generator):
    """Yields (batch_size, seq_len) int64 ids without end, each row cut from a random place of `split` ("train", "val"
    or ids (N,)).
    """
    ids = getattr(corpus(), split) if isinstance(split, str) else split
    if len(ids) < seq_len:
        raise ValueError(f"windows of {seq_len} ids do not fit into a split of {len(ids)}")
    offsets = torch.arange(seq_len)
    while True:
        starts = torch.randint(len(ids) - seq_len + 1, (batch_size, 1), generator=generator)
        yield ids[starts + offsets].long()


def batch(sequences) -> dict[str, torch.Tensor]:
    """The course's batch: `input_ids`, `attention_mask` and **unshifted** `labels`, each (B, T) int64.

    `sequences` is a (B, T) tensor, or a list of id lists, padded on the right with PAD to the longest. A label is
    -100 and the mask 0 where there is only padding. Position t predicts label t+1; the shift is the loss's work, not
    the batch's.
    """
    if torch.is_tensor(sequences):
        ids = sequences.long()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()}
    longest = max(map(len, sequences))
    ids = torch.tensor([list(row) + [PAD] * (longest - len(row)) for row in sequences])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in sequences])
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


def batches(split, batch_size: int, seq_len: int, generator: torch.Generator):
    """`batch(ids)` for every one of `windows(...)`, without end."""
    return map(batch, windows(split, batch_size, seq_len, generator))
