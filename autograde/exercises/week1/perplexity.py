"""week1.perplexity: perplexity of a corpus."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, integers


def _losses(rng, n):
    return 0.5 + 4 * torch.rand(n, generator=rng)


def _perplexity_cases(rng):
    short_last = torch.cat([integers(rng, 900, 1024, 3), integers(rng, 20, 90, 1)])
    losses = torch.cat([_losses(rng, 3), 5 + _losses(rng, 1)])
    yield Case("a short last batch", {"losses": losses, "token_counts": short_last})
    yield Case("batches of many sizes", {"losses": _losses(rng, 6), "token_counts": integers(rng, 2, 400, 6)})
    equal = {"losses": _losses(rng, 4), "token_counts": integers(rng, 8, 64, 1).expand(4).clone()}
    yield Case("equal batches", equal, weight=0.5, edge=True)
    one_token = torch.tensor([1, integer(rng, 2, 4)])
    yield Case(
        "a batch of one token", {"losses": torch.tensor([6.0, 1.0]) + _losses(rng, 2), "token_counts": one_token}
    )
    losses, counts = _losses(rng, 5), integers(rng, 10, 99, 5)
    empty = integer(rng, 0, 4)
    losses[empty], counts[empty] = math.nan, 0
    yield Case("a batch without tokens", {"losses": losses, "token_counts": counts})
    one = {"losses": _losses(rng, 1), "token_counts": integers(rng, 5, 50, 1)}
    yield Case("one batch", one, weight=0.5, edge=True)


def _perplexity(inputs):
    """The loss of every token, put one after the other: exp of their plain mean."""
    pairs = zip(inputs["losses"].double(), inputs["token_counts"].tolist(), strict=True)
    return torch.exp(torch.cat([loss.expand(count) for loss, count in pairs]).mean())


def _weighted(values, counts):
    kept = counts > 0
    return (values[kept] * counts[kept]).sum() / counts.sum()


PERPLEXITY = Exercise(
    id="week1.perplexity",
    title="Perplexity of a corpus",
    points=2,
    minutes=8,
    why="Averaged wrongly, the same model gets another perplexity whenever the batch size changes.",
    oracle="exp of torch.mean over every token's loss",
    cases=_perplexity_cases,
    expected=_perplexity,
    misconceptions=(
        *(
            Misconception(
                "mean of perplexities",
                answer,
                "You average perplexities: {got} instead of {expected}. A bad batch weighs far too much then. In "
                "which order come mean and exp?",
            )
            for answer in (
                lambda losses, token_counts: _weighted(losses.exp(), token_counts),
                lambda losses, token_counts: (losses.exp() * token_counts).sum() / token_counts.sum(),
            )
        ),
        *(
            Misconception(
                "unweighted mean",
                answer,
                "Every batch counts the same in your mean, whatever its number of tokens.",
            )
            for answer in (
                lambda losses, token_counts: losses[token_counts > 0].mean().exp(),
                lambda losses, token_counts: losses.mean().exp(),
                lambda losses, token_counts: losses.nan_to_num().mean().exp(),
            )
        ),
        Misconception(
            "base 2",
            lambda losses, token_counts: 2 ** _weighted(losses, token_counts),
            "You raise 2 to the mean loss. These losses are in nats: which base belongs to them?",
        ),
        Misconception(
            "a batch without tokens spoils the sum",
            lambda losses, token_counts: ((losses * token_counts).sum() / token_counts.sum()).exp(),
            "One batch has no tokens and NaN as its loss, and 0 × NaN is NaN. A weight of zero does not leave it out.",
        ),
        Misconception(
            "the mean loss",
            lambda losses, token_counts: _weighted(losses, token_counts),
            "{got} is the mean loss of the corpus. Its perplexity is one step further.",
        ),
    ),
)
