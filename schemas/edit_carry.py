"""What is known of the sources, carried over to the clock and picture of an edit graph.

Spans are mapped by arithmetic; what an edit cuts or makes untrue is dropped, never guessed: events count only when (almost) whole
inside one uncut run, or in part where a part says the same (`the camera pans to the left`), words only when whole and heard at a
pace at which they can be understood, sentences about backward or mirrored footage only as the list of opposites turns them
(`reversible`), lettering not when mirrored. Tables that are not known here are not carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .box import box_or_none
from .edit_graph import Graph
from .edit_pieces import Placed, Run, exact, seconds
from .ids import derive_id
from .reversible import after_edit, lasting, standing

RowDict = dict[str, Any]
Known = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table."""

CARRIED = ("captions", "events", "words", "speech", "text_regions", "tracks", "boxes", "sounds", "questions")
"""Tables that `carry` maps; shots are made by `shots_of` from all sources together."""
_OWN = ("row_id", "producer", "unit", "media_id")
_HEARD_KINDS = ("sound", "speech")
_PLACE = {p: f"in the {p} half of the picture" for p in ("top", "bottom", "left", "right")} | {
    "middle": "in the middle of the picture"
}


@dataclass(frozen=True)
class CarryRules:
    """When something counts as still there."""

    event_share: float = 1.0
    """Least share of an event that must be seen in one uncut run; a frame at either end may be missing anyway."""
    lasting_s: float = 0.2
    """Of what is true of every part of its span (a movement in one direction, lettering) a part of this length counts."""
    speech_rate: tuple[float, float] = (0.5, 2.0)
    """Slowest and fastest rate at which speech counts as said."""
    least_s: float = 0.1
    """What is shown for a shorter time is dropped."""


def carry(graph: Graph, media_id: str, known: Known, rules: CarryRules | None = None) -> dict[str, list[RowDict]]:
    """Rows of `CARRIED` about one source, on the new clock, without the columns that the engine fills in.

    `known` holds rows of that medium alone, of one producer per table where several found the same things. Positions of words
    are numbered by `merged`, over all sources.
    """
    rules = rules or CarryRules()
    whole, moving = graph.runs(media_id), graph.runs(media_id, through_holds=False)
    captions = [r for r in known.get("captions", ()) if r["level"] in ("clip", "event", "medium")]
    tracks, boxes = _tracks(graph, whole, known)
    return {
        "captions": [_caption(row) for row in _described(graph, media_id, captions, rules)],
        "events": list(_described(graph, media_id, known.get("events", ()), rules)),
        "words": [
            *_heard(moving, known.get("words", ()), rules),
            *_overlaid(graph, media_id, known.get("words", ()), rules),
        ],
        "speech": [
            {**row, "origin": "composed"}
            for said in (known.get("speech", ()),)
            for row in (*_heard(moving, said, rules), *_overlaid(graph, media_id, said, rules))
        ],
        "text_regions": list(_texts(graph, whole, known.get("text_regions", ()), rules)),
        "tracks": tracks,
        "boxes": boxes,
        "sounds": [
            *_sounds(moving, known.get("sounds", ()), rules),
            *_overlaid(graph, media_id, known.get("sounds", ()), rules, own_pace=True),
        ],
        "questions": list(_questions(graph, moving, known.get("questions", ()), rules)),
    }


def merged(parts: Iterable[Mapping[str, Sequence[RowDict]]]) -> dict[str, list[RowDict]]:
    """Carried rows of several sources as one set: in order of time, words numbered, equal rows once."""
    found: dict[str, list[RowDict]] = {}
    for part in parts:
        for table, rows in part.items():
            found.setdefault(table, []).extend(rows)
    for table, rows in found.items():
        rows.sort(
            key=lambda r: (r.get("start_s") or r.get("t_s") or 0.0, r.get("end_s") or 0.0, repr(sorted(r.items())))
        )
        found[table] = [row for i, row in enumerate(rows) if not i or row != rows[i - 1]]
    for position, row in enumerate(found.get("words", [])):
        row["position"] = position
    return {table: rows for table, rows in found.items() if rows}


def shots_of(graph: Graph, shots: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[RowDict]:
    """Uncut spans of the result from those of its sources (rows by media_id); none when those of a source are not known.

    A border in any layer is a border. What is shorter than a frame joins the span before it.
    """
    borders: dict[Fraction, str] = {Fraction(0): "start"}
    for run in graph.runs():
        if run.begin:
            borders.setdefault(run.begin, "cut")
        if run.source.still:
            continue
        inner = sorted(shots.get(run.source.media_id, ()), key=lambda s: s["start_s"])
        if not inner:
            return []
        for row in inner[1:]:
            at = exact(row["start_s"])
            image = run.image(at, at + Fraction(1, 1_000_000)) if run.used[0] < at < run.used[1] else None
            if image is not None:
                borders.setdefault(image[1] if run.backwards else image[0], str(row["transition"]))
    times = sorted(borders)
    kept = times[:1] + [b for a, b in pairwise(times) if b - a >= 1 / graph.fps]
    kept = [t for t in kept if t < graph.duration]
    ends = [*kept[1:], graph.duration]
    return [
        {"start_s": seconds(a), "end_s": seconds(b), "transition": borders[a], "score": None}
        for a, b in zip(kept, ends, strict=True)
    ]


def parts_of(graph: Graph) -> list[tuple[Fraction, Fraction, tuple[Placed, ...]]]:
    """(begin, end, pieces) of every joined or inserted part of the first layer, in order; see `Piece.group`."""
    found: list[list[Placed]] = []
    for placed in graph.placed:
        if placed.layer:
            break
        if found and found[-1][-1].piece.group == placed.piece.group:
            found[-1].append(placed)
        else:
            found.append([placed])
    return [(part[0].begin, part[-1].end, tuple(part)) for part in found]


# -- described spans ----------------------------------------------------------------------------------------------------


def _described(graph: Graph, media_id: str, rows: Sequence[Mapping[str, Any]], rules: CarryRules) -> Iterator[RowDict]:
    """Rows with `text` over a span, where they are (almost) whole in a run and their text is still true. A held frame interrupts
    what happens, not what stands.
    """
    runs = {through: graph.runs(media_id, through_holds=through) for through in (True, False)}
    for row in rows:
        for run in runs[standing(str(row["text"]))]:
            image = _kept(graph, run, row, rules)
            text = None if image is None else _told(run, row, rules)
            if image is None or text is None:
                continue
            values = {**_values(row), **_span(*image), "text": text}
            if text != row["text"] and "query_id" in values:
                values["query_id"] = None
            yield values


def _kept(graph: Graph, run: Run, row: Mapping[str, Any], rules: CarryRules) -> tuple[Fraction, Fraction] | None:
    start, end = exact(row["start_s"]), exact(row["end_s"])
    image, (low, high) = run.image(start, end), run.used
    if image is None or end <= start or image[1] - image[0] < exact(rules.least_s):
        return None
    seen = min(end, high) - max(start, low)
    pace = max(abs(p.piece.rate) for p in run.pieces)
    frame = max(1 / run.source.fps, pace / graph.fps) * Fraction(101, 100)
    missing = max(low - start, end - high, Fraction(0))
    enough = seen >= exact(rules.event_share) * (end - start) or (missing <= frame and seen > 2 * frame)
    part = seen > 0 and image[1] - image[0] >= exact(rules.lasting_s) and lasting(str(row.get("text") or ""))
    return image if enough or part else None


def _told(run: Run, row: Mapping[str, Any], rules: CarryRules) -> str | None:
    """Its text as it is true of the result."""
    showing = run.showing(exact(row["start_s"]), exact(row["end_s"]))
    rates = {abs(p.piece.rate) for p in showing}
    heard = all(p.piece.sounds and rules.speech_rate[0] <= p.piece.rate <= rules.speech_rate[1] for p in showing)
    if row.get("kind") in _HEARD_KINDS and not heard:
        return None
    rate = next((float(r) for r in sorted(rates) if r != 1), 1.0)
    text = after_edit(str(row["text"]), backwards=run.backwards, mirrored=run.mirrored, rate=rate, heard=heard)
    if text is None or not run.panel:
        return text
    return f"{text} {_PLACE[run.panel]}"


def _caption(row: RowDict) -> RowDict:
    """A description of a clip or medium describes a part of what it became."""
    return {
        "start_s": row["start_s"],
        "end_s": row["end_s"],
        "level": "event",
        "text": row["text"],
        "model": "composer",
    }


def _questions(
    graph: Graph, runs: Sequence[Run], rows: Sequence[Mapping[str, Any]], rules: CarryRules
) -> Iterator[RowDict]:
    """Questions about a moment that is whole in a run, shown forward at its own pace, neither mirrored nor in a panel; those
    without a moment only where the source is shown whole and alone.
    """
    alone = len(graph.media_ids) == 1 and len(graph.placed) == 1
    for row in rows:
        moment = row if row.get("start_s") is not None else {**row, "start_s": 0.0, "end_s": None}
        for number, run in enumerate(runs):
            if run.backwards or run.mirrored or run.panel or any(p.piece.rate != 1 for p in run.pieces):
                continue
            if moment["end_s"] is None:
                if not alone or run.source.duration - (run.used[1] - run.used[0]) > 1 / graph.fps:
                    continue
                image = None
            elif (image := _kept(graph, run, moment, rules)) is None:
                continue
            question_id = derive_id("carried", run.source.media_id, row["question_id"], number)
            span = {} if image is None else _span(*image)
            yield {**_values(row), "question_id": question_id, **span}


# -- what is heard ------------------------------------------------------------------------------------------------------


def _heard(runs: Sequence[Run], rows: Sequence[Mapping[str, Any]], rules: CarryRules) -> Iterator[RowDict]:
    for row in rows:
        for run in runs:
            image = _heard_image(run, row)
            if image is None:
                continue
            showing = run.showing(exact(row["start_s"]), exact(row["end_s"]))
            if all(rules.speech_rate[0] <= p.piece.rate <= rules.speech_rate[1] for p in showing):
                yield {**_values(row), **_span(*image)}


def _heard_image(run: Run, row: Mapping[str, Any]) -> tuple[Fraction, Fraction] | None:
    """The image of a span that is whole in a run and heard throughout."""
    start, end = exact(row["start_s"]), exact(row["end_s"])
    low, high = run.used
    if run.backwards or start < low or end > high or end <= start:
        return None
    showing = run.showing(start, end)
    return run.image(start, end) if showing and all(p.piece.sounds for p in showing) else None


def _overlaid(
    graph: Graph, media_id: str, rows: Sequence[Mapping[str, Any]], rules: CarryRules, *, own_pace: bool = False
) -> Iterator[RowDict]:
    """What is whole in a sound on top, at a pace at which speech counts (`own_pace`: at its own)."""
    low, high = (1.0, 1.0) if own_pace else rules.speech_rate
    for overlay in graph.overlays:
        if overlay.source.media_id != media_id or not low <= overlay.rate <= high:
            continue
        for row in rows:
            start, end = exact(row["start_s"]), exact(row["end_s"])
            if overlay.start <= start < end <= overlay.start + overlay.length * overlay.rate:
                at = [overlay.at + (t - overlay.start) / overlay.rate for t in (start, end)]
                yield {**_values(row), **_span(*at)}


def _sounds(runs: Sequence[Run], rows: Sequence[Mapping[str, Any]], rules: CarryRules) -> Iterator[RowDict]:
    """Sound events; a changed rate changes their pitch unless it is kept, and with it what else was said of them."""
    for row in rows:
        for run in runs:
            image = _heard_image(run, row)
            if image is None or image[1] - image[0] < Fraction(1, 1000):
                continue
            values = {**_values(row), **_span(*image)}
            pieces = {
                (p.piece.rate, p.piece.keep_pitch) for p in run.showing(exact(row["start_s"]), exact(row["end_s"]))
            }
            changed = [rate for rate, kept in pieces if rate != 1 and not kept]
            if changed and len(pieces) > 1:
                continue
            if changed:
                pitch = values.get("pitch_hz")
                values["pitch_hz"] = None if pitch is None else pitch * float(changed[0])
                values["attributes_json"] = None
            yield values


# -- what is seen -------------------------------------------------------------------------------------------------------


def _texts(
    graph: Graph, runs: Sequence[Run], rows: Sequence[Mapping[str, Any]], rules: CarryRules
) -> Iterator[RowDict]:
    """Lettering for as long as it is seen; mirrored lettering says nothing."""
    for row in rows:
        box = box_or_none(*(row[c] for c in ("x1", "y1", "x2", "y2")))
        for run in runs:
            image = run.image(exact(row["start_s"]), exact(row["end_s"]))
            if run.mirrored or box is None or image is None or image[1] - image[0] < exact(rules.least_s):
                continue
            placed = graph.place(run.pieces[0].piece, box)
            if placed is not None:
                yield {**_values(row), **_span(*image), **_edges(placed.edges)}


def _tracks(graph: Graph, runs: Sequence[Run], known: Known) -> tuple[list[RowDict], list[RowDict]]:
    """Tracks with two boxes or more in an uncut run, and their boxes; held frames keep them in place."""
    by_track: dict[str, list[Mapping[str, Any]]] = {}
    for box in known.get("boxes", ()):
        by_track.setdefault(str(box["track_id"]), []).append(box)
    tracks: list[RowDict] = []
    boxes: list[RowDict] = []
    for row in known.get("tracks", ()):
        for run in runs:
            image = run.image(exact(row["start_s"]), exact(row["end_s"]))
            mine = {} if image is None else _boxes(graph, run, by_track.get(str(row["track_id"]), ()), *image)
            if image is None or len(mine) < 2:
                continue
            track_id = derive_id(
                "carried", run.source.media_id, row["track_id"], seconds(run.begin), run.pieces[0].layer
            )
            tracks.append({**_values(row), "track_id": track_id, **_span(*image)})
            boxes += [{**mine[t], "track_id": track_id, "t_s": seconds(t)} for t in sorted(mine)]
    return tracks, boxes


def _boxes(
    graph: Graph, run: Run, rows: Sequence[Mapping[str, Any]], begin: Fraction, end: Fraction
) -> dict[Fraction, RowDict]:
    """Boxes by time. Played backwards, a source frame begins where it used to end; a held frame has boxes at both its ends."""
    found: dict[Fraction, RowDict] = {}
    frame = 1 / run.source.fps
    for row in rows:
        box, at = box_or_none(*(row[c] for c in ("x1", "y1", "x2", "y2"))), exact(row["t_s"])
        for p in run.pieces if box is not None else ():
            placed = graph.place(p.piece, box) if box is not None else None
            if placed is None:
                continue
            values = {**_values(row), **_edges(placed.edges), "mask": None}
            if p.piece.rate == 0:
                if p.piece.source.still or abs(at - p.piece.start) <= frame / 4:
                    found |= {p.begin: values, p.end - 1 / graph.fps: values}
                continue
            t = p.target_of(at + frame if p.piece.rate < 0 else at)
            t = p.begin if abs(t - p.begin) <= Fraction(2, 1_000_000) else t
            if p.begin <= t < p.end and begin <= t < end:
                found.setdefault(t, values)
    return found


def _values(row: Mapping[str, Any]) -> RowDict:
    return {name: value for name, value in row.items() if name not in _OWN}


def _span(start: Fraction, end: Fraction) -> RowDict:
    return {"start_s": seconds(start), "end_s": seconds(end)}


def _edges(edges: tuple[float, float, float, float]) -> RowDict:
    return dict(zip(("x1", "y1", "x2", "y2"), edges, strict=True))
