"""Does an earlier turn of a conversation give away a later answer? Checked on typed answers and parsed text.

A later answer's times must not stand in earlier turns, not even near enough to be written alike in the coarsest language
(relative hundredths, whole seconds); nor its box, its words, nor what was said about the options that it chooses among.
Lists of options do not count as said, for they name right and wrong alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...schemas.box import Box, box_or_none, iou
from ...schemas.markup import AnswerMark, BoxAt, BoxMark, Moment, SpanMark, Text, Token, parse
from ...schemas.metrics import normalise_words
from ...schemas.sample import (
    BoxAnswer,
    ChoiceAnswer,
    NumberAnswer,
    OrderAnswer,
    PartAnswer,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TextAnswer,
    TubeAnswer,
)
from ...schemas.span import Span

SAME_PLACE_IOU = 0.5
RUN = 3
"""Words in a row that a quotation must share with an option to speak about it."""
_QUOTED = re.compile(r"“([^”]*)”")


@dataclass(frozen=True)
class Said:
    """One part: the markup of its question and answer, its typed answer and the texts of its options."""

    question: str
    answered: str
    answer: PartAnswer
    options: tuple[str, ...]


def leaks(parts: Sequence[Said], window: Span) -> list[str]:
    """What earlier parts give away of later answers, in words; an empty list: nothing."""
    tolerance_s = max(1.0, window.length_s / 99)
    found: list[str] = []
    for j, later in enumerate(parts):
        for i, earlier in enumerate(parts[:j]):
            why = _gives_away(earlier, later, tolerance_s)
            if why:
                found.append(f"turn {i + 1} gives away the answer of turn {j + 1}: {why}")
    return found


def _gives_away(earlier: Said, later: Said, tolerance_s: float) -> str:
    tokens = [*parse(earlier.question), *_answer_tokens(earlier)]
    asked, boxes, texts = _content(later)
    for t_s in _times(tokens):
        if any(abs(t_s - known) <= tolerance_s for known in asked):
            return f"it names {t_s:g} s"
    if any(iou(a, b) >= SAME_PLACE_IOU for a in _boxes(tokens) for b in boxes):
        return "it names the box"
    plain = " ".join(t.text for t in tokens if isinstance(t, Text))
    words = normalise_words(plain)
    for text in texts:
        if _stands_in(normalise_words(text), words):
            return f"it says {text!r}"
    runs = {run for quote in _QUOTED.findall(plain) for run in _runs(normalise_words(quote))}
    for option in later.options:
        if runs & set(_runs(normalise_words(_plain(option)))):
            return f"it speaks about the option {_plain(option)!r}"
    return ""


def _answer_tokens(part: Said) -> list[Token]:
    """The answer's tokens, with the texts of chosen options in the place of `<answer>`."""
    found: list[Token] = []
    for token in parse(part.answered):
        if isinstance(token, AnswerMark):
            for text in _chosen(part):
                found += parse(text)
        else:
            found.append(token)
    return found


def _chosen(part: Said) -> list[str]:
    match part.answer:
        case ChoiceAnswer(index=index):
            return [part.options[index]]
        case OrderAnswer(order=order):
            return [part.options[i] for i in order]
    return []


def _content(part: Said) -> tuple[list[float], list[Box], list[str]]:
    """Times, boxes and texts that make up an answer."""
    match part.answer:
        case SpanAnswer(start_s=start, end_s=end):
            return [start, end], [], []
        case SpanBoxAnswer(start_s=start, end_s=end, box=box):
            return [start, end], [Box(*box)], []
        case TubeAnswer(start_s=start, end_s=end, said=said):
            ends = [start, end] if said == "both" else []
            return ends, list(part.answer.track.values()), []
        case SpansAnswer(spans=spans):
            return [t for span in spans for t in span], [], []
        case BoxAnswer(box=box):
            return [], [Box(*box)], []
        case ChoiceAnswer():
            tokens = [t for text in _chosen(part) for t in parse(text)]
            return _times(tokens), _boxes(tokens), [_plain(text) for text in _chosen(part)]
        case NumberAnswer(value=value):
            return [], [], [f"{value:g}"]
        case TextAnswer(text=text):
            return [], [], [text]
    return [], [], []


def _times(tokens: Iterable[Token]) -> list[float]:
    found: list[float] = []
    for token in tokens:
        match token:
            case Moment(t_s) | BoxAt(t_s):
                found.append(t_s)
            case SpanMark(start_s, end_s):
                found += [start_s, end_s]
    return found


def _boxes(tokens: Iterable[Token]) -> list[Box]:
    places = (box_or_none(t.x1, t.y1, t.x2, t.y2) for t in tokens if isinstance(t, BoxMark | BoxAt))
    return [box for box in places if box is not None]


def _plain(markup: str) -> str:
    return " ".join(t.text for t in parse(markup) if isinstance(t, Text))


def _stands_in(wanted: Sequence[str], words: Sequence[str]) -> bool:
    n = len(wanted)
    return n > 0 and any(list(words[i : i + n]) == list(wanted) for i in range(len(words) - n + 1))


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    n = min(RUN, len(words))
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)] if n else []
