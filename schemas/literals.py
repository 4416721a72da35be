"""Times and places that a text writes out instead of naming evidence: `at second five`, `00:12`, `0.35 of the width`.

Stricter than `markup.validate`, which looks at stored text: a model has slots for everything that is a time or a place, so
whatever could be read as one is a literal here, in digits or in words. Forms that can mean something else as well (a bare
decimal, a range, `at 12`) are let pass where `known`, the text of cited evidence, holds the very same. What stands in
quotations is for the caller to leave out. English and international notations; other languages' words are not known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from .number_words import DIGITS, NUMBER_WORDS, ORDINALS, plain_form

_D = DIGITS
_W = NUMBER_WORDS
_N = rf"(?:{_D}|{_W})"
_ORDER = rf"(?:{'|'.join(ORDINALS)}|\w+teenth|\w+tieth|eleventh|twelfth|(?:\w+ty-)?(?:{'|'.join(ORDINALS)})|\d+(?:st|nd|rd|th))"
_UNIT = r"(?:s|secs?|seconds?|ms|msecs?|milliseconds?|mins?|minutes?|hrs?|h|hours?)\b"
_LONG_UNIT = r"(?:secs?|seconds?|milliseconds?|mins?|minutes?|hrs?|hours?)\b"
_SIZE = (
    r"(?:(?:more|full|whole|long|short|brief|further|additional|entire|extra|good|solid|mere|or\s+so|odd|consecutive|video|clock|"
    r"elapsed|total)[\s-]+)?"
)
_PARTS = r"(?:thirds?|quarters?|fourths?|fifths?|sixths?|eighths?|tenths?)"
_SHARE = rf"(?:{_N}\s*(?:%|per\s?cent|percent)|(?:a|an|one|two|three|four|five|seven|nine)[\s-]+{_PARTS}|(?<![\w.])(?:0?\.\d+|\d+\s*[/⁄]\s*\d+))"
_FOOTAGE = r"(?:way|video|clip|footage|film|movie|recording|scene|segment|shot|duration|timeline|run\s?time|sequence|window|length)"
_PICTURE = (
    r"(?:left|right|top|bottom|width|height|frame|screen|picture|image|edge|upper|lower|horizontal|vertical|border|corner|"
    r"canvas|[xy][\s-]?axis)"
)
_NEAR = r"(?:about\s+|around\s+|approximately\s+|approx\.?\s+|roughly\s+|exactly\s+|nearly\s+|almost\s+|just\s+|precisely\s+|circa\s+|~\s*|≈\s*)?"
_STOP = r"(?=\s*(?:[,.;:!?)\]\x01\x02]|$|(?:to|until|till|and|through|or|when|where|while|as|the|an?|he|she|it|they|we|you|i)\b))"
_BEFORE_TIME = (
    r"(?:at|from|until|till|to|by|since|around|about|past|after|before|of|through|between|in|near|reach(?:es)?|up\s+to)"
)

_CERTAIN: tuple[tuple[str, str], ...] = (
    # 5 s, 5s, 3-7 seconds, 12 more seconds, 1,5 min
    ("time", rf"(?<![\w.]){_D}(?:\s*(?:-|–|—|to|or|and)\s*{_D})?[\s-]*{_SIZE}{_UNIT}"),
    # five seconds, five-second, two or three minutes, a hundred seconds
    ("time", rf"\b(?:{_W})(?:\s*(?:-|–|to|or|and)\s*(?:{_W}))?(?:\s+and\s+a\s+(?:half|quarter))?[\s-]+{_SIZE}"
             r"(?:secs|seconds|milliseconds|mins|minutes?|hrs|hours?)\b"),
    ("time", rf"\b(?:{_W})-(?:second|sec|minute|min|hour)\b"),
    ("time", rf"\bone\s+{_SIZE}second\b(?!\s+(?:man|woman|one)\b)"),
    ("time", rf"\b(?:{_W})\s+second\s+(?:clip|mark|video|pause|gap|delay|long|interval|shot|scene|segment|window|point)\b"),
    ("time", r"\b(?:half|quarter|third|three\s+quarters|fraction)[\s-]+(?:of\s+)?(?:an?[\s-]+)?(?:second|minute|hour)s?\b"),
    ("time", r"\b(?:an?|one|the)\s+(?:half|quarter)[\s-]+(?:of\s+an?\s+)?(?:second|minute|hour)s?\b"),
    ("time", rf"\b(?:an?|one|two|three)\s+{_PARTS}\s+of\s+an?\s+(?:second|minute|hour)\b"),
    ("time", rf"\bat\s+time\s+(?:{_W})\b"),
    ("time", r"\b(?:second|minute|hour)s?\s+and\s+(?:a\s+|three\s+)?(?:half|quarters?)\b"),
    ("time", r"\b(?:an?|each|every|per)\s+(?:second|minute|hour)\s+(?:later|earlier|long|or\s+(?:so|two)|into|in|after|before|ago|"
             r"passes|mark|elapses|goes\s+by|of\s+(?:video|footage|silence))\b(?!\s+(?:man|woman|one)\b)"),
    ("time", r"\b(?:for|after|within|in|over|under|nearly|almost|about|roughly|around|until|than|least|most)\s+(?:an?)\s+"
             r"(?:(?:minute|hour)\b|second(?=\s*(?:[,.;:!?)\x01\x02]|$|(?:or|and|the|an?|he|she|it|they|before|until|later|then|to|of|in)\b)))"),
    # the twelfth second, 3rd minute, fifth frame
    ("time", rf"\b(?!(?:first|second)\s+second\b){_ORDER}[\s-]+second\b|\b{_ORDER}[\s-]+(?:seconds|secs?|minutes?|hours?|second(?=\s*(?:[,.;:!?)\x01\x02]|$|of\b|mark\b|the\b|he\b|she\b|it\b|they\b)))\b"),
    ("time", rf"\b(?!first\b){_ORDER}[\s-]+frames?\b"),
    ("time", rf"(?<![\w.]){_N}[\s-]+{_SIZE}frames\b|(?<![\w.])\d+[\s-]*(?:frames?|fr)\b|(?<![\w.]){_N}-frames?\b"),
    # second 5, frame #12, timestamp: 4.2, minutes 2
    ("time", r"\b(?:seconds?|secs?\.?|minutes?|mins?\.?|time\s?codes?|time\s?stamps?|frames?|ts|timeindex|time\s+index)"
             r"\s*(?:=|:|#|no\.?|number|mark|index|at|of|is|≈|~|_)?\s*#?\s*\d"),
    ("time", rf"\b{_BEFORE_TIME}\s+{_NEAR}(?:second|minute|time\s?stamp|time\s?code|seconds|minutes|timestamps)\s+(?:number\s+)?(?:{_W})\b"),
    ("time", rf"\b(?:seconds|minutes|time\s?stamps?|time\s?codes?)\s+(?:is\s+|of\s+|number\s+)?(?:{_W})\b"),
    ("time", rf"\b(?:at|from|until|till|to|by|since|of|after|before|between|through)\s+frames?\s+(?:number\s+)?(?:{_W})\b"),
    ("time", rf"(?<!\bthe\s)(?<!\ba\s)\b(?:frame|second|minute)\s+(?:number\s+)?(?:{_W})\b(?=\s*(?:[,.;:)]|$|(?:shows?|has|is|depicts|contains|displays|to|and|through|the|an?|he|she|it|they)\b))(?<!second\sone)"),
    # 00:12, 1:02:03.5, 1m30s, 2h, 1'30
    ("time", r"(?<![\d:.])\d{1,3}\s?:\s?[0-5]\d(?:\s?:\s?[0-5]?\d)*(?:[.,;]\d+)?(?![\d:])"),
    ("time", r"(?<![\w.])\d+\s?(?:h|m)\s?\d+\s?(?:m|s)?\b|(?<![\w.])\d+(?:\.\d+)?\s?[′″]|(?<![\w.])\d+['’]\d+"),
    ("time", rf"\bt\s*[1-9]?\s*(?:=|:|≈|~|equals)\s*{_NEAR}(?:\d|\.\d|(?:{_W})\b)"),
    ("time", rf"\b(?:time|seconds?|clock|position|offset|start(?:_s|s)?|end(?:_s|s)?)\s*(?:=|:)\s*{_NEAR}\d"),
    ("time", r"\bPT\d+(?:\.\d+)?[SMH]\b"),
    # shares of the footage
    ("time", rf"{_SHARE}\s*(?:of\s+the\s+way\b|(?:in(?:to)?|through|of|along|from|before|after)\s+(?:the\s+)?(?:whole\s+|entire\s+|start\s+of\s+the\s+|end\s+of\s+the\s+)?{_FOOTAGE}\b|(?:in|through)\b)"),
    ("time", rf"\b(?:{_W})\s+(?:point|dot)\s+(?:{_W})\b"),
    # places
    ("place", r"\b[xy]_?(?:min|max)\s*(?:=|:|of|is)?\s*-?\.?\d|\b(?:left|right|top|bottom)\s*[:=]\s*-?\.?\d"),
    ("place", rf"\b(?:left|right|top|bottom|upper|lower)(?:most)?\s+{_N}\s*(?:%|per\s?cent|percent)"),
    ("place", r"\b(?:row|column)\s+\d+\s*,?\s*(?:and\s+)?(?:row|column)\s+\d+"),
    ("place", r"(?<![\w.])\d*\.\d+(?:\s*[,;]\s*\d*\.\d+)+"),
    ("place", r"[\[(<]\s*-?\d+(?:\.\d+)?\s*%?(?:\s*[,;]\s*-?\d+(?:\.\d+)?\s*%?)+\s*[\])>]"),
    ("place", rf"(?<![\w.]){_N}[\s-]*(?:px|pixels?)\b|\bpixels?\s*(?:=|:|#)?\s*\d"),
    ("place", rf"{_SHARE}\s*(?:wide|tall|(?:of|from|to|across|down|up|along|into|off|over)\s+(?:the\s+)?(?:whole\s+|entire\s+)?(?:\w+['’]s\s+)?{_PICTURE}\b)"),
    ("place", rf"{_SHARE}\s*(?:(?:to\s+the\s+|further\s+)?(?:left|right|up|down|across))\b"),
    ("place", r"\b(?:width|height|[xy])\s*(?:of|at|=|:|≈)\s*-?(?:\d|\.\d)"),
    ("place", rf"\b[xy][12]?[\s-]?(?:=|:|≈|is\b|coordinates?\b)\s*(?:of\s+|is\s+)?(?:-?\.?\d|(?:{_W})\b)"),
    ("place", rf"\b(?:coordinates?|coords?|bbox|bounding\s+box|pixel\s+position)\s*(?:=|:|of|is|are|at)?\s*[\[(]?\s*(?:-?\.?\d|(?:{_W})\b)"),
    ("place", r"\b(?:at|point|position|location|centred\s+at|centered\s+at|near|around|from|to)\s+\d+(?:\.\d+)?\s*,\s*\d"),
    ("place", r"(?<![\w.])\d{3,}\s*[x×*]\s*\d{3,}\b"),
)  # fmt: skip
_DOUBTFUL: tuple[tuple[str, str], ...] = (
    # at 12, until 7.5, from 3 to 7, between 3 and 7, @12
    ("time", rf"(?:\b(?:at|until|till|around|since|past|near|after|before|by)\s+|@\s*){_NEAR}\d+(?:\.\d+)?(?:\s*[,;]?\s*(?:to|and|-|–)\s*\d+(?:\.\d+)?)?{_STOP}"),
    ("time", rf"(?<!counts\s)(?<!counting\s)(?<!count\s)\bfrom\s+{_NEAR}{_N}\s+(?:to|until|till|through)\s+{_N}{_STOP}"),
    ("time", rf"\bbetween\s+{_NEAR}{_N}\s+and\s+{_N}{_STOP}"),
    ("time", rf"\b(?:at|until|till)\s+{_NEAR}(?!one\b)(?:{_W})(?=\s*(?:[,.;:!?)\x01\x02]|$))"),
    # 3-7, 4.2..7, 3 -> 7
    ("time", rf"(?<![\w.,-])\d+(?:\.\d+)?\s*(?:-|–|—|\.\.+|…|→|->|~)\s*\d+(?:\.\d+)?{_STOP}"),
    # a bare decimal
    ("time", r"(?<![\w.,])\d*[.,]\d+(?![\w]|[.,]\d)"),
)  # fmt: skip
_MASKED = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"\b(?:1\d|20)\d0s\b(?!\s+(?:mark|point))",
        r"\b(?:the|his|her|its|their|early|mid|late)[\s-]+[2-9]0s\b(?!\s+(?:mark|point))",
        r"(?<![\d:.])\d{1,3}(?:,\d{3})+(?![\d,])(?!\s*(?:ms|milliseconds?|s|secs?|seconds?|px|pixels?|frames?)\b)",
        r"[$€£¥]\s?\d+(?:[.,]\d+)*",
        r"(?<![\w.])\d+(?:\.\d+)?\s?(?:°|degrees?|cm|mm|km|metres?|meters?|kg|g|lbs?|miles?|mph|kph|km/h|feet|foot|ft|inch(?:es)?|"
        r"lit(?:re|er)s?|ml|stars?|times)(?![\w/])",
        r"(?m:^)\s*(?:step\s+)?\(?\d{1,2}[.):](?=\s)",
        r"\b(?:just\s+)?a\s+(?:split\s+)?second\s+(?:man|woman|one|person|time|boy|girl|dog|look|chance)\b",
        r"\bsecond[\s-]hand\b|\blast[\s-](?:second|minute)\b|\bminute\s+(?:details?|hand)\b|\bsecond\s+(?:floor|half|nature)\b",
    )
)
_MEASURED = re.compile(
    r"\d|secs?\b|second|min(?:s|ute)?|hrs?\b|hour|frame|pixel|px\b|\btime|way|third|quarter|fourth|fifth|sixth|eighth|tenth|half|per\s?cent|"
    r"coord|[xy]\b|position|bbox|box|\bt\b|point|dot|fraction|wide|tall",
    re.IGNORECASE,
)
"""Something of this stands in every certain literal."""
_PATTERNS = {
    sure: tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in table)
    for sure, table in ((True, _CERTAIN), (False, _DOUBTFUL))
}


class Found(NamedTuple):
    """A literal: time or place, and the words."""

    kind: Literal["time", "place"]
    words: str


def literals_in(text: str, known: str = "") -> list[Found]:
    """The times and places that `text` writes out, without repetition. `\\x01` and `\\x02` stand for slots and quotations."""
    return list(_literals_in(text, known))


@lru_cache(maxsize=4096)
def _literals_in(text: str, known: str) -> tuple[Found, ...]:
    plain = plain_form(text)
    measured = _MEASURED.search(plain) is not None
    for pattern in _MASKED if measured else ():
        plain = pattern.sub(lambda found: "\x03" * len(found[0]), plain)
    evidence = " ".join(plain_form(known).casefold().split())
    found: list[Found] = []
    taken: list[tuple[int, int]] = []
    for sure, patterns in _PATTERNS.items():
        if sure and not measured:
            continue
        for kind, pattern in patterns:
            for match in pattern.finditer(plain):
                words = match[0].strip()
                if any(match.start() < end and start < match.end() for start, end in taken):
                    continue
                if not sure and " ".join(words.casefold().split()) in evidence:
                    continue
                taken.append(match.span())
                found.append(Found("place" if kind == "place" else "time", words))
    return tuple(found)
