"""Spatial words of a sentence: how many there are, and which typed relations they state between named things.

A relation is read where a spatial phrase stands between two mentions of things (`the red circle is to the left of the blue
square`), or before both (`to the left of the square stands a circle`). Things are recognised by their phrase, `red circle`,
or by their noun where only one thing has it. What is negated, or said in another way, is not read: `Reading.unread` counts
such spatial phrases, so that callers can refuse a sentence that says more than was checked. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .objects import Placed
from .relations import Relation
from .verbs import word_list

_PHRASES: tuple[tuple[Relation, str], ...] = (
    ("left of", r"(?:(?:just|directly|slightly|far|immediately)\s+)?(?:(?:to|on|at)\s+(?:the\s+)?)?left(?:\s+(?:side|hand side))?\s+(?:of|from)"),
    ("right of", r"(?:(?:just|directly|slightly|far|immediately)\s+)?(?:(?:to|on|at)\s+(?:the\s+)?)?right(?:\s+(?:side|hand side))?\s+(?:of|from)"),
    ("in front of", r"in\s+front\s+of"),
    ("far from", r"far(?:\s+away)?\s+from"),
    ("near", r"(?:near(?:by)?|next)\s+to|near|close\s+to|beside|adjacent\s+to|alongside"),
    ("behind", r"(?:in\s+back\s+of|behind)"),
    ("above", r"(?:directly\s+|just\s+)?(?:above|over)|higher(?:\s+\w+){0,3}\s+than"),
    ("below", r"(?:directly\s+|just\s+)?(?:below|beneath|underneath|under)|lower(?:\s+\w+){0,3}\s+than"),
    ("inside", r"inside(?:\s+of)?|within|(?:contained|enclosed)\s+(?:in|by)"),
    ("contains", r"contains|encloses|surrounds"),
    ("overlaps", r"overlaps(?:\s+with)?|overlapping"),
    ("larger than", r"(?:larger|bigger)(?:\s+\w+){0,2}\s+than"),
    ("smaller than", r"smaller(?:\s+\w+){0,2}\s+than"),
)  # fmt: skip
_LOOSE = (
    r"\b(?:leftmost|rightmost|topmost|bottommost|left|right|top|bottom|upper|lower|middle|cent(?:er|re)|corner|side|edge"
    r"|between|among|around|across|opposite|foreground|background|front|back|apart|distance|towards?|away|high(?:er)?|low)\b"
)
"""Further spatial words, which are counted but never read."""
_RELATION = re.compile("|".join(rf"\b(?P<r{i}>{pattern})\b" for i, (_, pattern) in enumerate(_PHRASES)), re.IGNORECASE)
_SPATIAL = re.compile(f"{_RELATION.pattern}|{_LOOSE}", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|never|no|nor|neither|without|hardly|isn|aren|doesn)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:\.\d+)?")
_FILLERS = word_list(
    """
    a an the and or but while whereas also is are was stands stand sits sit lies lie rests rest appears located placed
    positioned found seen shown can be there it its which that both in this picture image frame scene clip here with has
    have as at of to on by than slightly just directly clearly somewhat sign text word words writing caption reads
    reading lettering object thing shape size
    """
)
"""Words that state nothing by themselves."""


_LIST = re.compile(
    r"\s*(?:,\s*(?:and\b)?|\band\b)(?:\s+(?:an?|the))?(?:\s+(?:sign|text|word|words))?\s*", re.IGNORECASE
)


@dataclass(frozen=True)
class Stated:
    """A typed relation that a text states between two named things."""

    a: str
    relation: Relation
    b: str
    quote: str


@dataclass(frozen=True)
class Reading:
    """What was read of one sentence: its relations, the number of spatial phrases that were not understood, and the words
    that state something else.
    """

    stated: tuple[Stated, ...]
    unread: int
    free_words: tuple[str, ...]


@dataclass(frozen=True)
class Mention:
    """A place in a text, [first, last), that names a thing."""

    first: int
    last: int
    name: str


def spatial_phrases(text: str) -> int:
    """How many spatial phrases a text has outside quotations: `left of` is one."""
    return sum(1 for _ in _SPATIAL.finditer(_unquoted(text)))


def read_sentence(text: str, things: Sequence[Placed]) -> Reading:
    """The relations that a sentence (human text) states between `things`; those with a phrase in common cannot be told
    apart, so that nothing is read about them.
    """
    mentions = mentions_of(text, things)
    masked = _masked(text, mentions)
    found = list(_RELATION.finditer(masked))
    stated: list[Stated] = []
    used: set[int] = set()
    for k, phrase in enumerate(found):
        if _NEGATION.search(masked[: phrase.start()]):
            continue
        pair = _pair(masked, mentions, found, phrase)
        if pair is not None:
            relation = _PHRASES[next(i for i in range(len(_PHRASES)) if phrase[f"r{i}"])][0]
            quote = text[phrase.start() : phrase.end()]
            subjects, others = _listed(masked, mentions, found, *pair)
            stated += [Stated(a.name, relation, b.name, quote) for a in subjects for b in others if a.name != b.name]
            used.add(k)
    rest = masked
    for phrase in reversed(found):
        rest = rest[: phrase.start()] + " " * (phrase.end() - phrase.start()) + rest[phrase.end() :]
    loose = sum(1 for _ in re.finditer(_LOOSE, rest, re.IGNORECASE))
    spatial = {m[0].lower() for m in re.finditer(_LOOSE, rest, re.IGNORECASE)}
    free = tuple(w for w in _WORD.findall(rest) if w.lower() not in _FILLERS | spatial)
    return Reading(tuple(stated), len(found) - len(used) + loose, free)


def typed_relation(predicate: str) -> Relation | None:
    """The relation that a predicate is, whole: `is to the left of`, `left_of`."""
    words = re.sub(r"^(?:is|are|stands|sits|lies)\s+", "", predicate.replace("_", " ").strip().lower())
    return next((r for r, pattern in _PHRASES if re.fullmatch(pattern, words)), None)


def mentions_of(text: str, things: Sequence[Placed]) -> list[Mention]:
    """Places where things are named, longest names first, none overlapping, in order."""
    names: dict[str, set[str]] = {}
    for thing in things:
        for words in {thing.phrase.casefold(), thing.label.casefold()}:
            names.setdefault(words, set()).add(thing.name)
    found: list[Mention] = []
    for words in sorted(names, key=lambda w: (-len(w), w)):
        if len(names[words]) > 1 or not words:
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE):
            if all(match.end() <= m.first or match.start() >= m.last for m in found):
                found.append(Mention(match.start(), match.end(), next(iter(names[words]))))
    merged: list[Mention] = []
    for mention in sorted(found, key=lambda m: m.first):
        if merged and merged[-1].name == mention.name and not text[merged[-1].last : mention.first].strip(" “”"):
            mention = Mention(merged.pop().first, mention.last, mention.name)  # the sign “EXIT”
        merged.append(mention)
    return merged


def _masked(text: str, mentions: Sequence[Mention]) -> str:
    """The text with mentions and quotation marks blanked, so that a sign that says LEFT is no spatial word."""
    out = list(text)
    for m in mentions:
        out[m.first : m.last] = " " * (m.last - m.first)
    return "".join(" " if c in "“”" else c for c in out)


def _unquoted(text: str) -> str:
    return re.sub(r"“[^”]*”", " ", text)


def _pair(
    masked: str, mentions: Sequence[Mention], found: Sequence[re.Match[str]], phrase: re.Match[str]
) -> tuple[Mention, Mention] | None:
    """The things that a phrase relates: the nearest before and after it; or, where none stands before, the two after it,
    turned round.
    """
    before = [m for m in mentions if m.last <= phrase.start()]
    after = [m for m in mentions if m.first >= phrase.end()]
    if not after or re.search(r"[.;:!?]", masked[phrase.end() : after[0].first]):
        return None
    if before:
        left = _subject(masked, before, found, phrase)
        if re.search(r"[.;:!?]", masked[left.last : phrase.start()]):
            return None
        return (left, after[0]) if left.name != after[0].name else None
    if len(after) < 2 or any(after[0].last <= p.start() < after[1].first for p in found):
        return None
    return (after[1], after[0]) if after[0].name != after[1].name else None


def _subject(masked: str, before: Sequence[Mention], found: Sequence[re.Match[str]], phrase: re.Match[str]) -> Mention:
    """What a phrase speaks about: in `A is left of B and above C` both times A, in `A is left of B, which is above C` B."""
    last = before[-1]
    between = masked[last.last : phrase.start()]
    if len(before) > 1 and re.fullmatch(r"[\s,]*(?:and|but|,)(?:\s+(?:is|also|lies|stands|sits))*\s*", between):
        earlier = [p for p in found if p.end() <= last.first and p.start() >= before[-2].last]
        if earlier:
            return _subject(masked, before[:-1], found, earlier[0])
    return last


def _listed(
    masked: str, mentions: Sequence[Mention], found: Sequence[re.Match[str]], a: Mention, b: Mention
) -> tuple[list[Mention], list[Mention]]:
    """The pair with what is listed beside it: `A and C are left of B`, where nothing was said before A; `A is left of B and
    C`, where nothing is said after C.
    """
    before, after = [a], [b]
    if a.first < b.first:
        if not any(p.start() < a.first for p in found):
            for m in reversed([m for m in mentions if m.last <= a.first]):
                if not _LIST.fullmatch(masked[m.last : before[0].first]):
                    break
                before.insert(0, m)
        for m in [m for m in mentions if m.first >= b.last]:
            if any(p.start() >= m.last for p in found) or not _LIST.fullmatch(masked[after[-1].last : m.first]):
                break
            after.append(m)
    return before, after
