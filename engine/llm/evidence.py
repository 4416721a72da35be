"""From stored rows to facts and back: the numbered evidence of a window, citing facts, and the same facts from cited rows.

Facts lie wholly in the window. Names are `e1, e2 ...` in order of time for what is said, shown and described, `obj1 ...` for
tracked objects, `r1 ...` for triples, `f1 ...` for pictures, `s1 ...` for samples. Facts are cited in the natural order of
their names, each with every row that it is made of; `facts_from` needs nothing but these rows and the names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ...schemas.box import box_or_none
from ...schemas.facts import Fact, FactKind, Facts, name_order
from ...schemas.markup import BoxAt, BoxMark, MarkupError, Moment, SpanMark, Text, Token, parse
from ...schemas.objects import phrase_of, with_article
from ...schemas.readings import Reading, merge_readings
from ...schemas.sample import Evidence
from ...schemas.span import Span, from_us, span_or_none, to_us
from ..captions import kept_text, model_rows
from ..kept import one_producer
from ..task import EvidenceRow

RowDict = Mapping[str, Any]
ALL_KINDS: tuple[FactKind, ...] = (
    "speech",
    "text",
    "event",
    "caption",
    "shot",
    "object",
    "relation",
    "frame",
    "sample",
)
EVENT_LEVELS = ("event", "clip")
COLUMNS: dict[str, tuple[str, ...]] = {
    "speech": ("start_s", "end_s", "text"),
    "text_regions": ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2"),
    "captions": ("start_s", "end_s", "level", "text"),
    "claims": ("caption_id", "sentence", "status"),
    "shots": ("start_s", "end_s"),
    "tracks": ("track_id", "start_s", "end_s", "label", "phrase", "attributes_json"),
    "boxes": ("track_id", "t_s", "x1", "y1", "x2", "y2"),
    "triples": ("start_s", "end_s", "subject", "predicate", "object_text"),
    "frames": ("t_s", "until_s"),
    "samples": ("sample_id", "task", "window_start_s", "window_end_s", "answer_json"),
}
"""Columns that are cited of each table."""
_PREFIX: dict[FactKind, str] = {"object": "obj", "relation": "r", "frame": "f", "sample": "s"}


def facts_of(rows: Mapping[str, Sequence[RowDict]], window: Span, kinds: Sequence[str], *, most: int = 60) -> Facts:
    """The facts of these kinds that lie in the window, at most `most` of them, evenly spread where there are more.

    Captions of models come without their sentences that hold a contradicted claim; these claims are cited with them, so that
    what was cut can be told again. Raises ValueError for an unknown kind.
    """
    unknown = [kind for kind in kinds if kind not in ALL_KINDS]
    if unknown:
        raise ValueError(f"no facts of kind {unknown[0]!r}; kinds are {', '.join(ALL_KINDS)}")
    found = [fact for kind in dict.fromkeys(kinds) for fact in _of_kind(kind, rows)]
    found = sorted((f for f in found if _inside(f, window)), key=_order)
    if len(found) > most:
        found = [found[i * len(found) // most] for i in range(most)]
    counts: dict[str, int] = {}
    named = []
    for fact in found:
        prefix = _PREFIX.get(fact.kind, "e")
        counts[prefix] = counts.get(prefix, 0) + 1
        named.append(replace(fact, name=f"{prefix}{counts[prefix]}"))
    return Facts(sorted(named, key=lambda fact: name_order(fact.name)))


def cite_fact(fact: Fact) -> Evidence:
    """Evidence of the fact's own row; `cited` gives that of all its rows."""
    return _evidence(fact.table, fact.row)


def cited(facts: Facts, names: Iterable[str]) -> tuple[Evidence, ...]:
    """Evidence of the named facts in the natural order of their names, each row once. Raises KeyError for an unknown name."""
    found: dict[tuple[str, str], Evidence] = {}
    for name in sorted(set(names), key=name_order):
        for table, row in facts[name].rows:
            found.setdefault((table, str(row["row_id"])), _evidence(table, row))
    return tuple(found.values())


def facts_from(evidence: Sequence[EvidenceRow], names: Iterable[str]) -> Facts:
    """The facts that `cited` cited under these names, from the rows as they are stored now; rows of other tables are ignored.

    Raises ValueError when the rows do not make as many facts.
    """
    found: list[Fact] = []
    for table, run in _runs(e for e in evidence if e.table in COLUMNS):
        if table == "boxes" and found and found[-1].table == "tracks":
            found[-1] = _object(found[-1].row, run)
        elif table == "claims" and found and found[-1].table == "captions":
            found[-1:] = _described(found[-1].row, run)
        else:
            found += _made(table, run)
    ordered = sorted(set(names), key=name_order)
    if len(ordered) != len(found):
        raise ValueError(f"the cited rows make {len(found)} facts, not {len(ordered)} ({', '.join(ordered)})")
    return Facts(replace(fact, name=name) for fact, name in zip(found, ordered, strict=True))


def _runs(evidence: Iterable[EvidenceRow]) -> Iterable[tuple[str, list[RowDict]]]:
    """Neighbouring rows of one table."""
    for table, rows in groupby(evidence, key=lambda e: e.table):
        yield table, [e.row for e in rows]


# -- one kind at a time ----------------------------------------------------------------------------------------------


def _of_kind(kind: str, rows: Mapping[str, Sequence[RowDict]]) -> list[Fact]:
    match kind:
        case "speech":
            return _made("speech", one_producer(rows["speech"]))
        case "text":
            return _made("text_regions", one_producer(rows["text_regions"]))
        case "event":
            return _made("captions", one_producer([c for c in rows["captions"] if c["level"] in EVENT_LEVELS]))
        case "caption":
            denied = [c for c in rows["claims"] if c["status"] == "contradicted"]
            return [fact for row in model_rows(rows["captions"]) for fact in _described(row, denied)]
        case "shot":
            return _made("shots", one_producer(rows["shots"]))
        case "object":
            tracks, boxes = one_producer(rows["tracks"]), rows["boxes"]
            return [_object(track, _middle_box(track, boxes)) for track in tracks]
        case "relation":
            return _made("triples", [t for t in rows["triples"] if t["status"] != "contradicted"])
        case "frame":
            return _made("frames", one_producer(rows["frames"]))
    return _made("samples", list(rows["samples"]))


def _made(table: str, rows: Sequence[RowDict]) -> list[Fact]:
    """Facts from rows of one table; what was read in several pictures is one fact."""
    if table == "text_regions":
        return _writings(rows)
    made = {
        "speech": lambda r: _spanned("speech", table, r, r["text"]),
        "captions": lambda r: next(iter(_described(r, [])), None),
        "shots": lambda r: _spanned("shot", table, r, None),
        "triples": lambda r: _spanned("relation", table, r, _triple(r)),
        "tracks": lambda r: _object(r, []),
        "frames": _frame,
        "samples": lambda r: Fact(
            "s1", "sample", table, r, Span(r["window_start_s"], r["window_end_s"]), text=_asked(r)
        ),
    }.get(table)
    found = [made(row) for row in rows] if made else []
    return [fact for fact in found if fact is not None]


def _spanned(kind: FactKind, table: str, row: RowDict, text: str | None) -> Fact | None:
    span = span_or_none(from_us(to_us(row["start_s"])), from_us(to_us(row["end_s"])))
    return None if span is None or text == "" else Fact("e1", kind, table, row, span, text=text)


def _described(row: RowDict, claims: Iterable[RowDict]) -> list[Fact]:
    """A description, without what its contradicted claims cut; nothing when nothing is left."""
    if row["level"] in EVENT_LEVELS:
        told = _spanned("event", "captions", row, whole(row["text"]))
        return [told] if told is not None else []
    mine = sorted((c for c in claims if c["caption_id"] == row["row_id"]), key=lambda c: c["position"])
    fact = _spanned("caption", "captions", row, whole(kept_text(row, mine)))
    if fact is None:
        return []
    return [replace(fact, members=(("captions", row), *(("claims", c) for c in mine))) if mine else fact]


def _frame(row: RowDict) -> Fact:
    return Fact("f1", "frame", "frames", row, t_s=from_us(to_us(row["t_s"])))


def _writings(rows: Sequence[RowDict]) -> list[Fact]:
    """Readings of the same text at the same place as one fact; a reading without a place is one by itself."""
    by_id = {str(row["row_id"]): row for row in rows}
    readings, found = [], []
    for row in rows:
        box = box_or_none(row["x1"], row["y1"], row["x2"], row["y2"]) if row["x1"] is not None else None
        if box is None:
            alone = _spanned("text", "text_regions", row, row["text"])
            found += [alone] if alone else []
        elif row["end_s"] > row["start_s"]:
            sure = 1.0 if row["confidence"] is None else row["confidence"]
            readings.append(Reading(str(row["row_id"]), row["text"], row["start_s"], row["end_s"], box, sure))
    for one in merge_readings(readings):
        members = tuple(("text_regions", by_id[i]) for i in one.members)
        span = Span(one.start_s, one.end_s).quantised()
        found.append(
            Fact("e1", "text", "text_regions", members[0][1], span, text=one.text, box=one.box, members=members)
        )
    return sorted(found, key=_order)


def _object(track: RowDict, boxes: Sequence[RowDict]) -> Fact:
    span = Span(track["start_s"], track["end_s"]).quantised()
    text = with_article(phrase_of(track))
    places = [(b, box_or_none(b["x1"], b["y1"], b["x2"], b["y2"])) for b in boxes]
    for row, box in places:
        if box is not None:
            members = (("tracks", track), ("boxes", row))
            return Fact("obj1", "object", "tracks", track, span, from_us(to_us(row["t_s"])), text, box, members)
    return Fact("obj1", "object", "tracks", track, span, text=text)


def _middle_box(track: RowDict, boxes: Iterable[RowDict]) -> list[RowDict]:
    """The track's box nearest to the middle of its span."""
    middle = (track["start_s"] + track["end_s"]) / 2
    mine = [b for b in boxes if b["track_id"] == track["track_id"]]
    return sorted(mine, key=lambda b: (abs(b["t_s"] - middle), b["t_s"]))[:1]


def _triple(row: RowDict) -> str:
    return " ".join(part for part in (row["subject"], row["predicate"], row["object_text"]) if part)


def _asked(row: RowDict) -> str | None:
    turns = row.get("turns")
    return whole(turns[0]["text"]) if turns else None


def plain(markup: str) -> str:
    """The words of neutral markup, without its tags."""
    return _words(markup, lambda token: token.text if isinstance(token, Text) else " ")


def whole(markup: str) -> str:
    """The same as whole sentences: a time or place is "that time", "that moment" or "that place"."""
    return _words(markup, _said)


def _words(markup: str, said: Callable[[Token], str]) -> str:
    try:
        words = "".join(said(token) for token in parse(markup))
    except MarkupError:
        words = markup
    return " ".join(words.split())


def _said(token: Token) -> str:
    match token:
        case Text(text):
            return text
        case SpanMark():
            return "that time"
        case Moment():
            return "that moment"
        case BoxMark() | BoxAt():
            return "that place"
    return " "


def _inside(fact: Fact, window: Span) -> bool:
    if fact.span is not None:
        return window.contains_span(fact.span)
    return fact.t_s is None or to_us(window.start_s) <= to_us(fact.t_s) <= to_us(window.end_s)


def _order(fact: Fact) -> tuple[Any, ...]:
    start, end = (to_us(t) for t in (fact.times or (0.0, 0.0)))
    return (start, end, ALL_KINDS.index(fact.kind), fact.text or "", str(fact.row["row_id"]))


def _evidence(table: str, row: RowDict) -> Evidence:
    values = {name: row[name] for name in COLUMNS[table]}
    return Evidence(table=table, row_id=str(row["row_id"]), values=json.loads(json.dumps(values)))
