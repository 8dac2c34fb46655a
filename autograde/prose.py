"""A lesson's words in the build: figures filled in, hand-typed measurements refused, exercise headers written."""

import json
import re
from pathlib import Path

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][\w-]*)\.([\w.-]+)\s*\}\}")

_SECOND = r"(?:s|secs?|seconds?|min|minutes?|h|hours?)"
_UNITS = "|".join(
    [
        r"[nµμu]s|ms|s|secs?|(?:milli|micro|nano)?seconds?|mins?|minutes?|h|hrs?|hours?",
        r"[kKMGT]i?B|[kKMGT]i?bit|(?:kilo|mega|giga|tera)bytes?",
        rf"(?:tokens?|tok|steps?|frames?|examples?|samples?|iterations?|it|batches)\s*(?:/|per\s+)\s*{_SECOND}",
        r"[KMGTP]?FLOPS|[KMGTP]?FLOPs?/s",
        r"nats?|bits?\s*(?:/|per\s+)\s*(?:bytes?|tokens?|char\w*)",
        r"(?:times|[x×])\s+(?:faster|slower)",
    ]
)
_NUMBER = r"(?<![\w.])\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?"
_SAYS = r"(?:of|is|was|at|to|near|about|around|from|under|below|above|over|equals|roughly|only|exactly|reaches)"
_BY_HAND = re.compile(
    rf"(?!(?:1[89]|20)\d\ds\b){_NUMBER}[kM]?[\s\u00a0\u202f$×-]{{0,2}}(?:{_UNITS})(?!\w)"  # not the 1990s
    rf"|\b(?:perplexity|loss)(?:\s+{_SAYS})*\s*[=≈~$]*\s*(?!0(?![.\d])){_NUMBER}"  # a loss of 0 is an idea
)
_NOT_PROSE = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`\n]+`"  # code
    r"|\]\([^)\n]*\)|https?://[^\s)>]+"  # addresses
    r"|<!--.*?-->|</?[A-Za-z][^>]*>"  # html
    r"|\{\{.*?\}\}",
    re.DOTALL,
)


class UnknownFigure(LookupError):
    """No recording holds this figure."""

    def __str__(self):
        return self.args[0]


def by_hand(text: str) -> list[tuple[int, str]]:
    """Measurements typed into prose, as (line from 0, words): a digit with a unit of time, memory, speed or loss."""
    prose = _NOT_PROSE.sub(lambda match: re.sub(r"[^\n]", "█", match[0]), text)
    return [(prose.count("\n", 0, m.start()), " ".join(m[0].split())) for m in _BY_HAND.finditer(prose)]


def recordings(folder: Path) -> dict[str, dict]:
    """The recorded runs of a folder by name, the header of each: {"hardware", "date", "versions", "figures", ...}."""
    headers = {}
    for path in sorted(Path(folder).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:  # as course.lab.recordings writes them, but found without torch
            headers[path.stem] = json.loads(lines.readline())
    return headers


def fill(text: str, recorded: dict[str, dict]) -> str:
    """`{{ recording.key }}` replaced by its figure, and a line below saying where the figures were measured.

    Raises UnknownFigure where the recording or the key does not exist.
    """
    used = []

    def figure(match):
        name, key = match.groups()
        if name not in recorded:
            known = ", ".join(recorded) or "none"
            raise UnknownFigure(f"{match[0]}: there is no assets/recordings/{name}.jsonl (there is: {known})")
        figures = recorded[name].get("figures", {})
        if key not in figures:
            known = ", ".join(figures) or "no figure"
            raise UnknownFigure(f"{match[0]}: assets/recordings/{name}.jsonl has no figure {key!r} (it has {known})")
        if name not in used:
            used.append(name)
        return str(figures[key])

    filled = _PLACEHOLDER.sub(figure, text)
    return "\n".join([filled, *(f"\n<small>{_measured(recorded[name])}</small>" for name in used)])


def _measured(recording):
    versions = recording.get("versions", "")
    if isinstance(versions, dict):
        versions = ", ".join(f"{name} {version}" for name, version in versions.items())
    facts = [recording.get("hardware", "an unnamed machine"), recording.get("date", ""), versions]
    return "Measured on " + ", ".join(str(fact) for fact in facts if fact) + "."


def header(exercise) -> str:
    """The lines that open an exercise, from its specification alone."""
    points = f"{exercise.points:g} point" + ("" if exercise.points == 1 else "s")
    facts = [f"**Exercise** `{exercise.id}`", points, f"about {exercise.minutes:g} minutes"]
    line = "> " + " · ".join(facts) + f" · checked against {exercise.oracle}"
    return line + (f"\n>\n> *Why:* {exercise.why}" if exercise.why else "")
