"""The timeline of a sample: what is asked, answered, cut, said and written in the window, on lanes below each other.

Lanes are first laid out as data (`lanes_of`), then drawn. The answer's span goes through all lanes as a light column,
so that one sees at a glance which words and texts fall into it; rows that the answer rests on are orange.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..schemas.readings import Appearance
from ..schemas.sample import BoxAnswer, ChoiceAnswer, OrderAnswer, Sample, TurnsAnswer
from . import pen as p
from .asked_space import AskedSpace
from .lanes import LEFT, LETTER_PX, RIGHT, Axis, Bar, Lane, fits, packed, room, row_bar
from .overlays import MarkedTrack
from .pen import Pen
from .readable import answer_spans, evidence_times, reasons, seconds, span_words, spans_named

Row = Mapping[str, Any]
LANE_PX, BAR_PX = 34, 28
COLUMN = "#e6f5ee"
_SOURCE_TABLES = ("media", "clips", "edits")
_OWN_LANES = ("shots", "speech", "words", "text_regions")
_MOST_TEXT_LANES = 4
_MOST_OTHER_LANES = 3
"""Lanes of rows of a table beyond those that the sample rests on."""


@dataclass(frozen=True)
class Around:
    """What is stored about the first medium near a sample's window. Rows are those of the tables, in order of time."""

    media: Mapping[str, Row] = field(default_factory=dict)
    """Row of table `media` by identifier."""
    shots: Sequence[Row] = ()
    speech: Sequence[Row] = ()
    words: Sequence[Row] = ()
    texts: Sequence[Appearance] = ()
    sounds: Sequence[Row] = ()
    events: Sequence[Row] = ()
    edit: Row | None = None
    """How the first medium was made, when it is a twin of a clip: row of `edits`, with its source's `title`."""
    space: AskedSpace | None = None
    """The first medium's scene, for samples that are about space."""
    tracks: Mapping[str, Sequence[MarkedTrack]] = field(default_factory=dict)
    """Tracks that the sample rests on, by medium."""


def axis_of(sample: Sample) -> Axis:
    """The window of the first medium, with what else the sample shows of the same medium."""
    same = [m for m in sample.media if m.media_id == sample.media[0].media_id]
    return Axis(min(m.start_s for m in same), max(max(m.end_s, m.start_s) for m in same))


def lanes_of(sample: Sample, around: Around) -> list[Lane]:
    """All lanes that have something in the window."""
    axis = axis_of(sample)
    cited = {(e.table, e.row_id) for e in sample.evidence}

    def bars(table: str, rows: Sequence[Row], label: str, tint: str, *, whole: bool = False) -> list[Bar]:
        return [
            Bar(
                r["start_s"],
                r["end_s"],
                str(r[label]),
                *((p.EVIDENCE_TINT, p.EVIDENCE) if (table, r["row_id"]) in cited else (tint, p.INK)),
                whole=whole,
            )
            for r in rows
        ]

    lanes = [
        *_turn_lanes(sample, axis),
        Lane("pictures", tuple(_still_bars(sample))),
        Lane("shots", tuple(_shot_bars(around.shots, axis))),
        Lane("speech", tuple(bars("speech", around.speech, "text", p.SPEECH_TINT))),
        Lane("words", tuple(bars("words", around.words, "word", p.SPEECH_TINT, whole=True))),
        *_text_lanes(around.texts, cited),
        *_row_lanes(sample, around, axis),
    ]
    inside = [
        Lane(lane.name, tuple(b for b in lane.bars if b.end_s >= axis.start_s and b.start_s <= axis.end_s))
        for lane in lanes
    ]
    return [lane for lane in inside if lane.bars]


def _turn_lanes(sample: Sample, axis: Axis) -> list[Lane]:
    """What is asked about, what is answered and why; of a conversation, both on one lane per turn."""
    if not isinstance(sample.answer, TurnsAnswer):
        return [
            *packed("answer", _answer_bars(sample), axis),
            *packed("asked", _asked_bars(sample), axis),
            *packed("why", _reason_bars(sample), axis),
        ]
    lanes = []
    for i, part in enumerate(sample.answer.parts, start=1):
        one = sample.model_copy(update={"answer": part.answer, "options": sample.options[slice(*part.options)]})
        scope = Bar(*part.scope, "" if _answer_bars(one) else span_words(*part.scope), p.ASKED_TINT, p.ASKED)
        lanes.append(Lane(f"turn {i}", (scope, *_answer_bars(one))))
    return lanes


def _answer_bars(sample: Sample) -> list[Bar]:
    bars = [
        Bar(a, b, span_words(a, b) if b > a else f"{seconds(a)} s", p.ANSWER, p.PAPER, outside=True)
        for a, b in answer_spans(sample)
    ]
    if isinstance(sample.answer, BoxAnswer):
        t_s = sample.answer.t_s
        bars.append(Bar(t_s, t_s, f"{seconds(t_s)} s", p.ANSWER, p.PAPER, outside=True))
    if isinstance(sample.answer, ChoiceAnswer):
        wrong = [o.text for i, o in enumerate(sample.options) if i != sample.answer.index]
        bars = [Bar(a, b, "", p.WRONG_TINT) for a, b in spans_named(wrong)] + bars
    return bars


def _asked_bars(sample: Sample) -> list[Bar]:
    named = spans_named(t.text for t in sample.turns if t.role == "user")
    return [
        Bar(a, b, span_words(a, b) if b > a else f"{seconds(a)} s", p.ASKED, p.PAPER, outside=True) for a, b in named
    ]


def _reason_bars(sample: Sample) -> list[Bar]:
    """Spans of the steps of reasoning, with the number of the step."""
    return [Bar(a, b, str(number), p.EVIDENCE, p.PAPER, outside=True) for number, (a, b) in reasons(sample).items()]


def _still_bars(sample: Sample) -> list[Bar]:
    """Stills at their times, numbered as they are shown; for an order, green like an answer."""
    tint = p.ANSWER if isinstance(sample.answer, OrderAnswer) else p.MUTED
    first = sample.media[0].media_id
    return [
        Bar(t, t, str(number), tint, tint, outside=True)
        for number, (media_id, t) in enumerate(stills_of(sample), 1)
        if media_id == first
    ]


def stills_of(sample: Sample) -> list[tuple[str, float]]:
    """(medium, time) of every still that the sample shows, in the order in which it shows them."""
    found = []
    for ref in sample.media:
        times = ref.frame_times or ((ref.start_s,) if ref.kind == "image" else ())
        found += [(ref.media_id, t) for t in times]
    return found


def _shot_bars(shots: Sequence[Row], axis: Axis) -> list[Bar]:
    """Shots in two greys; those that begin in the window say how."""
    return [
        Bar(
            s["start_s"],
            s["end_s"],
            str(s["transition"]) if s["start_s"] >= axis.start_s and s["transition"] != "start" else "",
            p.SHOT_TINTS[i % 2],
            p.MUTED,
        )
        for i, s in enumerate(shots)
    ]


def _text_lanes(texts: Sequence[Appearance], cited: set[tuple[str, str]]) -> list[Lane]:
    """Texts on as few lanes as they need side by side; what does not fit into the lanes is counted."""
    lanes: list[list[Bar]] = []
    more = 0
    for text in sorted(texts, key=lambda t: (t.start_s, t.end_s, t.text)):
        own = any(("text_regions", member) in cited for member in text.members)
        tint, ink = (p.EVIDENCE_TINT, p.EVIDENCE) if own else (p.TEXT_TINT, p.INK)
        free = next((lane for lane in lanes if lane[-1].end_s <= text.start_s), None)
        if free is None:
            if len(lanes) == _MOST_TEXT_LANES and not own:
                more += 1
                continue
            free = []
            lanes.append(free)
        free.append(Bar(text.start_s, text.end_s, text.text, tint, ink))
    names = ["on screen", *[""] * max(0, len(lanes) - 1)]
    if more and lanes:
        names[-1] = f"{names[-1]} +{more}".strip()
    return [Lane(name, tuple(lane)) for name, lane in zip(names, lanes, strict=False)]


def _row_lanes(sample: Sample, around: Around, axis: Axis) -> list[Lane]:
    """Cited rows of tables that have no lane of their own, on a twin's clock where it is one, and beside them what else is heard
    (where the sample needs the sound) and what else happens (where it cites events)."""
    tables: dict[str, list[Bar]] = {}
    place = _on_twin(around.edit)
    for row in sample.evidence:
        times = evidence_times(row)
        if times is None or row.table in (*_SOURCE_TABLES, *_OWN_LANES):
            continue
        a, b = sorted((place(times[0]), place(times[1])))
        tables.setdefault(row.table, []).append(row_bar(row.table, row.values, a, b, cited=True))
    cited = {(e.table, e.row_id) for e in sample.evidence}
    others = {
        "sounds": around.sounds if "audio" in sample.needs else (),
        "events": around.events if "events" in tables else (),
    }
    for table, rows in others.items():
        more = [
            row_bar(table, r, r["start_s"], r["end_s"], cited=False) for r in rows if (table, r["row_id"]) not in cited
        ]
        least = len(_lanes_of_table(table, tables.get(table, ()), axis))
        while more and len(_lanes_of_table(table, [*tables.get(table, ()), *more], axis)) > max(
            least, _MOST_OTHER_LANES
        ):
            more = more[: len(more) // 2]
        if more:
            tables.setdefault(table, []).extend(more)
    return [lane for name, bars in tables.items() for lane in _lanes_of_table(name, bars, axis)]


def _lanes_of_table(name: str, bars: Sequence[Bar], axis: Axis) -> list[Lane]:
    """Labelled bars on as many lanes as they need not to overlap; all others on one."""
    if not any(bar.label for bar in bars):
        return [Lane(name, tuple(bars))] if bars else []
    return packed(name, bars, axis)


def _on_twin(edit: Row | None) -> Callable[[float], float]:
    if edit is None:
        return lambda t: t
    scale, offset = float(edit["time_scale"]), float(edit["time_offset_s"])
    return lambda t: scale * t + offset


def draw_timeline(pen: Pen, top: float, sample: Sample, around: Around, marks: Sequence[float]) -> float:
    """Draw the timeline below `top`, with a small mark at each time that a picture was taken; where it ends."""
    axis, lanes = axis_of(sample), lanes_of(sample, around)
    bottom = top + LANE_PX * len(lanes)
    pen.fill((LEFT, top, RIGHT, bottom + 4), p.PANEL)
    for a, b in answer_spans(sample):
        pen.fill((axis.x(a), top, axis.x(b), bottom + 4), COLUMN)
    for i, lane in enumerate(lanes):
        y = top + i * LANE_PX + (LANE_PX - BAR_PX) / 2
        pen.text(32, y + 3, p.clipped(lane.name.replace("_", " "), LEFT - 40, LETTER_PX), LETTER_PX, p.MUTED)
        fitting = sum(fits(axis, bar) for bar in lane.bars)
        for bar in lane.bars:
            lettered = not bar.whole or 2 * fitting >= len(lane.bars)
            hair = not bar.outside or any(b.start_s == bar.end_s for b in lane.bars if b is not bar)
            _draw_bar(pen, axis, bar, y, lettered=lettered, hair=hair)
        _draw_outside(pen, axis, lane.bars, y)
    _draw_scale(pen, axis, bottom + 4, marks)
    return bottom + 36


def _draw_bar(pen: Pen, axis: Axis, bar: Bar, y: float, *, lettered: bool, hair: bool) -> None:
    """A bar with the label inside it, in short or cut where there is less room."""
    x1, x2 = axis.x(bar.start_s), axis.x(bar.end_s)
    if bar.start_s == bar.end_s:
        x1, x2 = x1 - 1.5, x1 + 1.5
    thin = bar.tint == p.EVIDENCE_TINT and x2 - x1 < 5  # too thin to be seen in a light colour
    pen.fill((x1, y, x2, y + BAR_PX), p.EVIDENCE if thin else bar.tint)
    if x2 - x1 > 6 and hair:  # neighbours touch: a hair between them
        pen.fill((x2 - 1, y, x2, y + BAR_PX), p.PAPER)
    whole, inner = fits(axis, bar), x2 - x1 - 8
    if not bar.label or not lettered or not (whole or not (bar.whole or bar.outside)):
        return
    label = bar.label if whole else p.clipped(bar.short or bar.label, inner, LETTER_PX)
    if whole or inner > 56 or label == bar.short:
        pen.text(x1 + 4, y + 3, label, LETTER_PX, bar.ink)


def _draw_outside(pen: Pen, axis: Axis, bars: Sequence[Bar], y: float) -> None:
    """Labels beside their bars, where they would stand on nothing else."""
    taken = [(axis.x(bar.start_s), axis.x(bar.end_s)) for bar in bars]
    for i, bar in enumerate(bars):
        if not bar.outside or not bar.label or fits(axis, bar):
            continue
        x1, x2 = taken[i]
        a, b = room(axis, bar)
        left, right = (x2 + 4, b) if b > x2 else (a, x1 - 4)
        if any(other < right and left < end for k, (other, end) in enumerate(taken) if k != i):
            continue
        taken.append((left, right))
        pen.text(left + 1, y + 3, bar.label, LETTER_PX, bar.tint, bold=True)


def _draw_scale(pen: Pen, axis: Axis, y: float, marks: Sequence[float]) -> None:
    pen.fill((LEFT, y, RIGHT, y + 1), p.MUTED)
    step = _step(axis.end_s - axis.start_s)
    for i in range(math.ceil(axis.start_s / step - 1e-9), math.floor(axis.end_s / step + 1e-9) + 1):
        x = axis.x(i * step)
        pen.fill((x, y, x + 1, y + 6), p.MUTED)
        label = f"{seconds(i * step)} s"
        width = p.text_width(label, LETTER_PX)
        pen.text(min(max(x - width / 2, LEFT), RIGHT - width), y + 7, label, LETTER_PX, p.MUTED)
    for t in marks:
        x = axis.x(t)
        pen.draw.polygon([(x - 5, y - 5), (x + 5, y - 5), (x, y + 2)], fill=p.INK)


def _step(length_s: float) -> float:
    """A round number of seconds that divides the window into at most ten parts."""
    raw = max(length_s, 1e-3) / 10
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
