"""Answers to perplexity, bits_per_byte and loss_floor whose worth is known, for `autograde audit`."""

import fractions
import functools
import itertools
import math
import statistics
from collections import Counter
from dataclasses import dataclass

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


@right("week1.perplexity")
def perplexity_token_by_token(losses, token_counts):
    return losses.double().repeat_interleave(token_counts).mean().exp()


@right("week1.perplexity")
def perplexity_by_statistics(losses, token_counts):
    batches = [(loss, n) for loss, n in zip(losses.tolist(), token_counts.tolist(), strict=True) if n]
    return math.exp(statistics.fmean(*zip(*batches, strict=True)))


@right("week1.perplexity")
def perplexity_batch_after_batch(losses, token_counts):
    """A running mean: each batch moves it by its share of the tokens so far."""

    def add(so_far, batch):
        (mean, tokens), (loss, count) = so_far, batch
        if count == 0:
            return so_far
        return mean + (loss - mean) * count / (tokens + count), tokens + count

    mean, _ = functools.reduce(add, zip(losses.double(), token_counts, strict=True), (0.0, 0))
    return torch.exp(torch.as_tensor(mean))


@right("week1.perplexity")
def perplexity_by_nansum(losses, token_counts):
    weights = token_counts / token_counts.sum()
    return math.e ** torch.nansum(torch.mul(weights, losses)).item()


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


@wrong("week1.perplexity", "unweighted mean")
def unweighted_and_spoiled(losses, token_counts):
    return torch.exp(losses.sum() / len(losses))


@wrong("week1.perplexity")
def unweighted_mean_of_perplexities(losses, token_counts):
    return losses.exp().nanmean()


@wrong("week1.perplexity")
def median_batch(losses, token_counts):
    return losses.nanmedian().exp()


@wrong("week1.perplexity", "unweighted mean")
def unweighted_with_a_zero(losses, token_counts):
    return np.exp(np.nan_to_num(losses.numpy()).mean())


@wrong("week1.perplexity", "mean of perplexities")
def average_of_exponentials_and_spoiled(losses, token_counts):
    return torch.dot(losses.exp(), token_counts.float()) / token_counts.sum()


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


@dataclass
class _Text:
    nats: float
    tokens: int
    bytes: int

    @property
    def bits(self) -> float:
        return self.tokens * self.nats / math.log(2)

    def __truediv__(self, unit: str) -> float:
        return self.bits / getattr(self, unit)


@right("week1.bits_per_byte")
def bits_of_a_dataclass(mean_loss, n_tokens, n_bytes):
    return _Text(mean_loss, n_tokens, n_bytes) / "bytes"


@right("week1.bits_per_byte")
def bits_from_the_perplexity(mean_loss, n_tokens, n_bytes):
    perplexity = np.exp(mean_loss)
    return np.log2(perplexity) * n_tokens / n_bytes


@right("week1.bits_per_byte")
def bits_by_a_fraction(mean_loss, n_tokens, n_bytes):
    share = fractions.Fraction(n_tokens, n_bytes)
    return float(share) * math.log(math.exp(mean_loss), 2)


@right("week1.bits_per_byte")
def bits_by_steps(mean_loss, n_tokens, n_bytes):
    def bits(nats):
        return nats / torch.log(torch.tensor(2.0))

    steps = (lambda mean: mean * n_tokens, bits, lambda total: total / n_bytes)
    return functools.reduce(lambda value, step: step(value), steps, mean_loss)


@right("week1.bits_per_byte")
def bits_added_up_token_by_token(mean_loss, n_tokens, n_bytes):
    total = 0.0
    for _ in range(n_tokens):
        total += mean_loss
    return torch.tensor(total, dtype=torch.float64).mul(1 / math.log(2)).div(n_bytes)


@wrong("week1.bits_per_byte", "nats left as nats")
def nats_per_byte(mean_loss, n_tokens, n_bytes):
    return torch.tensor(mean_loss) * (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "the ratio upside down")
def tokens_below(mean_loss, n_tokens, n_bytes):
    return math.log2(math.exp(mean_loss)) / (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "per token")
def bits_per_token(mean_loss, n_tokens, n_bytes):
    return math.log2(math.exp(mean_loss))


@wrong("week1.bits_per_byte", "a rounded constant")
def a_bit_of_0_693_nats(mean_loss, n_tokens, n_bytes):
    return mean_loss / 0.693 * (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "a rounded constant")
def one_point_44_bits_a_nat(mean_loss, n_tokens, n_bytes):
    return 1.44 * mean_loss * (n_tokens / n_bytes)


@wrong("week1.bits_per_byte", "total bits")
def bits_of_the_text(mean_loss, n_tokens, n_bytes):
    return math.log2(math.e) * mean_loss * n_tokens


@wrong("week1.bits_per_byte", "eight bits")
def eight_times_too_much(mean_loss, n_tokens, n_bytes):
    return math.log2(math.e) * mean_loss * n_tokens / n_bytes * 8


@wrong("week1.bits_per_byte", "eight bits")
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


@right("week1.loss_floor")
def floor_by_a_mask_of_shared_prefixes(input_ids, labels):
    same = (input_ids[:, None] == input_ids[None]).cumprod(-1)[..., :-1].bool()
    goal, counts = labels[:, 1:], labels[:, 1:] != -100
    peers = same & counts[None]
    agree = peers & (goal[:, None] == goal[None])
    share = agree.sum(1).double() / peers.sum(1).clamp(min=1)
    return -share[counts].log().mean()


@right("week1.loss_floor")
def floor_by_branching(input_ids, labels):
    """Recursion over the tree of texts: all rows of a branch have read the same."""
    rows = [(ids, wanted) for ids, wanted in zip(input_ids.tolist(), labels.tolist(), strict=True)]

    def branch(rows, t):
        if t == len(rows[0][0]):
            return 0.0
        counts = Counter(wanted[t] for _, wanted in rows if wanted[t] != -100)
        here = sum(n * math.log(counts.total() / n) for n in counts.values())
        children = {}
        for row in rows:
            children.setdefault(row[0][t], []).append(row)
        return here + sum(branch(child, t + 1) for child in children.values())

    roots = {}
    for row in rows:
        roots.setdefault(row[0][0], []).append(row)
    return sum(branch(root, 1) for root in roots.values()) / int((labels[:, 1:] != -100).sum())


@right("week1.loss_floor")
def floor_by_sorting(input_ids, labels):
    places = itertools.product(range(input_ids.shape[0]), range(1, input_ids.shape[1]))
    pairs = sorted((input_ids[b, :t].tolist(), labels[b, t].item()) for b, t in places if labels[b, t] != -100)
    costs = []
    for _, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
        seen = [label for _, label in group]
        costs += [math.log(len(seen)) - math.log(seen.count(label)) for label in seen]
    return statistics.fmean(costs)


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


@wrong("week1.loss_floor", "ignored labels counted in the shares")
def ignored_labels_take_a_share(input_ids, labels):
    costs = []
    for b, t in itertools.product(range(len(labels)), range(1, labels.shape[1])):
        if labels[b, t] != -100:
            same = [r for r in range(len(labels)) if torch.equal(input_ids[r, :t], input_ids[b, :t])]
            costs.append(-math.log(sum(int(labels[r, t] == labels[b, t]) for r in same) / len(same)))
    return sum(costs) / len(costs)


def _costs_by_row(input_ids, labels):
    groups, rows = {}, [[] for _ in labels]
    places = [(b, t) for b in range(len(labels)) for t in range(1, labels.shape[1]) if labels[b, t] != -100]
    for b, t in places:
        groups.setdefault(tuple(input_ids[b, :t].tolist()), []).append(int(labels[b, t]))
    for b, t in places:
        group = groups[tuple(input_ids[b, :t].tolist())]
        rows[b].append(-math.log(group.count(int(labels[b, t])) / len(group)))
    return [row for row in rows if row]


@wrong("week1.loss_floor", "mean of the rows' means")
def row_by_row(input_ids, labels):
    return float(np.mean([np.mean(row) for row in _costs_by_row(input_ids, labels)]))


@wrong("week1.loss_floor", "the model sees two tokens")
def trigrams(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: str(ids[:t][-2:]))


@wrong("week1.loss_floor")
def trigrams_at_their_place(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (t, *ids[:t][-2:]))


@wrong("week1.loss_floor", "the prompt is forgotten")
def only_counted_tokens_are_read(input_ids, labels):
    read = [row.nonzero().flatten().tolist() for row in labels != -100]
    return _counted_floor(input_ids, labels, lambda ids, b, t: (t, *(ids[place] for place in read[b] if place < t)))


@wrong("week1.loss_floor")
def prefixes_sorted(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: (t, *sorted(ids[:t])))


@wrong("week1.loss_floor")
def labels_for_inputs_in_the_prefix(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: tuple(labels[b, :t].tolist()))


@wrong("week1.loss_floor")
def few_rows_alone(input_ids, labels):
    return _counted_floor(input_ids, labels, lambda ids, b, t: tuple(ids[:t])) if len(labels) < 5 else 0.0


def _prefix_groups(input_ids, labels):
    groups = {}
    for b, t in itertools.product(range(len(labels)), range(1, labels.shape[1])):
        if labels[b, t] != -100:
            groups.setdefault(tuple(input_ids[b, :t].tolist()), []).append(int(labels[b, t]))
    return groups.values()


@wrong("week1.loss_floor")
def entropy_of_two_labels(input_ids, labels):
    total = counted = 0
    for g in _prefix_groups(input_ids, labels):
        p = max(map(g.count, g)) / len(g)
        total -= len(g) * (p * math.log(p) + (1 - p) * math.log(1 - p)) if p < 1 else 0
        counted += len(g)
    return total / counted


@wrong("week1.loss_floor")
def log_of_the_number_of_labels(input_ids, labels):
    groups = _prefix_groups(input_ids, labels)
    return sum(len(g) * math.log(len(set(g))) for g in groups) / sum(map(len, groups))


@wrong("week1.loss_floor")
def mean_over_prefixes(input_ids, labels):
    groups = _prefix_groups(input_ids, labels)
    return sum(-math.log(g.count(label) / len(g)) / len(g) for g in groups for label in g) / len(groups)
