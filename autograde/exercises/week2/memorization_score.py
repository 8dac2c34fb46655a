"""week2.memorization_score: how much of what a model writes it knows by heart."""

import difflib
import math
from collections import Counter

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

_WORDS = "my card was lost on the way home and now I need a new one before the weekend please help me today".split()
_BYTES = ("def f(x):", "    return x", "for k in range(9):", "    x += k", "import math", "x = 2 ** k", "pass")


def _shuffled(rng, items):
    return [items[k] for k in torch.randperm(len(items), generator=rng).tolist()]


def _texts(rng, n):
    """`n` different texts of six or seven words, each with a capital and a full stop."""
    return [f"Note {k}: {' '.join(_shuffled(rng, _WORDS)[: integer(rng, 6, 7)])}." for k in _shuffled(rng, range(n))]


def _memorization_cases(rng):
    def case(name, copies, others, training, **options):
        """`copies` are exact, `others` are not; in any order."""
        generated = _shuffled(rng, [*copies, *others])
        return Case(name, {"generated": generated, "training_texts": _shuffled(rng, training)}, **options)

    texts, strange = _texts(rng, 12), _texts(rng, 30)[15:]
    copies = texts[: integer(rng, 2, 4)]
    yield case("some copies, some new texts", copies, strange[: integer(rng, 3, 5)], texts)
    yield case("more training texts than generated ones", texts[:2], strange[:1], texts)
    yield case("more generated texts than training ones", texts[:2], strange[: integer(rng, 5, 7)], texts[:3])
    parts = [t.split(": ")[1] for t in texts[3:6]]
    yield case("parts of training texts", texts[:3], parts, texts)
    yield case("beginnings of training texts", texts[:2], [t[: integer(rng, 12, 20)] for t in texts[4:7]], texts)
    longer = [f"{t} Thank you." for t in texts[4:6]] + [f"Hello. {texts[6]}"]
    yield case("training texts with something added", texts[:2], longer, texts)
    loud = [texts[5].upper(), texts[6].lower(), texts[7].replace("Note", "note")]
    yield case("other capitals", texts[:2], loud, texts)
    spaced = [f"{texts[5]}\n", f" {texts[6]}", texts[7].replace(" ", "  ", 1), f"{texts[8]} "]
    yield case("other spaces", texts[:3], spaced, texts)
    lines = ["\n".join(_shuffled(rng, _BYTES)[:4]) for _ in range(9)]
    yield case("other indents", lines[:3], [x.replace("    ", "\t") + "\n" for x in lines[4:6]], lines)
    near = [t[:-1] for t in texts[5:7]] + [texts[7].replace(": ", "; ")]
    yield case("one character off", texts[:2], near, texts)
    again = [texts[0]] * integer(rng, 2, 3)
    yield case("the same copy several times", [*again, texts[1]], [strange[0], strange[1]], texts)
    yield case("the same new text several times", texts[:2], [strange[2]] * integer(rng, 2, 3), texts)
    yield case(
        "a training text that stands there twice", texts[:2], strange[:3], [*texts, texts[0], texts[0], texts[1]]
    )
    yield case("an empty text", texts[:2], ["", strange[4]], texts)
    yield case("an empty text that was trained on", [texts[0], ""], strange[:3], [*texts, ""])
    yield case("nothing but copies", texts[:5], [], texts, edge=True)
    yield case("no copy", [], strange[:4], texts, edge=True)
    yield case("nothing to copy from", [], strange[:3], [], edge=True)
    yield case("nothing was generated", [], [], texts, edge=True)


def _share(inputs):
    copies, known = Counter(inputs["generated"]), Counter(inputs["training_texts"]).keys()
    return sum(copies[text] for text in known) / copies.total() if copies else math.nan


def _share_where(is_copy):
    """The share of generated texts that `is_copy(text, training_texts)` takes for copies."""

    def memorization_score(generated, training_texts):
        if not generated:
            return math.nan
        return sum(bool(is_copy(text, training_texts)) for text in generated) / len(generated)

    return memorization_score


def _after(change):
    """Both sides are compared after `change`."""
    return _share_where(lambda text, training: change(text) in {change(one) for one in training})


def _hits(generated, training_texts):
    return sum(text in training_texts for text in generated)


def _over(count):
    """Divided by `count(generated, training_texts)`."""

    def memorization_score(generated, training_texts):
        if not generated:
            return math.nan
        return _hits(generated, training_texts) / max(1, count(generated, training_texts))

    return memorization_score


def _distinct(generated, training_texts):
    found = set(generated)
    return len(found & set(training_texts)) / len(found) if found else math.nan


def _distinct_copies(generated, training_texts):
    return len(set(generated) & set(training_texts)) / len(generated) if generated else math.nan


def _counted_as_often_as_trained_on(generated, training_texts):
    return sum(training_texts.count(t) for t in generated) / len(generated) if generated else math.nan


def _by_position(generated, training_texts):
    pairs = zip(generated, training_texts, strict=False)
    return sum(a == b for a, b in pairs) / len(generated) if generated else math.nan


def _share_of_new_texts(generated, training_texts):
    return 1 - _hits(generated, training_texts) / len(generated) if generated else math.nan


def _nearly(text, training):
    return any(difflib.SequenceMatcher(None, text, one).ratio() > 0.9 for one in training)


def _zero_for_nothing(generated, training_texts):
    return _hits(generated, training_texts) / max(1, len(generated))


def _learnt_share(generated, training_texts):
    return sum(t in generated for t in training_texts) / len(training_texts) if training_texts else math.nan


MEMORIZATION_SCORE = Exercise(
    id="week2.memorization_score",
    title="Known by heart",
    points=1,
    minutes=5,
    why="A model that copies its training texts looks brilliant until somebody counts the copies.",
    oracle="the definition, counted by collections.Counter",
    cases=_memorization_cases,
    expected=_share,
    misconceptions=(
        *(
            Misconception(
                "a part counts as a copy",
                _share_where(is_copy),
                "You also count a text that is only a part of a training text: every model that writes 'the' would "
                "then have learnt something by heart. Which two things have to be equal?",
            )
            for is_copy in (
                lambda text, training: any(text in one for one in training),
                lambda text, training: text in "\n".join(training),
                lambda text, training: any(one.startswith(text) for one in training),
            )
        ),
        Misconception(
            "a copy with something added",
            _share_where(lambda text, training: any(one in text for one in training)),
            "You also count a text in which a training text stands beside other words. A match is the whole text, from "
            "its first character to its last.",
        ),
        Misconception(
            "capitals ignored",
            _after(str.lower),
            "Your score takes 'note' for 'Note'. An exact copy has the same capitals.",
        ),
        *(
            Misconception(
                "spaces ignored",
                _after(change),
                "You tidy spaces or line ends before you compare. In code an indent is half of the meaning; an exact "
                "copy has the same ones.",
            )
            for change in (str.strip, lambda text: " ".join(text.split()), lambda text: "".join(text.split()))
        ),
        Misconception(
            "nearly a copy",
            _share_where(_nearly),
            "You count texts that are almost the same. How near is near? This score needs no such number: it counts "
            "exact copies.",
        ),
        Misconception(
            "divided by the training texts",
            _over(lambda generated, training: len(training)),
            "Your score is {got} instead of {expected}. You divide by the number of training texts: then the score "
            "falls when more training texts are added, though the model writes the same. The share of what is asked "
            "for?",
        ),
        Misconception(
            "share of the training texts",
            _learnt_share,
            "You measure which share of the training texts was written. That depends on how much you let the model "
            "write. Look from the other side: which share of what was written is a copy?",
        ),
        *(
            Misconception(
                "every text counted once",
                answer,
                "A text that was written twice is dropped by a set. The docstring says how often it counts.",
            )
            for answer in (_distinct, _distinct_copies)
        ),
        Misconception(
            "counted as often as it was trained on",
            _counted_as_often_as_trained_on,
            "One generated text counts several times where the training texts hold it several times: such a score can "
            "exceed one. A text is a copy, or it is not.",
        ),
        Misconception(
            "compared by position",
            _by_position,
            "You compare the first with the first, the second with the second. A model may repeat any of its training "
            "texts.",
        ),
        Misconception(
            "share of the new texts",
            _share_of_new_texts,
            "{got} is the share of texts that are new. Which share was asked for?",
        ),
        Misconception(
            "a percentage",
            lambda generated, training_texts: 100 * _over(lambda g, t: len(g))(generated, training_texts),
            "{got} is a percentage; the docstring asks for a number from 0 to 1.",
        ),
        Misconception(
            "a count",
            _hits,
            "{got} is a number of copies. A share needs one more step.",
        ),
        Misconception(
            "zero for nothing",
            _zero_for_nothing,
            "Where nothing was generated, nothing is known: a zero would look like a model that copies nothing. What "
            "does the docstring ask for?",
        ),
    ),
)
