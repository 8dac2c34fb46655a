"""week1.loss_floor: how low can the loss go?."""

import math
from collections import Counter, defaultdict

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers

IGNORED = -100


def _conflicting_pair(rng, length, conflicts):
    """Two rows with the same inputs whose labels differ at some positions."""
    row = integers(rng, 10, 40, length)
    labels = torch.stack([row, row])
    where = 1 + torch.randperm(length - 1, generator=rng)[:conflicts]
    labels[1, where] += 50
    return torch.stack([row, row]), labels


def _loss_floor_cases(rng):
    ids, labels = _conflicting_pair(rng, 7, 3)
    yield Case("two rows, the same inputs", {"input_ids": ids, "labels": labels})

    ids, labels = _conflicting_pair(rng, 6, 2)
    ids, labels = torch.cat([ids, ids]), torch.cat([labels, labels[:1], labels[:1]])
    yield Case("three against one", {"input_ids": ids, "labels": labels})

    ids, labels = _conflicting_pair(rng, 8, 4)
    start = integer(rng, 2, 3)
    labels[:, :start] = IGNORED
    labels[0, start], labels[1, start] = 7, 8
    yield Case("a prompt that does not count", {"input_ids": ids, "labels": labels})

    stem, ends = integers(rng, 10, 40, 3), integers(rng, 10, 40, 3, 3)
    ends[:, 0] = torch.tensor([50, 51, 50])
    ends[:, 1] = torch.tensor([60, 60, 61])
    ids = torch.cat([stem.expand(3, 3), ends], 1)
    yield Case("texts that begin alike", {"input_ids": ids, "labels": ids.clone()})

    ids = torch.stack([torch.tensor([1, 5, 9, 2, 5, 8]), torch.tensor([3, 5, 7, 4, 6, 9])]) + integer(rng, 0, 90)
    shared = integers(rng, 10, 40, 1, 6).expand(2, 6).clone()
    labels = shared.clone()
    labels[1, integer(rng, 1, 5)] += 50
    inputs = {"input_ids": torch.cat([ids, shared + 200]), "labels": torch.cat([ids, labels])}
    yield Case("a token that recurs in other contexts", inputs)

    yield from _written_out_cases(integer(rng, 0, 90))

    (one, one_labels), (two, two_labels) = _conflicting_pair(rng, 6, 2), _conflicting_pair(rng, 6, 3)
    ids = torch.cat([one, one, two + 200])
    labels = torch.cat([one_labels, one_labels[:1], one_labels[:1], two_labels])
    order = torch.randperm(6, generator=rng)
    yield Case("six rows, two texts", {"input_ids": ids[order], "labels": labels[order]})

    ids = torch.arange(15).reshape(3, 5) + integer(rng, 0, 90)
    yield Case("nothing conflicts", {"input_ids": ids, "labels": ids.clone()}, edge=True)


def _written_out_cases(offset):
    """Small cases, each with one trap; `offset` moves their ids."""

    def rows(ids, labels):
        ids, labels = torch.tensor(ids), torch.tensor(labels)
        return {"input_ids": ids + offset, "labels": labels.where(labels == IGNORED, labels + offset)}

    no = IGNORED
    labels = [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 6]]
    yield Case("three endings, one of them twice", rows([[1, 2, 3, 4]] * 4, labels))
    labels = [[no, no, 3, 4], [no, no, 3, 5], [no, no, 3, no]]
    yield Case("one label does not count where others do", rows([[1, 2, 3, 4]] * 3, labels))
    labels = [[no, no, 3, 4, 5], [no, no, no, no, 6]]
    yield Case("rows that count unequally", rows([[1, 2, 3, 4, 5]] * 2, labels))
    ids = [[1, 2, 9, 9, 4], [3, 2, 9, 9, 5], [3, 8, 9, 9, 6]]
    inputs = rows(ids, [[no, no, *row[2:]] for row in ids])
    yield Case("the same answer to three prompts", inputs, edge=True)
    ids = [[1, 7, 8, 4], [1, 8, 7, 5]]
    inputs = rows(ids, [[no, no, no, row[3]] for row in ids])
    yield Case("the same tokens in another order", inputs, edge=True)


def _floor(context, first=1, shift=0, log=math.log, all_positions=False):
    """A floor with its choices open: what the prediction may see, which label it predicts, the unit, the mean."""

    def loss_floor(input_ids, labels):
        seen, total = defaultdict(Counter), 0
        for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
            for t in range(first, len(ids)):
                total += 1
                if row[t - shift] != IGNORED:
                    seen[context(ids, t)][row[t - shift]] += 1
        counted = sum(counts.total() for counts in seen.values())
        nats = sum(-k * log(k / counts.total()) for counts in seen.values() for k in counts.values())
        return nats / (total if all_positions else counted)

    return loss_floor


def _prefix(ids, t):
    return tuple(ids[:t])


def _entropy(inputs):
    """Mean entropy of the labels that share a prefix, by torch: every counted label costs −ln of its share."""
    ids, labels = inputs["input_ids"], inputs["labels"]
    nats = []
    for t in range(1, ids.shape[1]):
        for row in (labels[:, t] != IGNORED).nonzero().flatten():
            same = (ids[:, :t] == ids[row, :t]).all(1) & (labels[:, t] != IGNORED)
            nats.append(-torch.log((labels[same, t] == labels[row, t]).double().mean()))
    return torch.stack(nats).mean()


def _ln2_everywhere(input_ids, labels):
    return math.log(2)


def _ln2_per_conflict(input_ids, labels):
    """ln 2 × share of conflicting positions, whatever the counts are."""
    seen, counted = defaultdict(Counter), 0
    for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
        for t in range(1, len(ids)):
            if row[t] != IGNORED:
                seen[tuple(ids[:t])][row[t]] += 1
                counted += 1
    return math.log(2) * sum(counts.total() for counts in seen.values() if len(counts) > 1) / counted


def _counts(input_ids, labels, context=_prefix):
    """→ {context: how often each label follows, ignored ones too}."""
    seen = defaultdict(Counter)
    for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
        for t in range(1, len(ids)):
            seen[context(ids, t)][row[t]] += 1
    return seen


def _ignored_in_the_shares(input_ids, labels):
    """An ignored label counts as one more label of its prefix."""
    costs = [
        -math.log(k / counts.total())
        for counts in _counts(input_ids, labels).values()
        for label, k in counts.items()
        if label != IGNORED
        for _ in range(k)
    ]
    return sum(costs) / len(costs)


def _mean_of_rows(input_ids, labels):
    seen, means = _counts(input_ids, labels), []
    for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
        costs = []
        for t in range(1, len(ids)):
            counts = seen[tuple(ids[:t])]
            if row[t] != IGNORED:
                costs.append(-math.log(counts[row[t]] / (counts.total() - counts[IGNORED])))
        if costs:
            means.append(sum(costs) / len(costs))
    return sum(means) / len(means)


def _prompt_forgotten(input_ids, labels):
    """The context keeps only the tokens whose labels count."""
    seen = defaultdict(Counter)
    for ids, row in zip(input_ids.tolist(), labels.tolist(), strict=True):
        for t in range(1, len(ids)):
            if row[t] != IGNORED:
                context = [token for token, label in zip(ids[:t], row[:t], strict=True) if label != IGNORED]
                seen[t, *context][row[t]] += 1
    counted = sum(counts.total() for counts in seen.values())
    return sum(-k * math.log(k / counts.total()) for counts in seen.values() for k in counts.values()) / counted


LOSS_FLOOR = Exercise(
    id="week1.loss_floor",
    title="How low can the loss go?",
    points=3,
    minutes=15,
    why="Whoever expects a loss of zero keeps tuning a model that has nothing left to learn.",
    oracle="torch: the mean entropy of the labels that share a prefix",
    cases=_loss_floor_cases,
    expected=_entropy,
    misconceptions=(
        Misconception(
            "the loss goes to zero",
            lambda input_ids, labels: 0.0,
            "Two rows show the model the same inputs and want different labels. What is the best probability that it "
            "can give to each?",
        ),
        Misconception(
            "every position conflicts",
            _ln2_everywhere,
            "You charge every position for a conflict. Most positions have one label only: what do they cost at best?",
        ),
        Misconception(
            "always an even split",
            _ln2_per_conflict,
            "You take every conflict for an even one. Where one label is commoner than the other, the best prediction "
            "is not half and half.",
        ),
        Misconception(
            "the model sees the future",
            _floor(lambda ids, t: (t, *ids)),
            "You let the prediction see the whole row. At position t a causal model has read the inputs up to t, no "
            "more.",
        ),
        Misconception(
            "the model sees one token",
            _floor(lambda ids, t: ids[t - 1]),
            "You give the model the last token alone. It has read everything before it too, and that settles some "
            "conflicts.",
        ),
        Misconception(
            "labels not shifted",
            _floor(lambda ids, t: tuple(ids[: t + 1]), first=0),
            "You compare the inputs up to t with the label at t. These labels are not shifted: what does position t "
            "predict?",
        ),
        Misconception(
            "ignored positions counted in the mean",
            _floor(_prefix, all_positions=True),
            "You divide by all positions. A label of -100 is no part of the mean.",
        ),
        Misconception(
            "ignored labels counted in the shares",
            _ignored_in_the_shares,
            "You count a label of -100 as one more thing that may follow. Among which labels do the shares add up to "
            "one?",
        ),
        Misconception(
            "mean of the rows' means",
            _mean_of_rows,
            "You average each row, then the rows: a label in a row that counts few weighs more than one in a full row.",
        ),
        Misconception(
            "the model sees two tokens",
            _floor(lambda ids, t: tuple(ids[max(0, t - 2) : t])),
            "You give the model the last two tokens alone. It has read the whole row up to there.",
        ),
        Misconception(
            "the prompt is forgotten",
            _prompt_forgotten,
            "A token whose label is -100 is still read. The same answer to two different prompts is no conflict.",
        ),
        Misconception(
            "in bits",
            _floor(_prefix, log=math.log2),
            "{got} is in bits; the loss is in nats.",
        ),
    ),
)
