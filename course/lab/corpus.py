"""The base model's text by domain, and how well a model predicts it.

Five domains lie in `assets/corpus/` (rebuilt by assets/build_corpus.py), the sixth is the standard library's source of
`course.lab.text`. Each is split once and for all into "train" and "held_out".
"""

import functools
import json
import lzma
import math

import torch

from course.lab import assets, text

DOMAINS = ("python_docs", "wordnet", "stdlib", "king_james", "jargon", "simple_english")
CONTEXT = 256  # tokens; what the base model was trained on


@functools.cache
def documents(domain: str, split: str) -> tuple[str, ...]:
    """The documents of one of `DOMAINS`; `split` is "train" or "held_out".

    Raises ValueError for another name, AssetError if the file is missing or altered.
    """
    if domain not in DOMAINS or split not in ("train", "held_out"):
        raise ValueError(f"no {split!r} text of {domain!r}: domains are {', '.join(DOMAINS)}; train or held_out")
    if domain == "stdlib":
        return tuple(text.files()[split == "held_out"].values())
    return tuple(json.loads(lzma.decompress(assets.path(f"corpus/{domain}.json.xz").read_bytes()))[split])


def token_ids(tokenizer, texts) -> torch.Tensor:
    """All of `texts` as one stream of ids, (N,) int64, each text as BOS, its tokens, EOS."""
    encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    return torch.tensor([i for ids in encoded for i in (bos, *ids, eos)])


@torch.no_grad()
def loss(model, ids: torch.Tensor, context: int = CONTEXT, batch_size: int = 16) -> tuple[float, int]:
    """The summed loss in nats of the stream `ids` (N,) int64, and how many tokens it was summed over (N - 1).

    Windows of `context` tokens overlap by half, and a token counts where more of the text precedes it, so that all
    but the first half window are predicted from `context / 2` tokens or more. The model's mode is restored.
    """
    half = context // 2
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    starts = range(0, max(1, len(ids) - half - 1), half)
    windows = [(ids[i : i + context + 1], 0 if i == 0 else half) for i in starts]
    total, count = 0.0, 0
    for i in range(0, len(windows), batch_size):
        rows = windows[i : i + batch_size]
        inputs = torch.zeros(len(rows), context, dtype=torch.long)
        labels = torch.full((len(rows), context), -100)
        for row, (window, first) in enumerate(rows):
            inputs[row, : len(window) - 1] = window[:-1]
            labels[row, first : len(window) - 1] = window[first + 1 :]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cpu" or model.dtype == torch.bfloat16):
            logits = model(input_ids=inputs.to(device)).logits
        total += torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.to(device).flatten(), reduction="sum"
        ).item()
        count += int((labels != -100).sum())
    model.train(was_training)
    return total, count


def held_out_sample(domain: str, n_bytes: int) -> tuple[str, ...]:
    """The first held-out documents of a domain that together make `n_bytes`, the last one cut short."""
    sample, left = [], n_bytes
    for document in documents(domain, "held_out"):
        sample.append(document.encode()[:left].decode(errors="ignore"))
        left -= len(document.encode())
        if left <= 0:
            break
    return tuple(sample)


def bits_per_byte(model, tokenizer, domain: str, n_bytes: int = 60_000) -> float:
    """How many bits the model needs for a byte of the domain's held-out text: nats / ln 2 / bytes.

    EOS after each document is predicted too and counts in the nats; no byte is counted for it.
    """
    sample = held_out_sample(domain, n_bytes)
    nats, _ = loss(model, token_ids(tokenizer, sample))
    return nats / math.log(2) / sum(len(document.encode()) for document in sample)
