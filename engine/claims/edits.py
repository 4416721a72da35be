"""A claim with one word exchanged for another of its class: what a checker must tell apart from the claim to be believed.

Classes are colours, labels of tracked things (and shapes among each other), directions and numbers; a claim without such a
word has no edit.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ...schemas.ids import seeded_fraction
from .nouns import COLOURS, NUMBERS, SHAPES, colour, singular

_DIRECTIONS = (("left", "right"), ("up", "down"), ("in", "out"), ("above", "below"), ("before", "after"),
               ("clockwise", "counterclockwise"))  # fmt: skip
_PLAIN_COLOURS = sorted(COLOURS - {"violet", "gray", "turquoise", "golden", "silver"})
_WORD = re.compile(r"[A-Za-z]+")


def edits_of(claim: str, labels: Collection[str] = ()) -> tuple[str, ...]:
    """Edits of a claim, in an order that depends on its text only. Quoted words are left alone."""
    found: list[str] = []
    quoted = [match.span() for match in re.finditer(r"“[^”]*”|\"[^\"]*\"", claim)]
    for match in _WORD.finditer(claim):
        if any(a <= match.start() < b for a, b in quoted):
            continue
        for other in _others(match[0].lower(), labels):
            found.append(_with_article(claim[: match.start()], other) + claim[match.end() :])
    return tuple(sorted(found, key=lambda text: (seeded_fraction("edit of a claim", claim, text), text)))


def _others(word: str, labels: Collection[str]) -> list[str]:
    if word in COLOURS:
        return [c for c in _PLAIN_COLOURS if c != colour(word)]
    one = singular(word)
    for group in (SHAPES, frozenset(labels) - SHAPES):
        if one in group:
            plural = "s" if one != word else ""
            return [other + plural for other in sorted(group) if other != one]
    if word in NUMBERS[2:]:
        return [n for n in NUMBERS[2:] if n != word]
    return [b if word == a else a for a, b in _DIRECTIONS if word in (a, b)]


def _with_article(before: str, word: str) -> str:
    """The text up to a word with that word, its article fitting."""
    return re.sub(r"\b(a|A)n?( )$", rf"\1{'n' if word[0] in 'aeiou' else ''}\2", before) + word
