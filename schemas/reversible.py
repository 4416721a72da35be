"""What a sentence about footage says once the footage is mirrored, played backwards, slowed down or silenced.

Only a short list of opposites is turned (left and right, up and down, in and out, clockwise and counterclockwise, opens and
closes, ...); a sentence that cannot be turned by it, though the edit changes what it says, is withdrawn (None), because a wrong
truth is worse than none. English only. Method: TempCompass's rule that only reversible actions get a reversed twin.
"""

from __future__ import annotations

import re

from .morphology import gerund, third_person

_SIDES = (("left", "right"), ("leftward", "rightward"), ("leftwards", "rightwards"), ("leftmost", "rightmost"))
_TURNS = (
    ("clockwise", "counterclockwise"),
    ("clockwise", "counter-clockwise"),
    ("clockwise", "anticlockwise"),
)
_WAYS = (
    ("up", "down"),
    ("upward", "downward"),
    ("upwards", "downwards"),
    ("in", "out"),
    ("into", "out of"),
    ("forward", "backward"),
    ("forwards", "backwards"),
    ("enters the", "leaves the"),
    ("entering the", "leaving the"),
    ("approaches the", "moves away from the"),
    ("approaches a", "moves away from a"),
    ("approaching the", "moving away from the"),
    ("approaching a", "moving away from a"),
)
_VERBS = (
    ("open", "close"),
    ("approach", "recede"),
    ("grow", "shrink"),
    ("rise", "fall"),
    ("ascend", "descend"),
    ("appear", "disappear"),
    ("brighten", "darken"),
    ("inflate", "deflate"),
    ("fill", "empty"),
)
_MOVING = (
    r"(?:mov|go|com|slid|drift|travel|shift|glid|float|fl(?:y|ie)|pan|tilt|zoom|roll|turn|rotat|spin|swing|whip|walk|run|follow|"
    r"crawl|driv|rid|point|climb)"
)
_ORDER = re.compile(
    r"\b(?:then|before|after|afterwards?|first|firstly|second|finally|last|lastly|next|until|while|once|again|begins?|starts?|"
    r"ends?|finish(?:es)?|stops?|from|followed\s+by|and\s+then)\b",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\b(?:reads?|stays?|stands?|remains?|is\s+(?:seen|shown|visible|still|in\s+view|motionless)|are\s+(?:seen|shown|visible)|"
    r"does\s+not\s+move|keeps\s+still|dissolves?\s+into)\b",
    re.IGNORECASE,
)
_PACE = re.compile(
    r"\b(?:slow(?:ly|er)?|quick(?:ly|er)?|fast(?:er)?|rapid(?:ly)?|sudden(?:ly)?|hurr(?:y|ies|iedly)|brief(?:ly)?|"
    r"in\s+slow\s+motion|\d+(?:\.\d+)?\s*(?:s|sec|seconds?|minutes?))\b",
    re.IGNORECASE,
)
_HEARD = re.compile(
    r"\b(?:says?|said|speaks?|talks?|tells?|sings?|shouts?|whispers?|sounds?|music|voices?|noises?|heard|hears?|barks?|rings?|"
    r"plays?\s+(?:a|an|the)\s+\w+|claps?|loud(?:ly)?|silence|quiet(?:ly)?)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’")
_READ = re.compile(r"\b(?:reads?|says|written|letter(?:s|ing)?|text|sign|caption|title|word|subtitle)\b", re.IGNORECASE)
_CAMERA_PACE = re.compile(r"\bwhips?\b", re.IGNORECASE)


def _forms(verb: str) -> tuple[str, ...]:
    """As sentences about footage have it: opens, opening. Base forms are too often other words (`close to`)."""
    return third_person(verb), gerund(verb)


_TIME_PAIRS = (*_WAYS, *((a, b) for one, two in _VERBS for a, b in zip(_forms(one), _forms(two), strict=True)))


def _map(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    turned: dict[str, str] = {}
    for a, b in pairs:
        turned.setdefault(a, b)
        turned.setdefault(b, a)
    return turned


_MIRRORED = _map((*_SIDES, *_TURNS))
_BACKWARDS = _map((*_SIDES, *_TURNS, *_TIME_PAIRS))
ANTONYMS = dict(_BACKWARDS)
"""Word to its opposite, both ways."""
_DIRECTIONS = frozenset(w for pair in (*_SIDES, *_TURNS, *_WAYS[:-6]) for w in pair)
"""Played backwards, these turn only behind a verb of motion."""
_MOVED = re.compile(rf"\b{_MOVING}\w*(?:\s+\w+){{0,6}}\s*$|^\s*$", re.IGNORECASE)


def _pattern(words: dict[str, str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})\b", re.IGNORECASE)


_MIRRORED_AT, _BACKWARDS_AT = _pattern(_MIRRORED), _pattern(_BACKWARDS)


_LASTING = re.compile(
    r"\b(?:moves?|moving|pans?|panning|tilts?|tilting|zooms?|zooming|rolls?|rolling|drifts?|drifting|slides?|sliding|follows?|"
    r"following|spins?|spinning|rotates?|rotating|stays?|stands?|remains?)\b.*\b(?:left|right|up|down|in|out|(?:counter-?|anti)?clockwise|"
    r"still|motionless|in\s+view)\s*\.?\s*$|\breads?\s*[“\"‘].*[”\"’]\s*\.?\s*$",
    re.IGNORECASE,
)


def lasting(text: str) -> bool:
    """Whether a sentence about a span is true of every part of it: something moves one way, stays, or can be read."""
    return _LASTING.search(text) is not None and (_QUOTED.search(text) is not None or _ORDER.search(text) is None)


def standing(text: str) -> bool:
    """Whether a sentence is true of a single held frame too: something stays, or can be read."""
    return _STILL.search(_QUOTED.sub(" ", text)) is not None


def opposite(value: str) -> str | None:
    """A direction or action with every word of it turned by the list of opposites; None when none of its words is in it."""
    turned, count = _turn(value, _BACKWARDS, _BACKWARDS_AT)
    return turned if count else None


def after_edit(
    text: str, *, backwards: bool = False, mirrored: bool = False, rate: float = 1.0, heard: bool = True
) -> str | None:
    """What a true sentence about a span says of the same span once it is edited; None when that is not known.

    `rate` is how many times as fast it is shown, `heard` whether its sound is left. A sentence about backward footage survives
    only when the list of opposites turns it, or when it says that something stays as it is.
    """
    bare = _QUOTED.sub(" ", text)
    if not heard and _HEARD.search(bare):
        return None
    if abs(rate) != 1 and (_PACE.search(bare) or (_CAMERA_PACE.search(bare) and abs(rate) < 1)):
        return None
    if mirrored and (_READ.search(bare) or bare != text):
        return None
    if mirrored:
        text = _turn(text, _MIRRORED, _MIRRORED_AT, still=True)[0]
    if not backwards:
        return text
    if _ORDER.search(bare):
        return None
    turned, count = _turn(text, _BACKWARDS, _BACKWARDS_AT)
    if count > 1 and re.search(r"\band\b|,", bare):
        return None
    if count:
        return turned
    return text if _STILL.search(bare) else None


def _turn(text: str, words: dict[str, str], pattern: re.Pattern[str], *, still: bool = False) -> tuple[str, int]:
    """`text` with the words turned, quotations left alone, and how many were turned; `still`: also directions of what does not move
    (to the left of a cat).
    """
    count = 0
    quoted = [m.span() for m in _QUOTED.finditer(text)]

    def swap(match: re.Match[str]) -> str:
        nonlocal count
        word, at = match.group(), match.start()
        if any(a <= at < b for a, b in quoted):
            return word
        if not still and word.lower() in _DIRECTIONS and not _MOVED.search(text[:at]):
            return word
        if word.lower() in ("left", "right") and re.match(
            r"\s+(?:the|an?|his|her|their|its|away|now)\b", text[match.end() :]
        ):
            return word  # a verb, or no side
        count += 1
        other = words[word.lower()]
        return other[0].upper() + other[1:] if word[0].isupper() else other

    return pattern.sub(swap, text), count
