"""Numbers in running text: digits and English number words, their values, and the idioms in which they count nothing.

`numbers_in` finds what a text claims as a number, beside idioms: pronouns (one of them, the red one, no one, one another),
sequence (at once, first of all, one by one), order words up to tenth, names (2D, 4K), halves that are places (the left
half). What is left is a claim that somebody has to check. English only; `one` before a noun counts as a number.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_ALONE = {
    "once": 1,
    "twice": 2,
    "thrice": 3,
    "half": 0.5,
    "quarter": 0.25,
    "single": 1,
    "double": 2,
    "triple": 3,
    "both": 2,
}
_VALUES: dict[str, float] = {
    **{word: i for i, word in enumerate(ONES)},
    **{word: 20 + 10 * i for i, word in enumerate(TENS)},
    **_LARGE,
}
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
NUMBER_WORDS = rf"(?:{_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_WORD}))*"
"""Pattern of a number in words: five, twenty-five, two hundred and ten."""
DIGITS = r"\d+(?:[.,]\d+)*"
"""Pattern of a number in digits."""

_KINDS_OF_ONE = (
    "the this that these those each every any which another no some other first second third last next previous only left "
    "right upper lower top bottom big bigger large larger small smaller little long short tall old new young red orange yellow "
    "green blue purple pink brown black white grey gray"
).replace(" ", "|")
_IDIOMS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"^\s*(?:step\s+)?\(?\d{1,2}[.):](?=\s)",  # enumeration
        r"\b(?:no|some|any|every)[\s-]one\b",
        r"\bone\s+(?:of|another|by\s+one|\w+\s+(?:after\s+(?:the\s+other|another)|at\s+a\s+time)|after\s+(?:the\s+other|another)|(?:and|or)\s+the\s+(?:same|other)|at\s+a\s+time)\b",
        r"\b(?:can|could|does|do|did|may|might|should|would|must|will|shall)\s+one\b|\bone\s+(?:I|you|we|he|she|they|it|reads|finds|gets|looks|listens|notices|needs)\b",
        r"\bone\s+(?:that|who|which|whose|is|was|has|can|could|may|might|would|should|must|sees?|hears?)\b",
        r"\b(?:on\s+)?(?:the\s+)?one\s+(?:hand|side|end|day|direction|way|thing)\b",
        rf"\b(?:{_KINDS_OF_ONE})\s+(?:\w+\s+)?ones?\b(?!\s+(?:hundred|thousand|million))",
        r"\bone(?:'s|’s|self)\b",
        r"\b(?:at|all\s+at|for)\s+once\b|\bonce\s+(?:again|more|upon)\b|\bonce\b(?!\s*(?:[,.;:!?)]|$))",
        r"\b(?:in|into)\s+(?:half|two|one\s+piece|one\s+go)\b|\bhalf-?way\b|\bhalf\s+open\b|\bhalf-\w+",
        r"\b(?:left|right|top|bottom|upper|lower|front|back|first|second|other|better|latter)[\s-]half\b",
        r"\b(?:single|double|triple)[\s-](?:file|door|doors|decker|bed|line|click|check)\b|\bboth\b",
        r"\b(?:2|3|4)-?D\b|\b[248]K\b|\b(?:mp[34]|h\.?26[45])\b|\b24/7\b|\b50[-/]50\b",
        r"(?-i:\b[A-Z][A-Za-z]*-?\d+\b)",  # names: A4, R2
        r"\btwo-?fold\b|\bone-?way\b|\btwo-?way\b|\bone\s+or\s+the\s+other\b|\bzero\s+in\b|\bzeroe?s\s+in\b",
        r"\bat\s+sixes\s+and\s+sevens\b|\bsecond\s+to\s+none\b|\bcloud\s+nine\b|\bsquare\s+one\b|\bday\s+one\b",
        rf"\b(?:{'|'.join(ORDINALS)})\b",
    )
)
_NUMBERS = re.compile(
    r"\b(?:several|(?:a\s+)?few|a\s+couple\s+of|many|some)\s+(?:more\s+)?(?:seconds|minutes|hours|frames)\b|"
    rf"(?<![\w.])(?:[$€£]\s?)?(?:{DIGITS}(?:st|nd|rd|th)?\s?[%°]?|\w*\d\w*)(?!\w)|\b(?:{NUMBER_WORDS}|"
    rf"{'|'.join(_ALONE)})(?:s|es)?\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def plain_form(text: str) -> str:
    """Compatibility forms unified (full-width digits, fractions, hard spaces), no format characters or emphasis marks: how
    numbers are looked for, so that they cannot hide.
    """
    folded = text
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text))
        folded = "".join(c for c in folded if unicodedata.category(c) != "Cf")
        folded = re.sub(r"[‐‑‒−]", "-", folded)
    folded = re.sub(r"(?<!\d)[*`~]+|[*`~]+(?!\d)", "", folded)
    return re.sub(r"(?<!\w)_+|_+(?!\w)", "", folded)


def numbers_in(text: str) -> list[str]:
    """The numbers that a text claims, as written, in order."""
    return list(_numbers_in(text))


@lru_cache(maxsize=4096)
def _numbers_in(text: str) -> tuple[str, ...]:
    masked = plain_form(text)
    if _NUMBERS.search(masked) is None:
        return ()
    for idiom in _IDIOMS:
        masked = idiom.sub(lambda found: "\x03" * len(found[0]), masked)
    return tuple(found[0].strip() for found in _NUMBERS.finditer(masked))


def value_of(number: str) -> float | None:
    """The value of a number as `numbers_in` gives it: `25`, `twenty-five`, `1,200`, `3rd`; None when it is not clear."""
    text = plain_form(number).casefold().strip(" $€£%°")
    digits = re.fullmatch(rf"({DIGITS})(?:st|nd|rd|th)?", text)
    if digits:
        whole = re.sub(r",(?=\d{3}(?:\D|$))", "", digits[1]).replace(",", ".")
        return float(whole) if whole.count(".") <= 1 else None
    total, group = 0.0, 0.0
    words = [w for w in re.split(r"[\s-]+", text) if w != "and"]
    for word in words:
        word = word if word in _VALUES or word in _ALONE else word.removesuffix("s")
        if word in _LARGE:
            group = (group or 1) * _LARGE[word]
            if _LARGE[word] >= 1000:
                total, group = total + group, 0.0
        elif word in _VALUES:
            group += _VALUES[word]
        elif word in _ALONE and len(words) == 1:
            return float(_ALONE[word])
        else:
            return None
    return total + group if words else None
