"""A bank's support, learnt by a small GPT on words: what is memory, and what carries over to questions never seen?

Questions and answers are those of `course.lab.banking`, cut into words and signs; a word that the training questions
do not have is UNKNOWN. The right answer to each question is known to the letter, so it can be counted.
"""

import functools
import math
import re
from dataclasses import dataclass, field, replace

import torch

from course.lab import banking, training
from course.lab.gpt import GPT, GPTConfig

ASK, ANSWER, END, PAD, UNKNOWN = range(5)
THINGS = (  # that a question can be about, and its answer has to name
    *(f"{kind} card" for kind in ("debit", "credit", "prepaid")),
    *(f"{kind} account" for kind in ("savings", "current", "student", "business")),
    *("phone", "tablet", "watch"),
)


@dataclass(frozen=True)
class Row:
    """A conversation: `prompt` and `reply` as ids, the reply with its END."""

    question: str
    answer: str
    intent: str
    family: str
    prompt: tuple[int, ...]
    reply: tuple[int, ...]


def words(text: str) -> list[str]:
    """'My card, please.' → ['My', 'card', ',', 'please', '.']"""
    return re.findall(r"\w+|[^\w\s]", text)


@functools.cache
def vocabulary() -> dict[str, int]:
    """{word: id} of the 900 training conversations, in the order of their first occurrence."""
    every = (w for record in banking.conversations() for part in record["messages"] for w in words(part["content"]))
    return {word: 5 + i for i, word in enumerate(dict.fromkeys(every))}


@functools.cache
def rows(split: str = "train") -> tuple[Row, ...]:
    """The 900 conversations of "train", or the 180 of "held_out", whose families are asked nowhere in training."""
    records = banking.conversations() if split == "train" else banking.held_out()
    return tuple(_row(record) for record in records)


def _row(record):
    question, answer = (part["content"] for part in record["messages"])
    ids = [[vocabulary().get(word, UNKNOWN) for word in words(text)] for text in (question, answer)]
    return Row(question, answer, record["intent"], record["family"], (ASK, *ids[0], ANSWER), (*ids[1], END))


def batch(rows, whole: bool = False) -> dict[str, torch.Tensor]:
    """The course's batch of these rows, padded on the right; the labels of the prompts count only if `whole`."""
    longest = max(len(row.prompt) + len(row.reply) for row in rows)
    ids = torch.full((len(rows), longest), PAD)
    labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
    for i, row in enumerate(rows):
        n, both = len(row.prompt), torch.tensor(row.prompt + row.reply)
        ids[i, : len(both)], mask[i, : len(both)], labels[i, n : len(both)] = both, 1, both[n:]
        if whole:
            labels[i, :n] = both[:n]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def cut(fraction: float = 0.1, seed: int = 1) -> tuple[list[Row], list[Row]]:
    """(training rows, validation rows): the 900 shuffled, and `fraction` of them held back."""
    order = torch.randperm(900, generator=training.generator(seed)).tolist()
    every, n = rows(), round(900 * fraction)
    return [every[i] for i in order[n:]], [every[i] for i in order[:n]]


def shuffled(some, seed: int = 7) -> list[Row]:
    """The same questions, each with the answer of another row drawn at random: there is no rule to find."""
    order = torch.randperm(len(some), generator=training.generator(seed)).tolist()
    return [replace(row, answer=some[i].answer, reply=some[i].reply) for row, i in zip(some, order, strict=True)]


@dataclass
class Run:
    """A model and its log, one dict per epoch: `epoch`; `reported`, the mean of the epoch's batches, dropout on; for
    each watched set its loss at the epoch's end, dropout off, and, as "exact NAME", the share answered to the letter;
    as "NAME, dropout on" that loss of the first set.
    """

    model: GPT
    log: list[dict] = field(default_factory=list)

    def column(self, name: str) -> list[float]:
        return [row[name] for row in self.log]


def train(
    some, epochs: int, *, whole=False, watch=None, every=1, lr=1e-2, warmup=20, decay=True, batch_size=16, dropout=0.1,
    seed=0,
) -> Run:  # fmt: skip
    """A GPT of one block trained on `some` rows, in a new order each epoch; the same arguments give the same run.

    `whole`: prompts count too. `watch`: {name: rows} measured after every `every` epochs and the last, and before the
    first. The learning rate rises over `warmup` updates and, with `decay`, falls linearly to 0.
    """
    config = GPTConfig(5 + len(vocabulary()), 64, 1, 4, 64, 192, dropout)
    run, per_epoch = Run(GPT(config, training.generator(seed, 0))), math.ceil(len(some) / batch_size)
    optimizer, total = training.OPTIMIZERS["adamw"](run.model.parameters(), lr), epochs * per_epoch

    def schedule(step):
        return lr * min(1.0, (step + 1) / warmup) * (1 - step / total if decay else 1.0)

    orders, reported = training.generator(seed, 5), []

    def batches():
        for _ in range(epochs):
            order = torch.randperm(len(some), generator=orders).tolist()
            for start in range(0, len(order), batch_size):
                yield batch([some[i] for i in order[start : start + batch_size]], whole)

    def look(epoch, reported):
        seen = {"epoch": epoch, "reported": reported}
        for name, held in (watch or {}).items():
            seen |= {name: loss(run.model, held, whole), f"exact {name}": exact(run.model, held)}
        for name, held in list((watch or {}).items())[:1]:
            run.model.train()
            with torch.no_grad():
                seen[f"{name}, dropout on"] = training.loss(run.model, batch(held, whole)).item()
        run.log.append(seen)

    with training.one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        look(0, math.log(config.vocab_size))
        for record in training.train(run.model, batches(), optimizer, schedule=schedule):
            reported.append(record.loss)
            epoch = record.step // per_epoch
            if record.step % per_epoch == 0 and (epoch % every == 0 or epoch == epochs):
                look(epoch, sum(reported[-per_epoch:]) / per_epoch)
    run.model.eval()
    return run


def loss(model, some, whole: bool = False) -> float:
    """Mean nats per counted word on these rows, dropout off."""
    return training.evaluate(model, [batch(some, whole)])


@torch.no_grad()
def exact(model, some) -> float:
    """The share of these rows whose answer the model writes to the letter, taking the likeliest word each time.

    It does so exactly where the likeliest word is the right one after every beginning of the right answer, so one look
    at the right answers tells, without writing any.
    """
    given, modes = batch(some), model.training
    model.eval()
    best = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits[:, :-1].argmax(-1)
    model.train(modes)
    labels = given["labels"][:, 1:]
    return ((best == labels) | (labels == -100)).all(1).float().mean().item()


@torch.no_grad()
def write(model, some, longest: int = 30) -> list[tuple[int, ...]]:
    """What the model answers, as ids with END, taking the likeliest word each time; `longest` words at most."""
    answers, lengths = [()] * len(some), {}
    for i, row in enumerate(some):
        lengths.setdefault(len(row.prompt), []).append(i)
    for n, group in lengths.items():
        ids = torch.tensor([some[i].prompt for i in group])
        while ids.shape[1] < n + longest and not (ids[:, n:] == END).any(1).all():
            ids = torch.cat([ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)], dim=1)
        for i, found in zip(group, ids[:, n:].tolist(), strict=True):
            answers[i] = tuple(found[: found.index(END) + 1] if END in found else found)
    return answers


def spell(ids) -> str:
    """Ids as words with spaces between."""
    names = {i: word for word, i in vocabulary().items()}
    return " ".join(names.get(i, "?") for i in ids if i not in (ASK, ANSWER, END, PAD))


def names_the_thing(some, answers) -> tuple[int, int]:
    """(answers that name what the question asked about, questions that do): a savings account is no current account."""
    asked = [[thing for thing in THINGS if thing in row.question and thing in row.answer] for row in some]
    told = [all(thing in spell(ids) for thing in things) for things, ids in zip(asked, answers, strict=True) if things]
    return sum(told), len(told)


def gradient_norm(model, some) -> float:
    """Length of the gradient of the mean loss on these rows, dropout off."""
    model.eval()
    grads = torch.autograd.grad(training.loss(model, batch(some)), list(model.parameters()))
    return float(torch.stack([grad.norm() for grad in grads]).norm())
