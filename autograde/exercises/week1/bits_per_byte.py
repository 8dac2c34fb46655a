"""week1.bits_per_byte: bits per byte."""

import math

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, uniform


def _bits_per_byte_cases(rng):
    def text(tokens_low, tokens_high, bytes_per_token):
        tokens = integer(rng, tokens_low, tokens_high)
        n_bytes = round(tokens * bytes_per_token)
        return {"mean_loss": uniform(rng, 0.8, 6), "n_tokens": tokens, "n_bytes": n_bytes}

    yield Case("a tokenizer with long tokens", text(200, 900, uniform(rng, 3, 5)))
    yield Case("a tokenizer with short tokens", text(1_000, 9_000, uniform(rng, 1.5, 2.5)))
    yield Case("more tokens than bytes, as with BOS and EOS", text(20, 60, 0.9))
    yield Case("one token a byte", text(100, 300, 1), edge=True)
    yield Case("a perfect model", {**text(100, 300, 4), "mean_loss": 0.0}, edge=True)


BITS_PER_BYTE = Exercise(
    id="week1.bits_per_byte",
    title="Bits per byte",
    points=1,
    minutes=4,
    why="It is the one loss that can be compared between models with different tokenizers.",
    oracle="the definition",
    cases=_bits_per_byte_cases,
    expected=lambda i: math.log2(math.e) * i["mean_loss"] * (i["n_tokens"] / i["n_bytes"]),
    misconceptions=(
        Misconception(
            "nats left as nats",
            lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / n_bytes,
            "{got} is in nats per byte. How many nats has a bit?",
        ),
        Misconception(
            "per token",
            lambda mean_loss, n_tokens, n_bytes: mean_loss / math.log(2),
            "{got} is in bits, but for one token. The same bits are shared out over the bytes.",
        ),
        Misconception(
            "the ratio upside down",
            lambda mean_loss, n_tokens, n_bytes: mean_loss / math.log(2) * n_bytes / n_tokens,
            "Longer tokens make your result larger. Write the units next to each number: which ones must cancel?",
        ),
        Misconception(
            "multiplied by ln 2",
            lambda mean_loss, n_tokens, n_bytes: mean_loss * math.log(2) * n_tokens / n_bytes,
            "A bit is smaller than a nat, so the same information is a larger number of bits; yours got smaller.",
        ),
        Misconception(
            "total bits",
            lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / math.log(2),
            "{got} are the bits of the whole text. How many of them has one byte?",
        ),
        *(
            Misconception(
                "eight bits",
                answer,
                "You are off by a factor of eight. That a byte is stored in eight bits says nothing about how many "
                "the model needs for it.",
            )
            for answer in (
                lambda mean_loss, n_tokens, n_bytes: 8 * mean_loss * n_tokens / math.log(2) / n_bytes,
                lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / math.log(2) / n_bytes / 8,
            )
        ),
        *(
            Misconception(
                "a rounded constant",
                answer,
                "{got} is close to {expected}: your number for one bit is rounded. Let `math.log` compute it.",
            )
            for answer in (
                lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / n_bytes / 0.693,
                lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / n_bytes / 0.69,
                lambda mean_loss, n_tokens, n_bytes: mean_loss * n_tokens / n_bytes * 1.44,
            )
        ),
    ),
)
