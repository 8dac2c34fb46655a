"""Answers to perplexity, bits_per_byte and loss_floor whose worth is known, for `autograde audit`."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- perplexity -------------------------------------------------------------------------------------------------------


@right("week1.perplexity")
def perplexity_by_loop(losses, token_counts):
    nats, tokens = 0.0, 0
    for loss, count in zip(losses.tolist(), token_counts.tolist(), strict=True):
        if count:
            nats, tokens = nats + loss * count, tokens + count
    return math.exp(nats / tokens)


@right("week1.perplexity")
def perplexity_by_numpy(losses, token_counts):
    return np.exp(np.average(np.nan_to_num(losses.numpy()), weights=token_counts.numpy()))


@right("week1.perplexity")
def geometric_mean(losses, token_counts):
    shares = token_counts.double() / token_counts.sum()
    return torch.prod(losses.double().nan_to_num(0.0).exp() ** shares)


@wrong("week1.perplexity", "mean of perplexities")
def average_of_exponentials(losses, token_counts):
    return np.average(np.exp(np.nan_to_num(losses.numpy())), weights=token_counts.numpy())


@wrong("week1.perplexity", "unweighted mean")
def nanmean(losses, token_counts):
    return losses.nanmean().exp()


@wrong("week1.perplexity", "base 2")
def two_to_the_loss(losses, token_counts):
    return torch.exp2(torch.dot(losses.nan_to_num(0.0), token_counts.float()) / token_counts.sum())


@wrong("week1.perplexity", "a batch without tokens spoils the sum")
def dot_product(losses, token_counts):
    return torch.exp(losses @ token_counts.float() / token_counts.sum())


@wrong("week1.perplexity")
def unweighted_and_spoiled(losses, token_counts):
    return losses.mean().exp()


@wrong("week1.perplexity")
def unweighted_mean_of_perplexities(losses, token_counts):
    return losses.exp().nanmean()


@wrong("week1.perplexity")
def median_batch(losses, token_counts):
    return losses.nanmedian().exp()


# --- bits_per_byte ----------------------------------------------------------------------------------------------------


@right("week1.bits_per_byte")
def bits_then_bytes(mean_loss, n_tokens, n_bytes):
    bits_per_token = mean_loss * math.log2(math.e)
    tokens_per_byte = n_tokens / n_bytes
    return torch.tensor(bits_per_token * tokens_per_byte)


@right("week1.bits_per_byte")
def size_of_the_compressed_text(mean_loss, n_tokens, n_bytes):
    probability_of_the_text = -np.float64(mean_loss) * n_tokens
    return -probability_of_the_text / np.log(2) / n_bytes


@wrong("week1.bits_per_byte", "nats left as nats")
def nats_per_byte(mean_loss, n_tokens, n_bytes):
    return torch.tensor(mean_loss) * (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "the ratio upside down")
def tokens_below(mean_loss, n_tokens, n_bytes):
    return math.log2(math.exp(mean_loss)) / (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "per token")
def bits_per_token(mean_loss, n_tokens, n_bytes):
    return math.log2(math.exp(mean_loss))


@wrong("week1.bits_per_byte")
def eight_bits_a_byte(mean_loss, n_tokens, n_bytes):
    return mean_loss / math.log(2) * n_tokens / (8 * n_bytes)


@wrong("week1.bits_per_byte")
def whole_tokens_a_byte(mean_loss, n_tokens, n_bytes):
    return mean_loss / math.log(2) / (n_bytes // n_tokens or 1)


# --- loss_floor -------------------------------------------------------------------------------------------------------


@right("week1.loss_floor")
def floor_by_comparing_rows(input_ids, labels):
    total, counted = 0.0, 0
    for b, t in itertools.product(range(len(labels)), range(1, labels.shape[1])):
        if labels[b, t] == -100:
            continue
        peers = [
            r for r in range(len(labels)) if torch.equal(input_ids[r, :t], input_ids[b, :t]) and labels[r, t] != -100
        ]
        share = sum(int(labels[r, t] == labels[b, t]) for r in peers) / len(peers)
        total, counted = total - math.log(share), counted + 1
    return total / counted


@right("week1.loss_floor")
def floor_by_numpy(input_ids, labels):
    ids, y = input_ids.numpy(), labels.numpy()
    nats, counted = 0.0, 0
    for t in range(1, ids.shape[1]):
        keep = y[:, t] != -100
        if not keep.any():
            continue
        _, group = np.unique(ids[keep, :t], axis=0, return_inverse=True)
        for g in range(group.max() + 1):
            n = np.unique(y[keep, t][group == g], return_counts=True)[1]
            nats -= (n * np.log(n / n.sum())).sum()
        counted += keep.sum()
    return torch.tensor(nats / counted)


@right("week1.loss_floor")
def floor_of_a_table_of_logits(input_ids, labels):
    """The lowest loss of one free logit for each (prefix, label): the log of the counts, through cross_entropy."""
    prefixes, rows, targets = {}, [], []
    for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
        for t in range(1, len(ids)):
            if row[t] != -100:
                rows.append(prefixes.setdefault(tuple(ids[:t]), len(prefixes)))
                targets.append(row[t])
    counts = torch.zeros(len(prefixes), max(targets) + 1, dtype=torch.float64)
    counts.index_put_((torch.tensor(rows), torch.tensor(targets)), torch.ones(1, dtype=torch.float64), accumulate=True)
    return F.cross_entropy(counts.log()[rows], torch.tensor(targets))


def _counted_floor(input_ids, labels, key, first=1):
    groups = {}
    for b, t in itertools.product(range(len(labels)), range(first, labels.shape[1])):
        if labels[b, t] != -100:
            groups.setdefault(key(input_ids[b].tolist(), b, t), []).append(int(labels[b, t]))
    costs = [-math.log(g.count(label) / len(g)) for g in groups.values() for label in g]
    return sum(costs) / len(costs)


@wrong("week1.loss_floor", "the loss goes to zero")
def a_floor_for_each_row(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (b, t))


@wrong("week1.loss_floor", "the model sees the future")
def whole_rows_compared(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (str(ids), t))


@wrong("week1.loss_floor", "the model sees one token")
def bigrams(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: ids[t - 1])


@wrong("week1.loss_floor")
def a_floor_for_each_place(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: t)


@wrong("week1.loss_floor")
def the_right_label_in_the_prefix(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (t, *ids[: t + 1]))


@wrong("week1.loss_floor")
def prefixes_without_order(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (t, ids[0], ids[t - 1]))


@wrong("week1.loss_floor", "always an even split")
def share_of_conflicting_places(input_ids, labels):
    groups = {}
    for b, t in itertools.product(range(len(labels)), range(1, labels.shape[1])):
        if labels[b, t] != -100:
            groups.setdefault(tuple(input_ids[b, :t].tolist()), []).append(int(labels[b, t]))
    conflicting = [label for g in groups.values() for label in g if len(set(g)) > 1]
    return len(conflicting) / sum(map(len, groups.values())) * math.log(2)


@wrong("week1.loss_floor")
def number_of_conflicts_alone(input_ids, labels):
    return math.log(2) * float((labels[0] != labels[-1]).sum())
