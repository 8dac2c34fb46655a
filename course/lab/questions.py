"""Generated questions with a stated confidence, and how they are scored.

Questions are drawn for a learner and an occasion: everybody gets other numbers, and week 8 asks the same twelve kinds
again. The Brier score is the mean of (confidence - right)^2 (Brier 1950): 0 is best, and it rewards neither boasting
nor modesty.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from course.lab import journal


@dataclass(frozen=True)
class Question:
    """`ask(rng)` gives (text, answer, how). `week` is where the course teaches it; a right answer is within `rtol`."""

    name: str
    week: int
    ask: Callable
    unit: str = ""
    rtol: float = 0.02


@dataclass(frozen=True)
class Item:
    """A question with its numbers in it."""

    name: str
    text: str
    answer: float
    how: str
    unit: str
    rtol: float

    def right(self, given) -> bool:
        """Whether `given`, a number or what somebody typed, is the answer."""
        return any(abs(value - self.answer) <= self.rtol * abs(self.answer) for value in readings(given))


def readings(given) -> list[float]:
    """The numbers that somebody may have meant: '1e-3', '1,5', '25 000', and both of '120,832'; [] without one."""
    text = str("" if given is None else given).strip().replace(" ", "").replace("_", "")
    found = []
    spellings = {text.replace(",", ".")}
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        spellings.add(text.replace(",", ""))
    for one in spellings:
        try:
            found.append(float(one))
        except ValueError:
            pass
    return [value for value in found if math.isfinite(value)]


def _shape(r):
    a, b = r.randint(3, 9), r.randint(11, 19)
    return (
        f"x has the shape ({a}, 1) and y the shape ({b},). How many numbers does x + y hold?",
        a * b,
        f"the shape is ({a}, {b})",
    )


def _keepdim(r):
    b, t, v = r.randint(2, 5), r.randint(6, 9), r.randint(20, 40)
    return (
        f"logits has the shape ({b}, {t}, {v}). How many numbers does logits.sum(-1, keepdim=True) hold?",
        b * t,
        f"the shape is ({b}, {t}, 1)",
    )


def _slope(r):
    w, x = r.randint(2, 5), r.randint(2, 5)
    return f"y = (w · x)² with w = {w} and x = {x}. What is dy/dw?", 2 * w * x * x, "2 · w · x²"


def _loss(r):
    p = r.choice([0.02, 0.05, 0.08, 0.15, 0.3, 0.6])
    return (
        f"A model gives the token that comes next a probability of {p}. What is the loss of that token, in nats?",
        -math.log(p),
        "−ln p",
    )


def _perplexity(r):
    loss = r.choice([1.2, 1.6, 2.3, 2.7, 3.4, 4.1])
    return f"A model's mean loss is {loss} nats per token. What is its perplexity?", math.exp(loss), "exp(loss)"


def _fresh(r):
    v = r.choice([64, 500, 1000, 8000, 32000, 50257])
    return (
        f"A fresh model knows {v:,} tokens and finds all of them equally likely. At which loss does it start, in nats?",
        math.log(v),
        "ln V",
    )


def _corpus(r):
    a, b = r.choice([(1.0, 4.0), (2.0, 5.0), (1.5, 3.5)])
    m, n = r.choice([(900, 100), (800, 200), (100, 300)])
    return (
        f"One batch holds {m} tokens at a mean loss of {a} nats, the other {n} tokens at {b}. "
        "What is the mean loss per token of both together?",
        (a * m + b * n) / (m + n),
        "each batch weighs as many tokens as it has",
    )


def _targets(r):
    n, width = r.randint(17, 40), r.choice([64, 128])
    return (
        f"A text of {n} tokens is padded to {width}. For how many of its positions is there a next token to predict?",
        n - 1,
        "the last token has no next one, and padding never counts",
    )


def _unscale(r):
    scale, norm = r.choice([1024, 4096, 65536]), r.choice([0.3, 0.5, 0.8])
    return (
        f"With a loss scale of {scale} the gradients have a norm of {scale * norm:g}. "
        "Which norm does the clipping have to see?",
        norm,
        "gradients are divided by the scale first",
    )


def _clip(r):
    norm, c, g = r.choice([(8.0, 1.0, 2.0), (5.0, 0.5, 3.0), (4.0, 2.0, 1.2)])
    return (
        f"A gradient of norm {norm} is clipped to norm {c}. One of its entries was {g}. What is it afterwards?",
        g * c / norm,
        "every entry shrinks by the same factor",
    )


def _updates(r):
    n, b, k, e = r.randint(500, 999), r.choice([4, 8]), r.choice([4, 8]), r.choice([2, 3])
    return (
        f"{n} examples, batch size {b}, gradients accumulated over {k} batches, {e} epochs; "
        "what is left over at an epoch's end is used too. How many optimizer updates?",
        e * math.ceil(math.ceil(n / b) / k),
        "batches rounded up, then groups rounded up, per epoch",
    )


def _adam(r):
    lr, g = r.choice([0.001, 0.003, 0.01]), r.choice([0.02, 7.0, 40.0])
    return (
        f"Adam with learning rate {lr} takes its first step. The gradient is {g}. How far does the weight move?",
        lr,
        "the first step of Adam is lr, whatever the gradient",
    )


def _state(r):
    p = r.choice([3, 13, 30])
    return (
        f"How many GB (10⁹ bytes) does AdamW keep beside {p} billion trained weights, both moments in fp32?",
        8.0 * p,
        "two numbers of four bytes per weight",
    )


def _warmup(r):
    peak, w = r.choice([0.001, 0.0003, 0.01]), r.choice([100, 200, 500])
    s = w * r.choice([1, 2, 3]) // 4
    return (
        f"The learning rate rises linearly from 0 at step 0 to {peak} at step {w}. What is it at step {s}?",
        peak * s / w,
        "peak · step / warm-up steps",
    )


def _lora(r):
    i, o, k = r.choice([(4096, 4096), (4096, 11008), (2048, 8192)]) + (r.choice([8, 16, 64]),)
    return (
        f"LoRA of rank {k} is put beside a linear layer from {i} to {o} features. "
        "How many weights does it train there?",
        k * (i + o),
        "A is r × in, B is out × r",
    )


WARM_UP = (
    Question("broadcasting", 0, _shape, rtol=0.0),
    Question("keepdim", 0, _keepdim, rtol=0.0),
    Question("derivative", 0, _slope),
)
TWELVE = (
    Question("loss of a probability", 1, _loss, "nats"),
    Question("perplexity", 1, _perplexity),
    Question("fresh model", 1, _fresh, "nats"),
    Question("corpus mean", 1, _corpus, "nats"),
    Question("targets of a padded row", 2, _targets, rtol=0.0),
    Question("loss scale", 3, _unscale),
    Question("clipping", 4, _clip),
    Question("updates", 4, _updates, rtol=0.0),
    Question("first step of Adam", 5, _adam),
    Question("optimizer state", 5, _state, "GB"),
    Question("warm-up", 6, _warmup),
    Question("LoRA weights", 7, _lora, rtol=0.0),
)


def items(learner: str, occasion: str, questions=TWELVE) -> list[Item]:
    """`questions` with the numbers of this learner and occasion ('before', 'after', 'week1' ...)."""
    return [Item(q.name, *q.ask(journal.draw(learner, occasion, q.name)), q.unit, q.rtol) for q in questions]


@dataclass(frozen=True)
class Score:
    """`right` of `total`; `brier` over the answers with a stated confidence, None without any."""

    right: int
    answered: int
    total: int
    brier: float | None

    def __str__(self):
        said = (
            "no confidence stated" if self.brier is None else f"Brier score {self.brier:.3f} (0 is best, .25 is a coin)"
        )
        return f"{self.right} of {self.total} right, {self.answered} answered, {said}"


def score(asked: list[Item], answers: dict) -> Score:
    """The score of `answers`, {item name: {"value", "confidence"}}; a blank one counts as not right."""
    rights = {item.name: item.right(answers.get(item.name, {}).get("value")) for item in asked}
    errors = [
        (answers[name]["confidence"] - right) ** 2
        for name, right in rights.items()
        if answers.get(name, {}).get("confidence") is not None
    ]
    answered = sum(bool(readings(answers.get(item.name, {}).get("value"))) for item in asked)
    return Score(sum(rights.values()), answered, len(asked), sum(errors) / len(errors) if errors else None)


def gain(before: Score, after: Score) -> float:
    """Normalised gain (Hake 1998): the share of what was still to learn that was learnt; NaN if nothing was."""
    left = before.total - before.right
    return (after.right - before.right) / left if left else math.nan
