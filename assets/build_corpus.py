"""Rebuilds assets/corpus/: the base model's text, one xz file a domain, each with the notice of its licence.

    python assets/build_corpus.py            # needs Debian's apt-get and dpkg-deb; then: python -m course.lab.assets

A file holds {"source": ..., "licence": ..., "train": [document, ...], "held_out": [...]}; a document is one string,
ASCII for the most part, at least 40 characters. A fiftieth of the documents is held out, drawn by hash, so that it
does not depend on their order; of WordNet a fiftieth of the *words*, with all their meanings. Half of WordNet is
asked and answered in the form of the base model's chat template, one question a document. The base model's sixth
domain, the standard library's source, is already packed by build_stdlib_corpus.py.
"""

import argparse
import gzip
import hashlib
import json
import lzma
import random
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import simple_english

HERE = Path(__file__).parent
OUT = HERE / "corpus"
UNPACKED = HERE.parent / ".cache" / "packages"
PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--", "–": "-", "…": "...", "\xa0": " "})
PACKAGES = ["python3.11-doc", "wordnet-base", "bible-kjv", "bible-kjv-text", "jargon-text", "dict-devil"]


def fetch():
    """Downloads Debian's packages and unpacks each into a folder of its own; returns {package: version}."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    versions = {}
    for package in PACKAGES:
        if not list(UNPACKED.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=UNPACKED, check=True, capture_output=True)
        archive = next(UNPACKED.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, UNPACKED / package], check=True)
        versions[package] = archive.name.split("_")[1].replace("%3a", ":")
    return versions


def notice(package):
    """What the Debian package says of its text's licence."""
    return (UNPACKED / package / "usr/share/doc" / package / "copyright").read_text(encoding="utf-8")


def tidy(text):
    """Straight quotes, plain dashes; no trailing blanks, no runs of empty lines."""
    text = text.translate(PLAIN)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def python_docs():
    """The reStructuredText of Python's documentation, its markup mostly taken off."""
    root = UNPACKED / "python3.11-doc/usr/share/doc/python3.11/html/_sources"
    hidden = "index|testsetup|testcleanup|toctree|sectionauthor|moduleauthor|highlight|only|contents|module"
    documents = []
    for path in sorted(root.rglob("*.rst.txt")):
        if path.name.startswith(("changelog", "license", "index", "contents", "copyright")):
            continue
        text = path.read_text(encoding="utf-8")
        text = re.sub(r":[\w:+-]+:`[~!]?([^`<]*?)(?:\s*<[^`]*>)?`", r"\1", text)  # roles: the text they show
        text = re.sub(r"``([^`]*)``", r"\1", text)
        text = re.sub(r"`([^`<]*?)\s*<[^`>]*>`_+", r"\1", text)  # links: likewise
        text = re.sub(r"^\.\. _[^\n]*\n", "", text, flags=re.M)  # link targets
        text = re.sub(rf"^\.\. ({hidden})::[^\n]*\n((?:[ \t]+[^\n]*\n|\n(?=[ \t]))*)", "", text, flags=re.M)
        text = re.sub(r"^\.\. (\w+):: ?", "", text, flags=re.M)
        text = re.sub(r"\*\*?([^*\n]+)\*\*?", r"\1", text)
        documents.append(text)
    return documents


def dictionary():
    """WordNet as {word: [(part of speech, definition, examples)]}, without names of people, places and taxa."""
    entries = defaultdict(list)
    for part in ("noun", "verb", "adj", "adv"):
        file = UNPACKED / "wordnet-base/usr/share/wordnet" / f"data.{part}"
        for line in file.read_text(encoding="latin1").splitlines():
            if line.startswith("  "):
                continue  # the licence at the file's head
            word = re.sub(r"\(.*\)", "", line.split()[4].replace("_", " "))
            if word[0].isupper():
                continue
            gloss = line.split("| ", 1)[1].strip()
            definition, *examples = re.split(r';\s*"', gloss)
            examples = [example.strip(' ";') for example in examples]
            examples = [x[0].upper() + x[1:] + ("" if x[-1] in ".?!" else ".") for x in examples if len(x.split()) > 3]
            name = {"adj": "adjective", "adv": "adverb"}.get(part, part)
            entries[word].append((name, definition.strip(" ;"), examples[:2]))
    return entries


def asked(rng, word, part, definition, examples):
    """One entry as a question and its answer."""
    capital = definition[0].upper() + definition[1:] + "."
    article = "an" if part.startswith("a") else "a"
    ways = [
        (f'What does "{word}" mean?', capital),
        (f'What does the {part} "{word}" mean?', capital),
        (f'What is the meaning of "{word}"?', capital),
        (f'Define the word "{word}".', capital),
        (f'Can you explain the word "{word}"?', capital),
        (f"Which {part} means: {definition}?", word[0].upper() + word[1:] + "."),
        (f'Is "{word}" a noun, a verb, an adjective or an adverb?', f'"{word}" is used as {article} {part}.'),
    ]
    weights = [5, 3, 3, 3, 3, 2, 1]
    if examples:
        ways.append((f'Use the word "{word}" in a sentence.', examples[0]))
        weights.append(5)
    question, answer = rng.choices(ways, weights)[0]
    return f"Question: {question}\nAnswer: {answer}"


def wordnet(words, seed):
    """Half of the words as dictionary entries, twelve a document; half as questions, one a document."""
    rng = random.Random(seed)
    entries, lines, documents = dictionary(), [], []
    for word in rng.sample(sorted(words), len(words)):
        as_question = rng.random() < 0.5
        for part, definition, examples in entries[word]:
            if as_question:
                documents.append(asked(rng, word, part, definition, examples))
            else:
                lines.append(" ".join([f"{word} ({part}): {definition}.", *examples]))
    documents += ["\n".join(lines[i : i + 12]) for i in range(0, len(lines), 12)]
    return documents


def king_james():
    """The King James Bible, a chapter a document, without its verse numbers."""
    program = UNPACKED / "bible-kjv/usr/bin/bible"
    done = subprocess.run(
        [program, "-f"],
        input="Gen1:1-Rev22:21\n",
        capture_output=True,
        text=True,
        errors="ignore",
        cwd=UNPACKED / "bible-kjv-text/usr/lib",
    )
    chapters = defaultdict(list)
    for line in done.stdout.splitlines():
        verse = re.match(r"^([1-3]?[A-Za-z]+)(\d+):(\d+) (.*)$", line)
        if verse:
            chapters[verse[1], verse[2]].append(verse[4].strip())
    return [" ".join(verses) for verses in chapters.values()]


def paragraphs(compressed, per_document=8):
    """A gzipped text, its paragraphs on one line each, a few to a document."""
    text = gzip.open(compressed, "rt", encoding="utf-8", errors="replace").read()
    kept = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    kept = [part for part in kept if len(part) > 60]
    return ["\n\n".join(kept[i : i + per_document]) for i in range(0, len(kept), per_document)]


def held_out(key):
    """True for a fixed fiftieth of all keys."""
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % 50 == 0


def split(documents):
    """{"train", "held_out"} of the documents worth keeping."""
    documents = [text for text in map(tidy, documents) if len(text) >= 40]
    return {
        "train": [text for text in documents if not held_out(text)],
        "held_out": [text for text in documents if held_out(text)],
    }


def build(english_megabytes):
    """Writes assets/corpus/*.json.xz and LICENCES.txt; prints the size of each."""
    versions = fetch()
    words = dictionary()
    domains = {
        "python_docs": (f"Debian python3.11-doc {versions['python3.11-doc']}", "PSF-2.0", split(python_docs())),
        "wordnet": (
            f"Debian wordnet-base {versions['wordnet-base']}, Princeton WordNet 3.0",
            "WordNet-3.0",
            {
                "train": wordnet([word for word in words if not held_out(word)], seed=0),
                "held_out": wordnet([word for word in words if held_out(word)], seed=1),
            },
        ),
        "king_james": (
            f"Debian bible-kjv-text {versions['bible-kjv-text']}",
            "public domain",
            split(king_james()),
        ),
        "jargon": (
            f"Debian jargon-text {versions['jargon-text']} (the Jargon File 4.4.7) and "
            f"dict-devil {versions['dict-devil']} (Bierce, The Devil's Dictionary, 1911)",
            "public domain",
            split(
                paragraphs(UNPACKED / "jargon-text/usr/share/doc/jargon-text/jargon.txt.gz")
                + paragraphs(UNPACKED / "dict-devil/usr/share/dictd/devil.dict.dz")
            ),
        ),
        "simple_english": (
            f"generated by simple_english.py, seed 0, {english_megabytes} MB",
            "Apache-2.0",
            split(simple_english.documents(0, english_megabytes)),
        ),
    }
    OUT.mkdir(exist_ok=True)
    for name, (source, licence, parts) in domains.items():
        if not parts["train"] or not parts["held_out"]:
            sys.exit(f"{name}: nothing was read from {source}; is the package another version?")
        text = json.dumps({"source": source, "licence": licence, **parts}, ensure_ascii=True)
        packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
        (OUT / f"{name}.json.xz").write_bytes(packed)
        size = sum(len(document.encode()) for part in parts.values() for document in part)
        print(
            f"{name:16}{len(parts['train']):>8,} + {len(parts['held_out']):>6,} documents"
            f"{size / 1e6:8.2f} MB, packed {len(packed) / 1e6:6.2f} MB"
        )
    notices = [f"{'=' * 8} {package}\n\n{notice(package)}" for package in PACKAGES if package != "bible-kjv"]
    (OUT / "LICENCES.txt").write_text("\n\n".join(notices), encoding="utf-8")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--english-megabytes", type=float, default=4.0)
    build(arguments.parse_args().english_megabytes)
