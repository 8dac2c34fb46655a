"""An instruction set in the shape of Alpaca's, over what the base model has read.

A task comes from one source, such as a dictionary entry or a verse (`course.lab.instruction_sources`), and its answer
is right by construction. No source of the held-out tasks is used for training. After changing a kind of task:

    python -m course.lab.instructions && python -m course.lab.assets
"""

import random
import re
from pathlib import Path

from course.lab import assets, jsonl
from course.lab.instruction_sources import OPPOSITES, pools

SPLITS = ("train", "held_out")


def _article(word):
    return f"a{'n' * (word[0] in 'aeiou')} {word}"


def _sentence(text):
    return text[0].upper() + text[1:] + "."


def _category(member, category):
    named = member if category in ("colour", "drink") else _article(member)  # "a red" and "a milk" would be wrong
    return _sentence(f"{named} is {_article(category)}")


def _missing(verse, rng):
    words = [word for word in re.findall(r"\b[a-z]{4,}\b", verse) if len(re.findall(rf"\b{word}\b", verse)) == 1]
    word = rng.choice(words)
    return re.sub(rf"\b{word}\b", "____", verse), word


def _halves(verse):
    """`verse`, cut at the first pause after a third of it, or in its middle where there is none."""
    pause = re.search(r"(?<=[,;:]) ", verse[len(verse) // 3 : -15])
    cut = len(verse) // 3 + pause.start() if pause else verse.index(" ", len(verse) // 2)
    return verse[:cut], verse[cut + 1 :]


def _opposite(pair, rng):
    """One word of the pair and the other; a word with two opposites in the table is never the one asked for."""
    used = re.split(r"[| \n]", OPPOSITES)
    word = rng.choice([word for word in pair if used.count(word) == 1])
    return word, pair[word == pair[0]]


def _race(one, two, three, measure, rng):
    """Two comparisons that order three people, in either order, and the question for the first."""
    more, most = measure.split()
    facts = rng.sample([f"{one} is {more} than {two}.", f"{two} is {more} than {three}."], 2)
    return f"{' '.join(facts)} Who is the {most}?", one


# kind: (pool, ways of asking, task). A task takes a source and a generator, and gives input and output.
KINDS = {
    "wordnet/define": (
        "entries",
        ("Define the word.", "What does this word mean?", "Explain this word."),
        lambda s, rng: (f"{s[0]} ({s[1]})", _sentence(s[2])),
    ),
    "wordnet/word": (
        "entries",
        ("Which word has this definition?", "Give the word for this definition.", "Name what is defined here."),
        lambda s, rng: (f"{_sentence(s[2])} ({s[1]})", s[0]),
    ),
    "wordnet/question": (
        "entries",
        ("Turn this dictionary entry into a question.", "Write a question that this entry answers."),
        lambda s, rng: (f"{s[0]} ({s[1]}): {s[2]}.", f'What does the {s[1]} "{s[0]}" mean?'),
    ),
    "stdlib/summary": (
        "functions",
        ("What does this Python function do?", "Write the first line of this function's docstring."),
        lambda s, rng: (s[2], s[3]),
    ),
    "stdlib/signature": (
        "functions",
        ("Complete the signature of this Python function.", "Which parameters does this Python function take?"),
        lambda s, rng: (f"{s[2].split('(')[0]}(", s[2]),
    ),
    "stdlib/module": (
        "functions",
        ("Which module of Python has this function?", "Name the Python module to import for this function."),
        lambda s, rng: (f"{s[0]}: {s[3]}", s[1]),
    ),
    "python_docs/title": (
        "modules",
        ("What is this Python module for?", "Give the title of this module's page in Python's documentation."),
        lambda s, rng: (s[0], s[1]),
    ),
    "python_docs/module": (
        "modules",
        ("Which Python module is described by this title?", "Name the Python module with this title."),
        lambda s, rng: (s[1], s[0]),
    ),
    "king_james/continue": (
        "verses",
        ("Continue the verse from the King James Bible.", "How does this verse of the Bible go on?"),
        lambda s, rng: _halves(s[0]),
    ),
    "king_james/missing": (
        "verses",
        ("Which word is missing in this verse?", "Fill the gap in this verse with one word."),
        lambda s, rng: _missing(s[0], rng),
    ),
    "jargon/define": (
        "definitions",
        ("How does The Devil's Dictionary define this word?", "Define this word as The Devil's Dictionary does."),
        lambda s, rng: (f"{s[0]} ({s[1]})", s[2]),
    ),
    "jargon/word": (
        "definitions",
        ("Which word does The Devil's Dictionary define like this?",),
        lambda s, rng: (s[2], s[0]),
    ),
    "jargon/references": (
        "references",
        ("List the terms that this text of the Jargon File puts in braces.", "Which terms stand in braces?"),
        lambda s, rng: (s[0], ", ".join(re.findall(r"\{(.*?)\}", s[0]))),
    ),
    "simple_english/opposite": (
        "opposites",
        ("What is the opposite of this word?", "Give a word that means the opposite."),
        lambda s, rng: _opposite(s, rng),
    ),
    "simple_english/category": (
        "members",
        ("What kind of thing is this?", "Name the category of this word."),
        lambda s, rng: (s[0], _category(*s)),
    ),
    "simple_english/reasoning": (
        "races",
        ("Answer the question.", "Read the sentences and answer with one name."),
        lambda s, rng: _race(*s, rng),
    ),
    "text/uppercase": (
        "sentences",
        ("Write the sentence in capital letters.", "Turn this into upper case."),
        lambda s, rng: (s[0], s[0].upper()),
    ),
    "text/count_words": (
        "sentences",
        ("How many words does this sentence have?", "Count the words."),
        lambda s, rng: (s[0], str(len(s[0].split()))),
    ),
    "text/reverse": (
        "lists",
        ("Write the list in reverse order.", "Turn the order of these words around."),
        lambda s, rng: (", ".join(s), ", ".join(reversed(s))),
    ),
    "text/sort": (
        "lists",
        ("Sort the words by the alphabet.", "Put these words into alphabetical order."),
        lambda s, rng: (", ".join(s), ", ".join(sorted(s))),
    ),
    "text/number": (
        "events",
        ("Which number occurs in the sentence?", "Extract the number."),
        lambda s, rng: (s[0], re.search(r"\d+", s[0])[0]),
    ),
}


def build(n_train: int = 600, n_held_out: int = 100, seed: int = 0) -> dict[str, list[dict]]:
    """{"train": records, "held_out": records}, every kind about equally often, in random order.

    A record is {"instruction", "input", "output", "domain", "kind"}, all str; the domain is the kind's first half.
    A source serves once in all, and no input twice for a kind. The same arguments and texts give the same records.
    Raises ValueError if the texts yield too few tasks.
    """
    rng = random.Random(seed)
    left = {name: rng.sample(sources, len(sources)) for name, sources in pools().items()}
    taken = set()
    return {split: _draw(n, left, taken, rng) for split, n in (("held_out", n_held_out), ("train", n_train))}


def _draw(n, left, taken, rng):
    kinds, records = rng.sample(list(KINDS), len(KINDS)), []
    while len(records) < n:
        kind = kinds[len(records) % len(kinds)]
        pool, ways, task = KINDS[kind]
        if not left[pool]:
            raise ValueError(f"the texts yield only {len(records)} tasks of {n}: there are no more {pool} for {kind}")
        asked, answer = task(left[pool].pop(), rng)
        if (kind, asked) in taken:
            continue  # two verses may begin alike, and then go on in two ways
        taken.add((kind, asked))
        facts = {"domain": kind.split("/")[0], "kind": kind}
        records.append({"instruction": rng.choice(ways), "input": asked, "output": answer, **facts})
    return rng.sample(records, n)


def load(split: str):
    """The shipped tasks as a `datasets.Dataset` with columns instruction, input, output, domain and kind.

    `split` is "train" (600) or "held_out" (100). Nothing is written to disk. Raises AssetError for a missing or altered
    file, ValueError for another split or a record of another shape.
    """
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}: take one of {', '.join(SPLITS)}")
    return jsonl.read(assets.path(f"instructions/{split}.jsonl"), check)


def check(record: dict) -> None:
    """Raises ValueError unless `record` has instruction, input and output as text; only the input may be empty."""
    for key in ("instruction", "input", "output"):
        if not isinstance(record.get(key), str):
            raise ValueError(f'a task needs "{key}", a string')
        if key != "input" and not record[key].strip():
            raise ValueError(f'the "{key}" of this task is empty')


def to_messages(record: dict) -> dict:
    """The conversation {"messages": [user, assistant]} of a task: the instruction, a blank line and the input ask for
    the output. Without an input the instruction stands alone. Raises ValueError for a record of another shape.
    """
    check(record)
    asked = "\n\n".join(part for part in (record["instruction"], record["input"]) if part.strip())
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": record["output"]}]}


def write(folder=None) -> None:
    """Writes train.jsonl and held_out.jsonl into `folder` (default: the shipped assets'), the same bytes each time."""
    folder = Path(folder or assets.root() / "instructions")
    for split, records in build().items():
        jsonl.write(folder / f"{split}.jsonl", records)


if __name__ == "__main__":
    try:
        write()
    except assets.AssetError as error:
        raise SystemExit(f"{error} Or run `python assets/build_corpus.py` first.") from None
    print(f"instructions: 600 and 100 tasks of {len(KINDS)} kinds. Now run: python -m course.lab.assets")
