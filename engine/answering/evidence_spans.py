"""When and where a sample's evidence is, read from the sample alone: spans that are asked about, and what must be seen.

Spans come from the answer and from the markup of turns and options. Where none is named, the difficulty factors
`evidence_ratio` and `position` say where the evidence lies; where those are missing too, the whole window is evidence.
A conversation is asked about all spans of its turns, and about the scopes of turns that are answered otherwise.
All times are on the source's clock; media are counted from 0.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from ...schemas.box import Box, box_or_none
from ...schemas.markup import BoxAt, BoxMark, SpanMark, Token, parse
from ...schemas.readings import normalised
from ...schemas.sample import (
    AbsentAnswer,
    Answer,
    BoxAnswer,
    MediumRef,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
    TubeAnswer,
    TurnsAnswer,
)
from ...schemas.span import Span, span_or_none

MOMENT_REACH_S = 0.5
"""A place at a moment is asked about this much before and after it."""


def asked_spans(sample: Sample) -> list[tuple[int, Span]]:
    """(medium, span) of all spans that the answer, a turn or an option names, cut at the window that is shown.

    Raises `MarkupError` for malformed text.
    """
    named: list[tuple[int, float, float]] = []
    for answer in _answers(sample):
        match answer:
            case (
                SpanAnswer(start_s=start, end_s=end)
                | SpanBoxAnswer(start_s=start, end_s=end)
                | TubeAnswer(start_s=start, end_s=end)
            ):
                named.append((0, start, end))
            case SpansAnswer(spans=spans):
                named += [(0, *s) for s in spans]
    named += [(t.medium - 1, t.start_s, t.end_s) for t in _tokens(sample) if isinstance(t, SpanMark)]
    found: list[tuple[int, Span]] = []
    for medium, start, end in named:
        span = span_or_none(start, end)
        if span is not None and medium < len(sample.media):
            entry = (medium, span.clamp(_window(sample.media[medium])) or span)
            if entry not in found:
                found.append(entry)
    return found


def evidence_spans(sample: Sample) -> list[tuple[int, Span]]:
    """(medium, span) that must be seen: spans asked about, else where the evidence is known to lie, else whole windows.

    To say that something is absent the whole window must be seen.
    """
    windows = [(i, _window(ref)) for i, ref in enumerate(sample.media)]
    if isinstance(sample.answer, AbsentAnswer):
        return windows
    found = asked_spans(sample)
    if isinstance(sample.answer, TurnsAnswer):
        found += [entry for entry in _scopes(sample.answer) if entry not in found]
    if not found:
        inside = _placed(sample)
        found = [(0, inside)] if inside is not None else windows[:1]
    named = {medium for medium, _ in found}
    return found + [(i, window) for i, window in windows if i not in named]


def moving_spans(sample: Sample) -> list[tuple[int, Span]]:
    """(medium, span) in which motion must be seen, if the sample needs motion at all.

    In a conversation these are the scopes of what is not answered by a span or a place: a text asked about beside a
    movement may be read in one frame.
    """
    if isinstance(sample.answer, TurnsAnswer):
        return _scopes(sample.answer)
    return evidence_spans(sample)


def sample_boxes(sample: Sample) -> list[tuple[int, Box]]:
    """(medium, box) of all boxes that the answer, a turn or an option names."""
    found: list[tuple[int, Box]] = []
    for answer in _answers(sample):
        if isinstance(answer, (BoxAnswer, SpanBoxAnswer)) and (box := box_or_none(*answer.box)) is not None:
            found.append((0, box))
        if isinstance(answer, TubeAnswer):
            found += [(0, box) for box in answer.track.values()]
    for token in _tokens(sample):
        if isinstance(token, (BoxMark, BoxAt)):
            box = box_or_none(token.x1, token.y1, token.x2, token.y2)
            if box is not None and (token.medium - 1, box) not in found:
                found.append((token.medium - 1, box))
    return found


def sizes_to_see(sample: Sample) -> list[tuple[int, float, float]]:
    """(medium, width, height) as shares of the picture, of what must be recognised: boxes, and cited texts that are named.

    Of a text read several times the median size counts.
    """
    found = [(medium, box.x2 - box.x1, box.y2 - box.y1) for medium, box in sample_boxes(sample)]
    if "on_screen_text" not in sample.needs:
        return found
    said = normalised(" ".join((*(t.text for t in sample.turns), *(o.text for o in sample.options))))
    readings: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for cited in sample.evidence:
        values = cited.values
        if cited.table != "text_regions" or not {"text", "x1", "y1", "x2", "y2"} <= set(values):
            continue
        letters = normalised(str(values["text"]))
        if letters and letters in said:
            readings[letters].append((values["x2"] - values["x1"], values["y2"] - values["y1"]))
    for sizes in readings.values():
        found.append((0, median(w for w, _ in sizes), median(h for _, h in sizes)))
    return found


def _answers(sample: Sample) -> list[Answer]:
    """The answer, or those of all turns of a conversation."""
    return [part.answer for part in sample.answer.parts] if isinstance(sample.answer, TurnsAnswer) else [sample.answer]


def _scopes(answer: TurnsAnswer) -> list[tuple[int, Span]]:
    """What the turns are about whose answers are no spans; around its moment where a place is asked."""
    found: list[tuple[int, Span]] = []
    for part in answer.parts:
        span = span_or_none(*part.scope)
        if span is None or isinstance(part.answer, (SpanAnswer, SpansAnswer, SpanBoxAnswer, TubeAnswer)):
            continue
        if isinstance(part.answer, BoxAnswer):
            span = span_or_none(max(0.0, part.answer.t_s - MOMENT_REACH_S), part.answer.t_s + MOMENT_REACH_S) or span
        found.append((0, span))
    return list(dict.fromkeys(found))


def _placed(sample: Sample) -> Span | None:
    """Where the difficulty factors say that the evidence lies, or around the moment of a place."""
    window = _window(sample.media[0])
    ratio, position = sample.difficulty.get("evidence_ratio"), sample.difficulty.get("position")
    if ratio is not None and position is not None and 0 < ratio <= 1:
        centre, half = window.start_s + position * window.length_s, ratio * window.length_s / 2
        placed = span_or_none(max(0.0, centre - half), centre + half)
        if placed is not None and (inside := placed.clamp(window)) is not None:
            return inside
    if isinstance(sample.answer, BoxAnswer):
        around = span_or_none(max(0.0, sample.answer.t_s - MOMENT_REACH_S), sample.answer.t_s + MOMENT_REACH_S)
        return around.clamp(window) if around is not None else None
    return None


def _window(ref: MediumRef) -> Span:
    return Span(ref.start_s, max(ref.end_s, ref.start_s + 1e-6))


def _tokens(sample: Sample) -> list[Token]:
    texts = (*(t.text for t in sample.turns), *(o.text for o in sample.options))
    return [token for text in texts for token in parse(text)]
