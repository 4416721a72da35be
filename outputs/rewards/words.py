"""Numbers, words and denials read from an answer.

A number is written in digits (thousands separators, decimals, exponents) or, where no digit stands, in English words;
units of one dimension are converted to the unit that is asked for, numbers with a unit of another dimension are asides.
Different numbers are no answer. Quoted words are the answer when exactly one quotation stands there.
"""

from __future__ import annotations

import math
import re

from ...schemas.number_words import ONES, TENS

_DIGITS = re.compile(
    r"(?<![\w.,])[-−+]?(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,15})(?:\.\d{1,15})?(?:[eE][-+]?\d{1,3})?(?![\d]|[.,]\d)"
)
_UNIT = re.compile(r"\s?((?:(?:sq|square)\.?\s)?[a-zA-Z°²³]+(?:2(?!\d))?)")
_SQUARED = re.compile(r"(?<=[a-z])(?:\^2|²)(?!\d)", re.IGNORECASE)
_SCALES: dict[str, dict[str, float]] = {
    "length": {"mm": 1e-3, "millimeter": 1e-3, "cm": 1e-2, "centimeter": 1e-2, "m": 1.0, "meter": 1.0, "km": 1e3,
               "kilometer": 1e3, "inch": 0.0254, "inche": 0.0254, "ft": 0.3048, "foot": 0.3048, "feet": 0.3048},
    "time": {"ms": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0,
             "h": 3600.0, "hour": 3600.0},
    "angle": {"°": 1.0, "deg": 1.0, "degree": 1.0, "rad": 180 / math.pi, "radian": 180 / math.pi},
    "area": {"m2": 1.0, "sqm": 1.0, "sq m": 1.0, "square meter": 1.0, "cm2": 1e-4, "square centimeter": 1e-4, "ft2": 0.09290304,
             "sqft": 0.09290304, "sq ft": 0.09290304, "square foot": 0.09290304, "square feet": 0.09290304},
    "speed": {"px/s": 1.0},
}  # fmt: skip
_TENS = {w: 20 + 10 * i for i, w in enumerate(TENS)}
_VALUES = {w: i for i, w in enumerate(ONES)} | _TENS | {"none": 0}
_NUMBER_WORD = "|".join((*_VALUES, "hundred", "thousand"))
_WORDS = re.compile(rf"\b(?:{_NUMBER_WORD})(?:(?:[\s-]|\sand\s)(?:{_NUMBER_WORD})){{0,12}}\b", re.IGNORECASE)
_QUOTED = re.compile(r"“([^“”]*)”|\"([^\"]*)\"")
_DENIAL = re.compile(
    r"\b(?:(?:does|do|did|is|are|was|were|can|could|has|have|will)\s?(?:not|n['’]t)|cannot|(?:does|do|did|is|are|was|were|ca|could|has|have|wo)n['’]t|"
    r"never|nowhere|nobody|no one|nothing|neither|absent|no such|none of|not (?:in|at|on|part|found|there|present|shown|seen|heard|said|visible|happen\w*|occur\w*|once))\b",
    re.IGNORECASE,
)


def read_number(text: str, unit: str) -> float | None:
    """The one number of the answer, in `unit`; NaN and infinity are none."""
    dimension, scale = _dimension(unit)
    values: list[float] = []
    text = _SQUARED.sub("2", text)
    for m in _DIGITS.finditer(text):
        value = float(m[0].replace(",", "").replace("−", "-"))
        behind = _UNIT.match(text, m.end())
        theirs, factor = _dimension(behind[1] if behind else "")
        if theirs is None:
            values.append(value)
        elif theirs == dimension:
            values.append(value * factor / scale)
    if not values and not _DIGITS.search(text):
        values = [float(_value_of(m[0])) for m in _WORDS.finditer(text)]
    if not values or not all(math.isfinite(v) and math.isclose(v, values[0], rel_tol=1e-9) for v in values):
        return None
    return values[0]


def read_text(text: str) -> str | None:
    """The quoted words when there is one quotation, the whole answer when there is none; several differing: None."""
    quoted = {" ".join((a or b).split()) for a, b in _QUOTED.findall(text)}
    if len(quoted) > 1:
        return None
    return quoted.pop() if quoted else text


def denies(text: str) -> bool:
    """Whether the answer says that it does not happen."""
    return _DENIAL.search(text) is not None


def _dimension(unit: str) -> tuple[str | None, float]:
    """Dimension of a unit and its size in that dimension's base; (None, 1) for what is no unit of measure."""
    known = _SQUARED.sub("2", unit.lower()).replace("sq.", "sq")
    for name, scales in _SCALES.items():
        for form in (known, known.removesuffix("s").replace("metre", "meter")):
            if form in scales:
                return name, scales[form]
    return None, 1.0


def _value_of(words: str) -> int:
    total = group = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word == "hundred":
            group = (group or 1) * 100
        elif word == "thousand":
            total, group = total + (group or 1) * 1000, 0
        elif word in _VALUES:
            group += _VALUES[word]
    return total + group
