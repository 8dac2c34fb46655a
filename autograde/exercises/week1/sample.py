"""week1.sample: draw the next token."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform

# Draws of each row, and how far a frequency may lie off: more than 5 standard deviations.
DRAWS, OFF = 1000, Tolerance(rtol=0.0, atol=0.09)
FEW, FAR_OFF = 500, Tolerance(rtol=0.0, atol=0.14)


def _sample_probe(target, inputs):
    import hashlib
    import random

    import numpy as np
    import torch

    logits, temperature, top_k = inputs["logits"], inputs["temperature"], inputs["top_k"]

    def draw(rows, generator):
        # a copy of the rows, each `rows` times, so that no answer can share state through them
        batch = logits.repeat_interleave(rows, dim=0)
        ids = torch.as_tensor(target(batch, temperature, top_k, generator))
        if ids.shape != (len(batch),) or ids.is_floating_point() or ids.dtype is torch.bool:
            found = f"{str(ids.dtype).removeprefix('torch.')} values of shape {tuple(ids.shape)}"
            raise ValueError(f"expected one integer id for each of {len(batch)} rows, got {found}")
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < logits.shape[-1]:
            raise ValueError(f"an id lies outside the vocabulary of {logits.shape[-1]} tokens")
        return ids.detach().to(torch.int64)

    def state():
        words = torch.get_rng_state().numpy().tobytes(), random.getstate(), np.random.get_state()[1].tobytes()
        return hashlib.sha256(repr(words).encode()).hexdigest()

    def seeded():
        return torch.Generator().manual_seed(inputs["seed"])

    seen = {"state before": state(), "ids": draw(inputs["draws"], seeded())}
    if temperature > 0 and top_k != 1:  # else there is nothing to draw
        generator = seeded()
        seen |= {"first": draw(40, generator), "second": draw(40, generator), "again": draw(40, seeded())}
        seen["state after"] = state()
    target(logits, temperature, top_k, seeded())  # the tensor itself: an answer that writes into it is noticed
    return seen


def _observed(inputs, seen):
    """Frequencies and habits, told from the ids themselves on the trusted side."""
    logits, temperature, top_k = inputs["logits"], inputs["temperature"], inputs["top_k"]
    vocabulary = logits.shape[-1]
    ids = seen["ids"].view(len(logits), inputs["draws"])
    counts = torch.nn.functional.one_hot(ids, vocabulary).sum(1)
    result = {"frequencies": counts / inputs["draws"]}
    limit = 1 if temperature == 0 else top_k
    if limit is not None and limit < vocabulary:
        outside = torch.ones_like(counts).scatter(1, logits.topk(limit).indices, 0)
        result["only the top k are drawn" if temperature else "only the likeliest is drawn"] = not bool(
            (counts * outside).any()
        )
    if temperature > 0 and top_k != 1:
        first, second, again = (seen[name].view(len(logits), 40) for name in ("first", "second", "again"))
        result["the same generator state gives the same ids"] = torch.equal(first, again)
        result["the next call draws anew"] = not torch.equal(first, second)
        result["global generators are left alone"] = seen["state after"] == seen["state before"]
    return result


def _sample_cases(rng):
    def case(name, temperature, top_k, scale=1.0, offset=(0.0, -3.0), close=False, few=False, **options):
        order = torch.randperm(5, generator=rng)
        # the same gaps between neighbours in both rows, at other places and heights: no ties, clear differences
        gaps = torch.tensor([[2.0, 1.2, 0.5, -0.3, -1.0], [0.4, 0.0, -0.4, -1.3, -3.0]]) + normal(rng, 2, 5, scale=0.03)
        if close:
            gaps[:, 1] = gaps[:, 0] - 1e-3
        logits = scale * torch.stack([gaps[0][order] + offset[0], gaps[1][order.flip(0)] + offset[1]])
        draws, tolerance = (FEW, FAR_OFF) if few else (DRAWS, OFF)
        draws = draws if temperature and top_k != 1 else 20  # nothing is left to chance
        inputs = {"logits": logits, "temperature": temperature, "top_k": top_k}
        return Case(name, {**inputs, "seed": integer(rng, 0, 10_000), "draws": draws}, tolerance=tolerance, **options)

    yield case("temperature 1, no limit", 1.0, None)
    yield case("a high temperature", uniform(rng, 2.2, 2.6), None)
    yield case("a low temperature", uniform(rng, 0.23, 0.27), None, scale=0.4)
    yield case("temperature 0", 0.0, None)
    yield case("temperature 0, two tokens close together", 0.0, None, close=True)
    yield case("temperature 0 with top_k", 0.0, 3)
    yield case("top_k of 2", 1.0, 2, few=True)
    yield case("top_k of 3, hot", uniform(rng, 3.8, 4.2), 3)
    yield case("top_k of 3, low logits", uniform(rng, 0.8, 0.9), 3, offset=(-50.0, -47.0), few=True)
    yield case("large logits", uniform(rng, 1.2, 1.4), None, offset=(1000.0, 200.0), few=True)
    yield case("top_k of 1", 1.0, 1)
    yield case("top_k larger than the vocabulary", 1.0, 7, scale=0.2, edge=True)


def _frequencies(inputs):
    logits, temperature, top_k = inputs["logits"].double(), inputs["temperature"], inputs["top_k"]
    if temperature == 0:
        likeliest = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
        return {"frequencies": likeliest, "only the likeliest is drawn": True}
    keep = torch.zeros_like(logits).scatter(-1, logits.argsort(descending=True)[:, : top_k or logits.shape[-1]], 1.0)
    expected = {"frequencies": torch.softmax(logits / temperature + keep.log(), -1)}
    if top_k is not None and top_k < logits.shape[-1]:
        expected["only the top k are drawn"] = True
    if top_k != 1:
        names = (
            "the same generator state gives the same ids",
            "the next call draws anew",
            "global generators are left alone",
        )
        expected |= dict.fromkeys(names, True)
    return expected


def _top_k(logits, top_k):
    if top_k is None or top_k >= logits.shape[-1]:
        return logits
    return logits.masked_fill(logits < logits.topk(top_k).values[:, -1:], -math.inf)


def _pick(probabilities, generator):
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)


def _softmax_first(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return _pick(torch.softmax(_top_k(torch.softmax(logits / temperature, -1), top_k), -1), generator)


def _temperature_after_softmax(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return _pick(torch.softmax(_top_k(logits, top_k), -1) / temperature, generator)


def _temperature_multiplied(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return _pick(torch.softmax(_top_k(logits * temperature, top_k), -1), generator)


def _divided_by_zero(logits, temperature, top_k, generator):
    return _pick(torch.softmax(_top_k(logits / temperature, top_k), -1), generator)


def _zero_means_plain(logits, temperature, top_k, generator):
    return _pick(torch.softmax(_top_k(logits / (temperature or 1.0), top_k), -1), generator)


def _global_generator(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return _pick(torch.softmax(_top_k(logits / temperature, top_k), -1), None)


def _plain(logits, temperature, top_k, generator):
    return _pick(torch.softmax(logits, -1), generator)


def _no_top_k(logits, temperature, top_k, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return _pick(torch.softmax(logits / temperature, -1), generator)


def _always_the_likeliest(logits, temperature, top_k, generator):
    return logits.argmax(-1)


SAMPLE = Exercise(
    id="week1.sample",
    title="Draw the next token",
    points=3,
    minutes=15,
    why="Two models can be compared by their texts only if sampling does what its settings say, again and again.",
    oracle="torch.softmax: frequencies of many draws, and a repeated seed",
    cases=_sample_cases,
    probe=_sample_probe,
    observe=_observed,
    expected=_frequencies,
    tolerance=OFF,
    misconceptions=(
        Misconception(
            "softmax before top-k",
            _softmax_first,
            "Your draws are almost even: the softmax is applied to numbers that are probabilities already. Where in "
            "the order does it belong?",
        ),
        Misconception(
            "temperature after the softmax",
            _temperature_after_softmax,
            "The temperature changes nothing in your draws: it divides all probabilities alike, and what counts is "
            "their ratio. What should it divide?",
        ),
        Misconception(
            "temperature multiplied",
            _temperature_multiplied,
            "Your draws get sharper as the temperature rises, and should get flatter.",
        ),
        Misconception(
            "division by temperature 0",
            _divided_by_zero,
            "At temperature 0 your answer divides by zero. What is the limit of the softmax as the temperature falls?",
        ),
        Misconception(
            "temperature 0 taken for no temperature",
            _zero_means_plain,
            "At temperature 0 your ids still vary. In that limit only one token is left in each row.",
        ),
        Misconception(
            "the global generator",
            _global_generator,
            "The frequencies are right, but the ids come from the global generator: the same seed twice gives two "
            "results.",
        ),
        Misconception(
            "always the likeliest token",
            _always_the_likeliest,
            "You always take the likeliest token. That is right at temperature 0 alone.",
        ),
        Misconception(
            "neither setting is used",
            _plain,
            "Your draws come from the plain softmax of the logits, whatever the temperature and top_k are.",
        ),
        Misconception(
            "top_k ignored",
            _no_top_k,
            "The temperature does what it should. But tokens outside the top k are still drawn.",
        ),
    ),
)
