"""What the instruction set's tasks are made of: pools of short sources, drawn from the base model's own text.

A source is a tuple of strings whose first one is its key; no two of a pool share a key.
"""

import ast
import functools
import random
import re

from course.lab import corpus, text

_UNFIT = re.compile(  # not for a classroom, whatever the date of the text
    r"(?i)\b(sex\w*|genital\w*|vagin\w*|penis|breasts?|whore\w*|harlot\w*|fornicat\w*|bastards?|slaves?|negr\w*|jews?|"
    r"jewish|hebrews?|black|indians?|savages?|aborigin\w*|africa\w*|wom[ae]n|females?|wives|virgins?|girls?|suicide|"
    r"murder\w*|rap(e|es|ed|ist)|drugs?|cocaine|heroin|fat|ugly|circumcis\w*|concubine\w*|dung|piss\w*|excrement\w*|"
    r"urin\w*|feces|anus|anal|rectum|prostitut\w*|homosexual\w*|obscene|offensive\w*|idiots?|indecent\w*|corsets?|assassin\w*|cripple\w*|insane|race)\b"
)
OPPOSITES = """hot cold|big small|old young|fast slow|high low|early late|open closed|full empty|rich poor|happy sad
strong weak|light dark|wet dry|clean dirty|near far|hard soft|loud quiet|thick thin|true false|left right|first last
long short|wide narrow|heavy light|deep shallow|sweet sour|cheap dear|brave afraid|day night|up down|inside outside
push pull|buy sell|win lose|begin end|give take|come go|laugh cry|remember forget|love hate|ask answer|rise fall
above below|before after|always never|many few|sharp blunt|smooth rough|kind cruel|awake asleep"""
CATEGORIES = """animal: dog horse cow sheep lion rabbit goat bear|bird: robin eagle owl swan crow parrot
fruit: apple pear cherry lemon grape plum|tool: hammer saw spade drill axe|tree: oak pine elm birch willow
fish: trout salmon herring shark cod|drink: tea milk coffee water juice|colour: red green blue yellow purple
instrument: violin flute drum trumpet piano|garment: shirt coat skirt glove sock"""
PEOPLE = "Anna Ben Clara David Emma Frank Grace Henry Julia Karl Laura Martin Nora Oscar Paula Robert Sarah Tom".split()
MEASURES = ("taller tallest", "older oldest", "faster fastest", "stronger strongest", "richer richest")
THINGS = "apples letters books eggs chairs stones coins tickets flowers bottles pencils loaves".split()
EVENTS = (
    "{0} bought {1} {2} at the market.",
    "There were {1} {2} on the table when {0} came home.",
    "{0} counted {1} {2} in the box.",
    "On Monday {0} sold {1} {2} to a neighbour.",
    "It took {0} an hour to carry all {1} {2}.",
)


@functools.cache
def pools() -> dict[str, list[tuple]]:
    """{pool: its sources}, always in the same order. Raises AssetError where a text is missing or altered."""
    entries = _entries()
    found = {
        "entries": entries,
        "functions": _functions(),
        "modules": _modules(),
        "verses": [(one,) for one in _unique(_verses())],
        "definitions": _definitions(),
        "references": _references(),
        "sentences": _sentences(),
        **from_tables(sorted({source[0] for source in entries})),
    }
    return {name: _by_key(sources) for name, sources in found.items()}


def from_tables(words: list[str]) -> dict[str, list[tuple]]:
    """The pools that take no text of the corpus but `words` to make lists of."""
    rng = random.Random(0)
    members = [line.split(": ") for line in re.split(r"[|\n]", CATEGORIES)]
    return {
        "opposites": [tuple(pair.split()) for pair in re.split(r"[|\n]", OPPOSITES)],
        "members": [(member, category) for category, some in members for member in some.split()],
        "lists": [tuple(rng.sample(words, rng.randint(3, 6))) for _ in range(300)],
        "races": [(*rng.sample(PEOPLE, 3), rng.choice(MEASURES)) for _ in range(300)],
        "events": [
            (rng.choice(EVENTS).format(rng.choice(PEOPLE), rng.randint(3, 99), rng.choice(THINGS)),) for _ in range(300)
        ],
    }


def _by_key(sources):
    return list({source[0] if len(source) < 3 else " ".join(source): source for source in sources}.values())


def _unique(texts):
    """`texts` without those that are unfit, in their order, each once."""
    return [one for one in dict.fromkeys(texts) if not _UNFIT.search(one)]


def _glosses():
    """(word, part of speech, definition, examples) of WordNet's entries, one line of a document each."""
    for document in corpus.documents("wordnet", "train"):
        for line in document.split("\n"):
            if entry := re.fullmatch(r"([a-z]{4,}) \((noun|verb|adjective|adverb)\): ([^.;()`]{20,110})\.( .*)?", line):
                yield *entry.groups()[:3], (entry[4] or "").strip()


def _entries():
    """(word, part of speech, definition): everyday words with one meaning, the most frequent ones first."""
    every = list(_glosses())
    counts, meanings = {}, {}
    for word, _, definition, _ in every:
        meanings[word] = meanings.get(word, 0) + 1
        for used in definition.split():
            counts[used] = counts.get(used, 0) + 1
    single = [source[:3] for source in every if meanings[source[0]] == 1 and not _UNFIT.search(" ".join(source[:3]))]
    single = [source for source in single if source[0] not in source[2]]
    return sorted(single, key=lambda source: (-counts.get(source[0], 0), source))[:400]


def _sentences():
    """(sentence,) of 5 to 9 words, from WordNet's examples."""
    opening = r"\b(?:The|He|She|They|We|It|His|Her|This|These|My|Our|Their|I)"  # else it is often a mere phrase
    examples = [one for *_, shown in _glosses() for one in re.findall(rf"{opening}(?: [a-z]+){{4,8}}\.", shown)]
    return [(one,) for one in _unique(sorted(examples))]


def _verses():
    """Sentences of the King James Bible, 60 to 150 characters long."""
    for document in corpus.documents("king_james", "train"):
        yield from (one for one in re.split(r"(?<=[.?!]) +(?=[A-Z])", document) if 60 <= len(one) <= 150)


def _functions():
    """(name, module, signature, first line of the docstring) of public functions of the standard library."""
    found = {}
    for file, source in text.files()[0].items():
        module = file.removeprefix("Lib/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        if re.match(r"_|distutils|lib2to3|ntpath|posixpath|genericpath|nturl2path|.*\._", module):
            continue  # private, gone from newer Pythons, or known by another name
        for node in ast.parse(source).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or not node.args.args:
                continue
            says = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            signature = f"{module}.{node.name}({ast.unparse(node.args)})"
            if says.endswith(".") and 20 <= len(says) <= 150 and len(signature) <= 80:
                found.setdefault(node.name, []).append((node.name, module, signature, says))
    return [sources[0] for _, sources in sorted(found.items()) if len(sources) == 1]  # a name in two modules is no task


def _modules():
    """(module, its title in the documentation), where no other module has the same one."""
    found = {}
    for document in corpus.documents("python_docs", "train"):
        if title := re.search(r"^([a-z][a-z_.0-9]+) --- ([^\n]{10,80})\n[=*]+", document, re.M):
            found.setdefault(title[2].strip(), []).append(title[1])
    return [(modules[0], title) for title, modules in found.items() if len(modules) == 1]


def _paragraphs():
    for document in corpus.documents("jargon", "train"):
        yield from document.split("\n\n")


def _definitions():
    """(term, part of speech, first sentence) of The Devil's Dictionary."""
    parts = {"n": "noun", "v.t": "verb", "v.i": "verb", "adj": "adjective"}
    for paragraph in _paragraphs():
        entry = re.match(r"([A-Z]{4,}), (n|v\.t|v\.i|adj)\. ([A-Z][^._\[\]]{15,120}\.)(?: |$)", paragraph)
        if entry and not _UNFIT.search(entry[0]):
            yield entry[1].lower(), parts[entry[2]], entry[3]


def _references():
    """(sentence with {terms} in braces,) of the Jargon File."""
    sentences = (one for part in _paragraphs() for one in re.split(r"(?<=[.?!]) +(?=[A-Z])", part))
    fits = re.compile(r"[A-Z][^{}]*(\{[\w -]+\}[^{}]*)+\.")
    found = _unique(one for one in sentences if 40 <= len(one) <= 150 and fits.fullmatch(one))
    return [(one,) for one in found if not one.startswith(("See", "Compare", "Contrast", "Opposite"))]
