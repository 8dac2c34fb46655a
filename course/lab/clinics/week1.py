"""Sick runs to diagnose and mend, and the runs behind the folklore audits: losses that look wrong, or too right.

A loss function here takes (logits (B, T, V), input_ids (B, T), attention_mask (B, T)) and returns a 0-d tensor.
"""

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from course.lab import plots, text, training
from course.lab.demos.week1 import trained


@functools.cache
def short_texts(split: str, n: int = 2000, longest: int = 62) -> tuple[tuple[int, ...], ...]:
    """The first `n` lines of the standard library's `split` with 4 … `longest` bytes, as ids between BOS and EOS."""
    source = text.decode(getattr(text.corpus(), split)[:200_000].tolist())
    lines = (text.encode(line.strip(), bos=True, eos=True) for line in source.splitlines())
    return tuple(itertools.islice((tuple(ids) for ids in lines if 6 <= len(ids) <= longest + 2), n))


def padded_batches(split: str, batch_size: int, seed: int = 0):
    """Endless batches of short lines padded on the right: rows of unequal length, as in any fine-tuning."""
    rows, rng = short_texts(split), training.generator(seed, 2)
    while True:
        yield text.batch([rows[i] for i in torch.randint(len(rows), (batch_size,), generator=rng)])


def healthy(logits, input_ids, attention_mask):
    """Mean nats per real next token."""
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, -100)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100)


def _a(logits, input_ids, attention_mask):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), input_ids[:, 1:].flatten())


def _b(logits, input_ids, attention_mask):
    labels = input_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, -100)
    return F.cross_entropy(logits[:, :-2].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def _c(logits, input_ids, attention_mask):
    return healthy(logits, input_ids, attention_mask) / math.log(2)


DISEASES = {
    "A": "padding. The mean counts PAD, which is easy to predict. The report lies far below what real tokens cost.",
    "B": "shift. The labels are shifted twice. Two bytes ahead it knows more than one byte ahead.",
    "C": "base. The logarithm has base 2. It starts at log2 of the vocabulary, and reports more than is measured.",
}


@dataclass
class Run:
    """`reported`: the loss that the run wrote down at each step. `model`: what came out of it."""

    name: str
    reported: list
    model: torch.nn.Module

    def loss_ahead(self, offset: int, cross_entropy: Callable = F.cross_entropy, rows: int = 256) -> float:
        """Mean nats per real token on fresh training lines, where position t is asked for token t + `offset`."""
        batch = next(padded_batches("train", rows, seed=1))
        with torch.no_grad(), training.one_thread():
            logits = self.model.eval()(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        labels = batch["input_ids"][:, offset:].masked_fill(batch["attention_mask"][:, offset:] == 0, -100)
        return float(cross_entropy(logits[:, : labels.shape[1]].flatten(0, 1), labels.flatten()))


def train(loss: Callable, name: str = "run", steps: int = 80, seed: int = 0) -> Run:
    """The tiny model trained on padded lines with `loss`; the same seed, weights and lines for everyone."""
    model, reported = training.tiny_model(seed), []
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)
    with training.one_thread():
        for batch in itertools.islice(padded_batches("train", 16, seed), steps):
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
            value = loss(logits, batch["input_ids"], batch["attention_mask"])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            reported.append(float(value.detach()))
    return Run(name, reported, model)


@functools.cache
def week1_patients() -> tuple[Run, Run, Run]:
    """Three runs on the same lines from the same weights. One line of each loss is wrong."""
    return tuple(train(loss, name) for name, loss in (("A", _a), ("B", _b), ("C", _c)))


def consult(runs=None, cross_entropy: Callable = F.cross_entropy) -> None:
    """Three sick curves, and a table of what is measured on them with `cross_entropy(logits (N, V), targets (N,))`."""
    runs = runs or week1_patients()
    fig, axes = plots.figure(len(runs))
    for ax, run in zip(axes, runs, strict=True):
        plots.style(ax, "Step (updates)", "Reported loss", f"Patient {run.name}", ylim=(0, 8.5))
        ax.plot(range(1, len(run.reported) + 1), run.reported, color=plots.BLUE, lw=2)
        plots.reference(ax, math.log(text.VOCAB_SIZE), f"ln {text.VOCAB_SIZE}")
    words = "; ".join(plots.curve_words(f"patient {run.name}", run.reported) for run in runs)
    plots.show(
        fig,
        f"Reported losses of three runs over {len(runs[0].reported)} steps, with "
        f"ln {text.VOCAB_SIZE} as a dashed line: {words}.",
    )
    print(
        f"{'patient':8}{'first report':>14}{'last reports':>14}{'1 byte ahead':>14}{'2 bytes ahead':>15}"
        "   (measured: real tokens, nats)"
    )
    for run in runs:
        ahead = [run.loss_ahead(k, cross_entropy) for k in (1, 2)]
        print(
            f"{run.name:8}{run.reported[0]:14.3f}{sum(run.reported[-20:]) / 20:14.3f}{ahead[0]:14.3f}{ahead[1]:15.3f}"
        )


@functools.cache
def _sound():
    return train(healthy, "healthy")


def discharge(**losses: Callable) -> None:
    """Trains each patient again with the loss function given for it, and says by measurement whether it is well."""
    sound = _sound()
    runs = [train(loss, name) for name, loss in losses.items()]
    fig, (ax,) = plots.figure(1)
    plots.style(ax, "Step (updates)", "Reported loss (nats per token)", "After your treatment", ylim=(0, 8.5))
    ax.plot(range(1, len(sound.reported) + 1), sound.reported, color=plots.GREY, lw=6, alpha=0.5, label="a healthy run")
    for run, colour in zip(runs, plots.PALETTE, strict=False):
        ax.plot(range(1, len(run.reported) + 1), run.reported, color=colour, lw=1.8, label=f"patient {run.name}")
    plots.legend(ax)
    gaps = {run.name: max(abs(a - b) for a, b in zip(run.reported, sound.reported, strict=True)) for run in runs}
    plots.show(
        fig,
        "Reported losses after treatment against a healthy run. "
        + "; ".join(
            f"patient {name} {'lies on it' if gap < 1e-3 else f'is up to {gap:.2f} away from it'}"
            for name, gap in gaps.items()
        )
        + ".",
    )
    print(f"{'':10} {'last reports':>12} {'measured, 1 byte ahead':>22}   (nats per real token)")
    for run in runs:
        well = gaps[run.name] < 1e-3
        print(
            f"patient {run.name}  {sum(run.reported[-20:]) / 20:12.3f} {run.loss_ahead(1):22.3f}   "
            f"{'well' if well else 'still sick'}"
        )
    print(f"healthy    {sum(sound.reported[-20:]) / 20:12.3f} {sound.loss_ahead(1):22.3f}")


WORDS = r"\w+|[^\w\s]|\s+"  # every character falls into exactly one of these tokens


@dataclass
class Yardstick:
    """A model's total loss on one and the same held-out text, and how many tokens and bytes it cut that text into."""

    name: str
    nats: float
    tokens: int
    bytes: int

    @property
    def mean_loss(self) -> float:
        """Nats per token."""
        return self.nats / self.tokens


@functools.cache
def yardsticks(n_bytes: int = 40_000) -> tuple[Yardstick, ...]:
    """Four models on one held-out text: byte frequencies, byte pairs, a small GPT on bytes, word pairs."""
    source, held_out = text.corpus().train.long(), text.corpus().val[: n_bytes // 64 * 64].long()
    single = torch.bincount(source, minlength=text.VOCAB_SIZE).double() + 1
    pairs = (
        torch.bincount(source[:-1] * text.VOCAB_SIZE + source[1:], minlength=text.VOCAB_SIZE**2)
        .double()
        .view(text.VOCAB_SIZE, -1)
        + 0.1
    )
    after = -(pairs / pairs.sum(1, keepdim=True)).log()[held_out[:-1], held_out[1:]]
    size = len(held_out)
    with training.one_thread():
        gpt = training.evaluate(trained(), [text.batch(held_out.view(-1, 64))])
    # A window's first byte is not predicted, so the mean over the others stands for all.
    return (
        Yardstick("byte frequencies", float(-(single / single.sum()).log()[held_out].sum()), size, size),
        Yardstick("byte pairs", float(after.sum()), size - 1, size - 1),
        Yardstick("small GPT on bytes", gpt * size, size, size),
        _word_pairs(text.decode(source.tolist()), text.decode(held_out.tolist())),
    )


def _word_pairs(source, held_out, prior=5.0):
    """Word pairs, backed off to words, backed off to spelling a word byte by byte: a probability for every text."""
    words, asked = re.findall(WORDS, source), re.findall(WORDS, held_out)
    count, context = Counter(words), Counter(words[:-1])
    wanted = set(itertools.pairwise(asked))
    pair = Counter(filter(wanted.__contains__, itertools.pairwise(words)))
    total = len(words) + len(count)

    def alone(word):
        return count[word] / total if word in count else len(count) / total * 257.0 ** -(len(word.encode()) + 1)

    nats = sum(
        -math.log((pair[before, word] + prior * alone(word)) / (context[before] + prior))
        for before, word in zip([None, *asked], asked, strict=False)
    )
    return Yardstick("word pairs", nats, len(asked), len(held_out.encode()))


def coins() -> torch.Tensor:
    """16 rows of ids: eight coins, each tossed twice; four always fall alike, four fall heads once and tails once."""
    tosses = [("heads", "heads" if coin < 4 else "tails") for coin in range(8)]
    return torch.tensor([text.encode(f"coin {coin}: {side}") for coin in range(8) for side in tosses[coin]])


def coin_batch() -> dict[str, torch.Tensor]:
    """`coins()` as a batch in which only the answers count: the labels of 'coin 3: ' are -100."""
    batch = text.batch(coins())
    batch["labels"][:, : len("coin 0: ")] = -100
    return batch


def overfit(batch: dict, steps: int = 150, seed: int = 0) -> list[float]:
    """The losses, in nats per counted label, of the tiny model trained on this one batch again and again."""
    model = training.tiny_model(seed)
    optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)
    with training.one_thread():
        return [record.loss for record in training.train(model, itertools.repeat(batch, steps), optimizer)]
