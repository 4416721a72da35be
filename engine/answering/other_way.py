"""Could a sample be answered another way: is what it must hear also readable, or what it must read also said?

One pure function over stored words and readings. A span is given away when the words that the question quotes are found
in the other modality at about the answer's time; a choice when the right option is found there and no wrong one; an
order when the items are found there in that order. It knows words only: a movement is doubted when somebody says which
it is, but sounds and pictures themselves are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from ...schemas.markup import Text, parse
from ...schemas.metrics import normalise_words
from ...schemas.readings import normalised
from ...schemas.sample import ChoiceAnswer, OrderAnswer, Sample, SpanAnswer, SpansAnswer
from ...schemas.span import Span, merge, span_or_none, tiou_sets
from .answerable import AUDIBLE

Way = Literal["vision", "audio"]
_QUOTED = re.compile(r"“([^“”]+)”")
_LINE_WORDS = 3
"""Fewer words of a line in a longer text may be chance."""


@dataclass(frozen=True)
class Found:
    """Words in one modality and when they are there: a spoken word or segment, or all that one picture shows."""

    words: tuple[str, ...]
    span: Span
    letters: str
    """The same without spaces, for readings that lose them."""


@dataclass(frozen=True)
class Doubt:
    """What the other modality says about a sample."""

    other_way: Way
    given: bool
    """Whether it gives the answer."""
    score: float
    why: str


def heard(words: Sequence[Mapping[str, Any]], segments: Sequence[Mapping[str, Any]]) -> list[Found]:
    """What is said, from rows of `words`, or of `speech` where there are none: one entry per word, or per segment."""
    if not words:
        found = (_found(str(r["text"]), r["start_s"], r["end_s"]) for r in segments)
    else:
        found = (
            _found(word, r["start_s"], r["end_s"])
            for r in sorted(words, key=lambda r: r["position"])
            for word in normalise_words(str(r["word"]))
        )
    return [f for f in found if f is not None]


def readable(rows: Iterable[Mapping[str, Any]]) -> list[Found]:
    """What each picture shows, from rows of `text_regions`: the texts of one picture from top to bottom."""
    pictures: dict[tuple[float, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        pictures.setdefault((row["start_s"], row["end_s"]), []).append(row)
    texts = (
        (" ".join(str(r["text"]) for r in sorted(rows, key=lambda r: (r["y1"], r["x1"]))), span)
        for span, rows in sorted(pictures.items())
    )
    return [f for text, (start, end) in texts if (f := _found(text, start, end)) is not None]


def doubt(
    sample: Sample, said: Sequence[Found], shown: Sequence[Found], min_share: float, min_tiou: float
) -> Doubt | None:
    """What the other modality says about the declared needs; None when it cannot be asked.

    `min_share`: least share of a phrase's words, in order, that must be found; `min_tiou`: how near in time.
    """
    way: Way = "vision" if set(sample.needs) & AUDIBLE else "audio"
    there = [f for f in (shown if way == "vision" else said) if f.span.intersection(sample.window)]
    if not there:
        return None
    if way == "audio" and "on_screen_text" not in sample.needs and not _tellable(sample):
        return None
    where = "readable on screen" if way == "vision" else "said"
    match sample.answer:
        case SpanAnswer(start_s=start, end_s=end):
            return _of_spans(sample, way, where, there, [Span(start, end)], min_share, min_tiou)
        case SpansAnswer(spans=spans) if spans:
            return _of_spans(sample, way, where, there, [Span(*s) for s in spans], min_share, min_tiou)
        case ChoiceAnswer(index=index):
            return _of_choice(sample, way, where, there, index, min_share)
        case OrderAnswer(order=order):
            return _of_order(sample, way, where, there, order, min_share)
    return None


def _tellable(sample: Sample) -> bool:
    """Whether what is seen has options that somebody might say: of two words or more, for single words are chance."""
    phrases = [_plain(option.text) for option in sample.options]
    return isinstance(sample.answer, ChoiceAnswer) and all(p is not None and len(p) > 1 for p in phrases)


def _of_spans(
    sample: Sample,
    way: Way,
    where: str,
    there: Sequence[Found],
    truth: Sequence[Span],
    min_share: float,
    min_tiou: float,
) -> Doubt | None:
    phrases = [words for turn in sample.turns if turn.role == "user" for words in _quotes(turn.text)]
    if not phrases:
        return None
    spans = merge(span for phrase in phrases for span in _places(phrase, there, min_share))
    score = round(tiou_sets(spans, truth), 6)
    times = ", ".join(f"{s.start_s:.2f}..{s.end_s:.2f} s" for s in spans)
    return Doubt(way, score >= min_tiou, score, f"{where} in {times}" if spans else f"not {where} in the window")


def _of_choice(
    sample: Sample, way: Way, where: str, there: Sequence[Found], index: int, min_share: float
) -> Doubt | None:
    phrases = [_plain(option.text) for option in sample.options]
    if any(phrase is None for phrase in phrases):
        return None
    shares = [_best_share(phrase or (), there) for phrase in phrases]
    best = max(shares)
    if best < min_share:
        return Doubt(way, False, 0.0, f"no option is {where}")
    if shares[index] < best or shares.count(best) > 1:
        return Doubt(way, False, 0.0, f"other options are {where} as well")
    return Doubt(way, True, 1.0, f"of all options the right one is {where}")


def _of_order(
    sample: Sample, way: Way, where: str, there: Sequence[Found], order: Sequence[int], min_share: float
) -> Doubt | None:
    phrases = [_plain(option.text) for option in sample.options]
    if any(not phrase for phrase in phrases):
        return None
    firsts = [min((s.start_s for s in _places(p or (), there, min_share, parts=True)), default=None) for p in phrases]
    if any(t is None for t in firsts):
        return Doubt(way, False, 0.0, f"{sum(t is not None for t in firsts)} of {len(firsts)} items are {where}")
    given = sorted(range(len(firsts)), key=lambda i: firsts[i] or 0.0) == list(order)
    return Doubt(way, given, float(given), f"all items are {where}, {'in' if given else 'not in'} their order")


def _places(phrase: Sequence[str], there: Sequence[Found], min_share: float, *, parts: bool = False) -> Iterator[Span]:
    """Where a phrase stands; with `parts` also where a line is a part of it (subtitles show a text piece by piece)."""
    for share, span in _shares(phrase, there):
        if share >= min_share:
            yield span
    if parts:
        yield from (f.span for f in there if len(f.words) >= _LINE_WORDS and _share(f.words, phrase) >= min_share)


def _best_share(phrase: Sequence[str], there: Sequence[Found]) -> float:
    return max((share for share, _ in _shares(phrase, there)), default=0.0)


def _shares(phrase: Sequence[str], there: Sequence[Found]) -> Iterator[tuple[float, Span]]:
    """How much of a phrase stands where: runs of single words of its length, or whole texts."""
    n, letters = len(phrase), normalised("".join(phrase))
    if not n:
        return
    if all(len(f.words) == 1 for f in there):
        for i in range(len(there) - n + 1):
            equal = sum(a == f.words[0] for a, f in zip(phrase, there[i : i + n], strict=True))
            if equal and (joined := span_or_none(there[i].span.start_s, there[i + n - 1].span.end_s)):
                yield equal / n, joined
    for found in there:
        if letters in found.letters:
            yield 1.0, found.span
        elif len(found.words) > 1:
            yield _share(phrase, found.words), found.span


def _share(phrase: Sequence[str], words: Sequence[str]) -> float:
    """Share of the phrase's words that stand in `words` in the same order."""
    blocks = SequenceMatcher(None, phrase, words, autojunk=False).get_matching_blocks()
    return sum(b.size for b in blocks) / len(phrase) if phrase else 0.0


def _quotes(text: str) -> list[tuple[str, ...]]:
    plain = "".join(token.text for token in parse(text) if isinstance(token, Text))
    return [words for quoted in _QUOTED.findall(plain) if (words := tuple(normalise_words(quoted)))]


def _plain(text: str) -> tuple[str, ...] | None:
    """Words of an option; None when it is not words alone."""
    tokens = parse(text)
    if not all(isinstance(token, Text) for token in tokens):
        return None
    return tuple(normalise_words("".join(token.text for token in tokens if isinstance(token, Text))))


def _found(text: str, start_s: float, end_s: float) -> Found | None:
    words, span = tuple(normalise_words(text)), span_or_none(start_s, end_s)
    return Found(words, span, normalised("".join(words))) if words and span is not None else None
