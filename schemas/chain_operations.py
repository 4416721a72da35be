"""What steps of a chain may compare and compute: relations between two results, and named operations. Pure functions.

Results are plain values: numbers, texts, lists, and spans as pairs of seconds. The operations that pool motion or merge
readings are those with which tasks make their answers. What cannot be done raises `Impossible` with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .acoustic_programs import Impossible as NoSoundAnswer
from .acoustic_programs import read_program, run, scene_of
from .box import box_or_none
from .chain_space import SPACE_OPERATIONS
from .heard import heard_words
from .markup import escape
from .matching import alike_descriptions, alike_lines, alike_runs
from .metrics import normalise_words
from .motion import SIGNAL_COLUMNS, CameraRule, Edit, ObjectRule, measured, pool_camera, pool_object
from .objects import placed_track
from .readings import Reading, merge_readings, normalised
from .span import Span, from_us, overlap_s, tiou, to_us
from .tubes import tube_of

Pair = Sequence[float]
Likeness = Callable[[str, str], float]


class Impossible(ValueError):
    """A step that cannot be done with these values; the message says why."""


def words_alike(query: str, text: str) -> float:
    """How much the run of words in `text` that is most like `query` is like it, 0..1."""
    runs = alike_runs(normalise_words(query), normalise_words(text), 0.0)
    return max((r.score for r in runs), default=0.0)


LIKENESS: dict[str, Likeness] = {
    "words": words_alike,
    "writing": alike_lines,
    "description": alike_descriptions,
}
"""How much a text is like a query, 0..1, by kind of text."""


def joined(texts: str | Sequence[str]) -> str:
    """One text: words of a run with spaces between."""
    return " ".join((texts if isinstance(texts, str) else " ".join(map(str, texts))).split())


def _spans(value: Any) -> list[Span]:
    """A span, or a list of spans."""
    pairs = [value] if value and isinstance(value[0], int | float) else value
    return [Span(a, b) for a, b in pairs]


def _times(value: Any) -> list[float]:
    return [value] if isinstance(value, int | float) else list(value)


def _same_words(a: Any, b: Any) -> bool:
    return normalise_words(joined(a)) == normalise_words(joined(b))


def _same_place(a: Any, b: Any) -> bool:
    mine, other = _spans(a), _spans(b)
    return [(to_us(s.start_s), to_us(s.end_s)) for s in mine] == [(to_us(s.start_s), to_us(s.end_s)) for s in other]


def _within(a: Any, b: Any) -> bool:
    (window,) = _spans(b)
    return all(window.contains_span(s) for s in _spans(a))


def _inside(a: Any, b: Any) -> bool:
    (window,) = _spans(b)
    return all(to_us(window.start_s) < to_us(t) < to_us(window.end_s) for t in _times(a))


def _shown_at(a: Any, b: Any) -> bool:
    return [to_us(t) for t in _times(a)] == [to_us(t) for t in _times(b)]


RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda a, b: a == b,
    "at_least": lambda a, b: all(v >= b - 1e-9 for v in _times(a)),
    "at_most": lambda a, b: all(v <= b + 1e-9 for v in _times(a)),
    "says": _same_words,
    "reads": lambda a, b: normalised(joined(a)) == normalised(joined(b)),
    "same_span": _same_place,
    "within": _within,
    "touches": lambda a, b: all(overlap_s(s, o) > 0 for s in _spans(a) for o in _spans(b)),
    "apart": lambda a, b: all(overlap_s(s, o) <= 0 for s in _spans(a) for o in _spans(b)),
    "before": lambda a, b: max(to_us(s.end_s) for s in _spans(a)) <= min(to_us(s.start_s) for s in _spans(b)),
    "inside": _inside,
    "shown_at": _shown_at,
}
"""Relations by name: spans and lists of spans, moments, numbers, texts."""


# -- time ---------------------------------------------------------------------------------------------------------------


def _reach(*places: Any) -> tuple[float, float]:
    """From the first start to the last end."""
    spans = [s for place in places for s in _spans(place)]
    return min(s.start_s for s in spans), max(s.end_s for s in spans)


def _midpoint(place: Pair) -> float:
    """The middle of a span, on the microsecond grid."""
    return from_us(to_us((place[0] + place[1]) / 2))


def _tiou(place: Any, *, window: Pair) -> float:
    """Temporal intersection over union of a span with a window."""
    (span,) = _spans(place)
    return tiou(span, Span(*window))


def _reaches(value: float, *, least: float) -> int:
    """1 when a value is at least `least`, else 0."""
    return int(value >= least)


def _in_time_order(*pairs: Any, count: int) -> list[Any]:
    """The first `count` results in the order in time of the last `count` (moments, spans, or lists of them)."""
    items, places = pairs[:count], pairs[count:]
    if len(places) != count:
        raise Impossible(f"{len(places)} places for {count} items")
    starts = [min(to_us(v[0] if isinstance(v, Sequence) else v) for v in _listed(p)) for p in places]
    if len(set(starts)) < count:
        raise Impossible("two begin at the same time")
    return [items[i] for i in sorted(range(count), key=lambda i: starts[i])]


def _listed(place: Any) -> Sequence[Any]:
    if isinstance(place, int | float):
        return [place]
    return [place] if len(place) == 2 and isinstance(place, tuple) else place


def _argsort(*values: float) -> list[int]:
    """Indices of the values from the least to the greatest; no two may be equal."""
    if len(set(values)) < len(values):
        raise Impossible("two of them are equal")
    return sorted(range(len(values)), key=lambda i: values[i])


# -- texts --------------------------------------------------------------------------------------------------------------


def _quoted(texts: Any) -> str:
    """Words as they are quoted: one text, without the punctuation around it."""
    return joined(texts).strip(" ,;:-–—")


def _tidy(texts: Any) -> str:
    """Words as options have them: one text, without the punctuation around it."""
    return joined(texts).strip(" ,;:-–—.?!…\"'“”")


def _described(texts: Any) -> str:
    """A description as an answer: one text in markup, without its full stop."""
    return escape(joined(texts).rstrip("."))


def _clause(*texts: str, link: str = "") -> str:
    """Subject and predicate, with a verb between them where one is given, as an answer in markup."""
    first, *rest = texts
    return escape(joined([first, link, *rest] if rest else first))


def _times_told(texts: str | Sequence[str], *, query: str, like: str, least: float) -> int:
    """How many of the texts are like the query; of running words, how often they hold it."""
    told = [texts] if isinstance(texts, str) else list(texts)
    if like == "words":
        words = [w for text in told for w in normalise_words(text)]
        return sum(run.score >= least for run in alike_runs(normalise_words(query), words, least))
    return sum(LIKENESS[like](query, text) >= least for text in told)


def _least_alike(texts: str | Sequence[str], *, query: str, like: str) -> float:
    """How much the text that is least like the query is like it."""
    return min(LIKENESS[like](query, text) for text in ([texts] if isinstance(texts, str) else texts))


def _tellers(texts: str | Sequence[str], *, query: str) -> int:
    """How many of the texts hold the query, letter by letter."""
    wanted = normalised(query)
    return sum(wanted in normalised(text) for text in ([texts] if isinstance(texts, str) else texts))


def _index_of(value: Any, *, options: Sequence[Any]) -> int:
    """Place of a text, a label or a span among the options."""
    for i, option in enumerate(options):
        if _same_place(value, option) if isinstance(value, tuple) else value == option:
            return i
    raise Impossible(f"{value!r} is none of the options")


# -- pictures -----------------------------------------------------------------------------------------------------------


def _appearances(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Readings of single pictures as texts that stand for a while: text, span, box, confidence."""
    found = []
    for r in records:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is None or not r["end_s"] > r["start_s"]:
            raise Impossible(f"the reading {r['text']!r} has no place or no length")
        sure = 1.0 if r["confidence"] is None else r["confidence"]
        found.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, sure))
    merged = merge_readings(found)
    return [
        {
            "text": a.text,
            "span": (from_us(to_us(a.start_s)), from_us(to_us(a.end_s))),
            "box": tuple(round(v, 6) for v in a.box.edges),
            "confidence": a.confidence,
        }
        for a in merged
    ]


def _one(items: Sequence[Mapping[str, Any]], *, at: int, of: int, part: str) -> Any:
    """A part of item number `at` (from 0), where there must be `of` items in all."""
    if len(items) != of:
        raise Impossible(f"{len(items)} instead of {of}")
    return items[at][part]


def _box(records: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """The box of one row."""
    (r,) = records
    box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
    if box is None:
        raise Impossible("the row has no box")
    return tuple(round(v, 6) for v in box.edges)


def _tube(records: Sequence[Mapping[str, Any]], *, times: Sequence[float], max_gap_s: float) -> list[tuple[float, ...]]:
    """The boxes (t_s, x1, y1, x2, y2) of one track at the times, interpolated between its rows."""
    found = [{**r, "track_id": ""} for r in records]
    track = {"track_id": "", "start_s": 0.0, "end_s": max(times) + 1, "label": "", "phrase": "thing"}
    placed = placed_track(track, found)
    places = None if placed is None else tube_of(placed, times, max_gap_s)
    if places is None:
        raise Impossible("the place is not known at all of the times")
    return list(places)


def _nearest_bits(hashes: Sequence[int]) -> int:
    """The smallest distance of two perceptual hashes, bits."""
    pairs = [(a, b) for i, a in enumerate(hashes) for b in hashes[i + 1 :]]
    return min(((a ^ b) & (2**64 - 1)).bit_count() for a, b in pairs)


_UNREAD = dict.fromkeys(SIGNAL_COLUMNS, 0.0) | dict.fromkeys(f"residual_{edge}" for edge in ("x1", "y1", "x2", "y2"))
"""Columns of `signals` that a chain leaves out, because its rule does not look at them."""


def _way(
    signals: Sequence[Mapping[str, Any]],
    edits: Sequence[Mapping[str, Any]] = (),
    *,
    of: str,
    aspect: float,
    rule: Mapping[str, Any],
) -> str:
    """Which way the camera or the main thing goes, pooled over the frames; through an edit, on its twin."""
    motions = measured([{**_UNREAD, **row} for row in signals])
    if motions is None:
        raise Impossible("the frames hold a cut, or were not measured")
    if edits:
        mapping = Edit.from_row(edits[0])
        motions = sorted((mapping.motion(m) for m in motions), key=lambda m: m.t_s)
    pooled = (
        pool_camera(motions, aspect, CameraRule.model_validate(rule))
        if of == "camera"
        else pool_object(motions, aspect, ObjectRule.model_validate(rule))
    )
    if pooled.label is None:
        raise Impossible(pooled.reason)
    return pooled.label


def _agreed(values: Sequence[int], *, at: Sequence[int], moving: Sequence[int]) -> int:
    """The value that the components which move (above 0 at `moving`) agree on, at the same places of `at`."""
    found = {values[a] for a, m in zip(at, moving, strict=True) if values[m] > 0}
    if len(found) != 1:
        raise Impossible("nothing moves, or its components have their maximum at different places")
    return found.pop()


def _component(values: Sequence[Any], *, at: int) -> Any:
    """One component of a list."""
    return values[at]


def _quarter(cell: int) -> int:
    """Quarter (from 0, row by row) that holds a cell (from 1) of a 4 x 4 grid."""
    if not 1 <= cell <= 16:
        raise Impossible(f"cell {cell} of 16")
    row, column = divmod(cell - 1, 4)
    return row // 2 * 2 + column // 2


def _place_of(label: int, *, count: int) -> int:
    """Index of a label that counts from 1."""
    if not 1 <= label <= count:
        raise Impossible(f"label {label} of {count}")
    return label - 1


def _sound_answer(sounds: Any, program: str, *, duration_s: float) -> str:
    """What a functional program answers about a scene of sounds."""
    try:
        return run(read_program(json.loads(program)), scene_of(sounds, duration_s))
    except NoSoundAnswer as error:
        raise Impossible(str(error)) from None


OPERATIONS: dict[str, Callable[..., Any]] = {
    **SPACE_OPERATIONS,
    "reach": _reach,
    "midpoint": _midpoint,
    "in_time_order": _in_time_order,
    "argsort": _argsort,
    "quoted": _quoted,
    "tidy": _tidy,
    "described": _described,
    "clause": _clause,
    "tiou": _tiou,
    "reaches": _reaches,
    "joined": joined,
    "times_told": _times_told,
    "least_alike": _least_alike,
    "tellers": _tellers,
    "index_of": _index_of,
    "appearances": _appearances,
    "one": _one,
    "box": _box,
    "tube": _tube,
    "nearest_bits": _nearest_bits,
    "way": _way,
    "agreed": _agreed,
    "component": _component,
    "quarter": _quarter,
    "place_of": _place_of,
    "sound_answer": _sound_answer,
    "heard": lambda records: heard_words(records[0]),
}
"""Operations by name."""
