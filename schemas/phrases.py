"""Extended phrases of time and place in a sentence, and the dates, times, lengths, places, people and bodies inside them.

`find_phrases` runs the grammar (`phrase_patterns.py`) at every word and keeps the longest phrase from the left; context then
decides about words that only look like it: `they march` is no month, `a second man` no duration, `at the end of the day` no
time. Phrases of time and place do not overlap; named entities may lie inside them. English, rules only: what no rule knows
is not found, and a phrase ends where the grammar ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .phrase_patterns import CLOCK, DATE, LENGTH_OF_TIME, NAME, PLACES, TIMES, compiled
from .phrase_words import (
    ABSTRACT,
    AMBIGUOUS_NAMES,
    FIRST_NAMES,
    FUNCTION,
    IDIOMS,
    ORG_ENDS,
    SEASONS,
    TITLES,
)

TIME, PLACE = "TIME_PHRASE", "LOC_PHRASE"
KINDS = (TIME, PLACE, "DATE", "TIME", "DURATION", "PLACE", "PERSON", "ORG")
_WORD = re.compile(r"[\w'’-]+")
_NEXT = re.compile(r"\s+([A-Za-z][\w'’-]*)")
_BEFORE = re.compile(r"([A-Za-z][\w'’-]*)[,;]?\s+$")
_SINGULAR = re.compile(
    r"\b(?:an?|one|this|that|the|last|next|first|every|each)\s+(?:(?:\w+)\s+)?(second|minute|moment|hour)$",
    re.IGNORECASE,
)
_BARE_SEASON = re.compile(rf"(?:{'|'.join(SEASONS)})$", re.IGNORECASE)
_SUBJECTS = {"i", "you", "he", "she", "we", "they", "it", "who", "to", "not", "will", "would", "can", "could", "must", "should", "did", "does", "do", "never", "always", "soldiers", "troops"}  # fmt: skip
_PLAIN = {"at", "in", "on", "by", "to", "from", "of", "for", "over", "through", "about", "around"}


@dataclass(frozen=True, slots=True, order=True)
class Phrase:
    """Characters `first` up to `past` of a text, and what they are."""

    first: int
    past: int
    kind: str
    text: str


def find_phrases(text: str) -> list[Phrase]:
    """Phrases of time and place, in order, none overlapping another."""
    found: list[Phrase] = []
    idioms = [m.span() for m in _idioms().finditer(text)]
    position = 0
    for word in _WORD.finditer(text):
        if word.start() < position:
            continue
        best: Phrase | None = None
        for kind, patterns in ((TIME, _times()), (PLACE, _places())):
            for pattern in patterns:
                match = pattern.match(text, word.start())
                if match is None:
                    continue
                phrase = Phrase(match.start(), match.end(), kind, match[0])
                if (best is None or phrase.past > best.past) and _means_it(text, phrase, idioms):
                    best = phrase
        if best is not None:
            found.append(best)
            position = best.past
    return found


def find_entities(text: str, phrases: Sequence[Phrase] | None = None) -> list[Phrase]:
    """Named entities, in order: dates, clock times and lengths of time that lie strictly inside a phrase of time, names of
    places inside a phrase of place, people and bodies anywhere.
    """
    whole = find_phrases(text) if phrases is None else phrases
    found: list[Phrase] = []
    for phrase in whole:
        for kind, pattern in _inner(phrase.kind):
            for m in pattern.finditer(phrase.text):
                inner = Phrase(phrase.first + m.start(), phrase.first + m.end(), kind, m[0])
                if inner.past - inner.first < phrase.past - phrase.first:
                    found.append(inner)
    for kind, pattern in _names():
        found += [Phrase(m.start(), m.end(), kind, m[0]) for m in pattern.finditer(text)]
    taken: list[Phrase] = []
    extents = {(p.first, p.past) for p in whole}
    for entity in sorted(found, key=lambda e: (e.first, -e.past, KINDS.index(e.kind))):
        if (entity.first, entity.past) not in extents and all(entity.first >= t.past for t in taken):
            taken.append(entity)
    return taken


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Words of a text with their offsets: what tags are given to. Punctuation is no word."""
    return [(m[0], m.start(), m.end()) for m in _WORD.finditer(text)]


def bio(text: str, phrases: Iterable[Phrase]) -> list[str]:
    """A tag for each word of `words_of`: B-TIME, I-TIME, B-LOC, I-LOC or O."""
    names = {TIME: "TIME", PLACE: "LOC"}
    spans = [p for p in phrases if p.kind in names]
    tags: list[str] = []
    inside: Phrase | None = None
    for _, first, past in words_of(text):
        own = next((p for p in spans if p.first <= first and past <= p.past), None)
        tags.append("O" if own is None else ("I-" if own is inside else "B-") + names[own.kind])
        inside = own
    return tags


def from_bio(text: str, tags: Sequence[str]) -> list[Phrase]:
    """The phrases of tags. Raises ValueError for tags that are not legal: an I without its B, or a wrong number."""
    kinds = {"TIME": TIME, "LOC": PLACE}
    found: list[Phrase] = []
    open_from: tuple[int, int, str] | None = None
    words = words_of(text)
    if len(words) != len(tags):
        raise ValueError(f"{len(tags)} tags for {len(words)} words")
    for (_, first, past), tag in zip(words, tags, strict=True):
        mark, _, name = tag.partition("-")
        if mark == "I" and (open_from is None or open_from[2] != kinds.get(name)):
            raise ValueError(f"{tag} continues nothing")
        if mark != "I" and open_from is not None:
            found.append(_phrase(text, open_from))
            open_from = None
        if mark == "B":
            open_from = (first, past, kinds[name])
        elif mark == "I" and open_from is not None:
            open_from = (open_from[0], past, open_from[2])
    if open_from is not None:
        found.append(_phrase(text, open_from))
    return found


def _phrase(text: str, place: tuple[int, int, str]) -> Phrase:
    first, past, kind = place
    return Phrase(first, past, kind, text[first:past])


def _means_it(text: str, phrase: Phrase, idioms: Sequence[tuple[int, int]]) -> bool:
    """Whether a match is what it looks like, by what stands in it and around it."""
    if any(first < phrase.past and phrase.first < past for first, past in idioms):
        return False
    following = _NEXT.match(text, phrase.past)
    after = following[1].lower() if following else ""
    preceding = _BEFORE.search(text, 0, phrase.first)
    before = preceding[1].lower() if preceding else ""
    said = phrase.text.lower()
    noun_follows = bool(after) and after not in FUNCTION and after not in {"later", "ago"} and not after.endswith("ly")
    if phrase.kind == TIME:
        if _SINGULAR.search(said) and noun_follows and after not in _AFTER_TIME:
            return False
        if _BARE_SEASON.search(said) and noun_follows and after in _SEASON_NOUNS:
            return False
        return not (said in {"second", "minute"} or (said.split()[0] in {"may", "march"} and before in _SUBJECTS))
    words = said.split()
    if words[-1] in AMBIGUOUS_NAMES and len(words) == 1:
        return False
    return not (words[-1] in ABSTRACT and len(words) <= 3)


_AFTER_TIME = {"later", "ago", "earlier", "please", "yesterday", "today", "tomorrow"}
_SEASON_NOUNS = {"water", "onions", "rolls", "mattress", "coil", "lock", "guy", "apart", "asleep", "down", "behind", "short", "loaded"}  # fmt: skip


@lru_cache(maxsize=1)
def _times() -> tuple[re.Pattern[str], ...]:
    return compiled(TIMES)


@lru_cache(maxsize=1)
def _places() -> tuple[re.Pattern[str], ...]:
    return compiled(PLACES)


@lru_cache(maxsize=1)
def _idioms() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(i.replace(' ', r' +') for i in IDIOMS)})\b", re.IGNORECASE)


@lru_cache(maxsize=4)
def _inner(kind: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    patterns = (("DATE", DATE), ("TIME", CLOCK), ("DURATION", LENGTH_OF_TIME)) if kind == TIME else (("PLACE", NAME),)
    return tuple((name, compiled([p])[0]) for name, p in patterns)


@lru_cache(maxsize=1)
def _names() -> tuple[tuple[str, re.Pattern[str]], ...]:
    cap = r"(?-i:[A-Z][\w’'-]*)"
    first = "|".join(n.capitalize() for n in FIRST_NAMES)
    person = rf"(?:\b(?:{TITLES})\.?\s+{cap}(?:\s+{cap})*|\b(?-i:{first})(?:\s+{cap})*)"
    org = rf"(?:{cap}\s+)+(?-i:(?i:{ORG_ENDS}))\b|(?-i:University|Bank|Ministry|Department)\s+of\s+{cap}(?:\s+{cap})*"
    return (("ORG", re.compile(org, re.I)), ("PERSON", re.compile(person, re.I)))
