"""How good answers are, as text."""

from difflib import SequenceMatcher


def exact_match(answers: list[str], targets: list[str]) -> float:
    """The share of answers that equal their target to the letter, spaces at the ends apart."""
    return sum(a.strip() == t.strip() for a, t in zip(answers, targets, strict=True)) / len(targets)


def closeness(answer: str, target: str) -> float:
    """How much of two texts agrees, 0 to 1: twice the matching characters over all of both (Ratcliff and Obershelp
    1988, as in difflib).
    """
    return SequenceMatcher(None, answer.strip(), target.strip(), autojunk=False).ratio()
