"""Conversations with a made-up bank's support: fine-tuning data whose right answers are known to the letter.

An intent (`lost_card`) has families, each one way of asking, and a single answer. Some answers repeat a word of the
question, such as the kind of card. The families of the held-out set are never trained on, so answering them takes more
than having seen the sentence. The wordings stand in banking_intents.toml; after changing them:

    python -m course.lab.banking && python -m course.lab.assets
"""

import functools
import itertools
import random
import re
import tomllib
from pathlib import Path

from course.lab import assets, jsonl

SPLITS = ("train", "held_out")
_GREETINGS = ("", "", "", "Hello. ", "Hello, ", "Hi there. ", "Hi, ", "Good morning. ", "Good evening, ", "Dear team, ")
_CLOSINGS = ("", "", "", "", " Thanks.", " Thank you.", " Please help.", " Many thanks.", " Best wishes.")


@functools.cache
def _wordings():
    """(slots {name: values}, intents {name: {"keys", "answer", "train", "held_out"}})."""
    tables = tomllib.loads(Path(__file__).with_name("banking_intents.toml").read_text(encoding="utf-8"))
    return tables["slots"], tables["intents"]


def intents() -> dict[str, dict]:
    """{intent: {"answer": str, "keys": [stem, ...], "train": [family, ...], "held_out": [family, ...]}}."""
    return _wordings()[1]


def expand(family: str, answer: str) -> list[tuple[str, str]]:
    """Every (question, answer) of a family, with its [a|b] and its {slot} filled in, in a fixed order."""
    slots = _wordings()[0]
    pieces = re.split(r"(\[[^]]*\]|\{\w+\})", family)
    choices = [
        piece[1:-1].split("|") if piece[:1] == "[" else slots[piece[1:-1]] if piece[:1] == "{" else [piece]
        for piece in pieces
    ]
    found = []
    for parts in itertools.product(*choices):
        filled = {piece[1:-1]: part for piece, part in zip(pieces, parts, strict=True) if piece[:1] == "{"}
        question = re.sub(r" +(?=[ .,?])", "", "".join(parts)).strip()  # an empty [a|] leaves its space behind
        found.append((question, answer.format(**filled)))
    return found


def conversations(n: int = 900, seed: int = 0) -> list[dict]:
    """`n` training conversations, as many of each intent as of any other (give or take one), in random order.

    Each is {"messages": [{"role": "user", "content": str}, {"role": "assistant", "content": str}], "intent": str,
    "family": "lost_card/3"}. No question occurs twice. The same `n` and `seed` give the same list. Raises ValueError
    if the wordings do not yield `n` different questions.
    """
    return _draw("train", n, seed)


def held_out(n: int = 180, seed: int = 1) -> list[dict]:
    """`n` conversations as above, from families that `conversations` never uses."""
    return _draw("held_out", n, seed)


def _draw(split, n, seed):
    rng, names, taken, records = random.Random(seed), sorted(intents()), set(), []
    names = rng.sample(names, len(names))  # which intents get one more than others is left to chance
    for index, name in enumerate(names):
        wanted = n // len(names) + (index < n % len(names))
        records += itertools.islice(_questions(name, split, rng, taken), wanted)
    if len(records) < n:
        raise ValueError(f"the wordings of {split} yield only {len(records)} different questions of {n}")
    return rng.sample(records, len(records))


def _questions(name, split, rng, taken):
    """Records of one intent, its families in turn and each family's variants in turn, until nothing new is found."""
    families = intents()[name][split]
    first = 0 if split == "train" else len(intents()[name]["train"])
    turns = []
    for index, family in enumerate(families, start=first):
        variants = expand(family, intents()[name]["answer"])
        turns.append((f"{name}/{index}", itertools.cycle(rng.sample(variants, len(variants)))))
    misses = 0
    for label, variants in itertools.cycle(turns):
        question, answer = next(variants)
        question = _greet(question, rng.choice(_GREETINGS)) + rng.choice(_CLOSINGS)
        misses = misses + 1 if question in taken else 0
        if misses > 100 * len(turns):
            return
        if not misses:
            taken.add(question)
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            yield {"messages": messages, "intent": name, "family": label}


def _greet(question, greeting):
    """After a comma the sentence goes on in lower case, but for words like I and PIN."""
    if greeting.endswith(", ") and not re.match(r"I\b|[A-Z]{2}", question):
        question = question[:1].lower() + question[1:]
    return greeting + question


def load(split: str):
    """The shipped conversations as a `datasets.Dataset` with columns messages, intent and family.

    `split` is "train" (900) or "held_out" (180). Nothing is written to disk. Raises AssetError for a missing or altered
    file, ValueError for another split or a record of another shape.
    """
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}: take one of {', '.join(SPLITS)}")
    return jsonl.read(assets.path(f"banking/{split}.jsonl"), check)


def check(record: dict) -> None:
    """Raises ValueError unless `record` holds a user's question and then an assistant's answer, neither empty."""
    messages = record.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise ValueError('a conversation needs "messages", a list of {"role", "content"}')
    if [one.get("role") for one in messages] != ["user", "assistant"]:
        raise ValueError(f"messages are of user, then assistant, not {[one.get('role') for one in messages]}")
    for one in messages:
        if not isinstance(one.get("content"), str) or not one["content"].strip():
            raise ValueError(f"the {one['role']}'s message has no content")


def write(folder=None) -> None:
    """Writes train.jsonl and held_out.jsonl into `folder` (default: the shipped assets'), the same bytes each time."""
    folder = Path(folder or assets.root() / "banking")
    jsonl.write(folder / "train.jsonl", conversations())
    jsonl.write(folder / "held_out.jsonl", held_out())


if __name__ == "__main__":
    write()
    print(f"banking: 900 and 180 conversations on {len(intents())} intents. Now run: python -m course.lab.assets")
