"""What stands in the picture and in descriptions, as localisers: the other ways in which a query may be found.

Tasks ask them before they write; their rows are not cited, so that the grade of a sample stays that of its own evidence.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.annotator import Rows
from ...engine.described import LEAST_P, described_rows
from ...engine.grounding.localising import Curve, Line, Localiser, Quoting, ReadAloud, Spoken, Written, line
from ...engine.kept import one_producer
from ...schemas.box import box_or_none
from ...schemas.matching import quoted_parts
from ...schemas.metrics import normalise_words
from ...schemas.readings import Appearance, Reading, merge_readings
from ...schemas.span import Span
from .common import RowDict


def readings_of(rows: Iterable[RowDict]) -> list[Reading]:
    """Rows of `text_regions` with a place and a length; a reading without confidence is known, not recognised."""
    found = []
    for r in rows:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is not None and r["end_s"] > r["start_s"]:
            sure = 1.0 if r["confidence"] is None else r["confidence"]
            found.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, sure))
    return found


def lines_of(appearances: Iterable[Appearance]) -> list[Line]:
    """Appearances as lines."""
    return [Line(Span(a.start_s, a.end_s).quantised(), a.text, a.members) for a in appearances]


def captions_of(rows: Rows, *, least_p: float = LEAST_P) -> list[RowDict]:
    """One producer's descriptions of parts of the medium, in order of time; what models wrote is not among them."""
    return list(described_rows(rows, least_p=least_p))


def rivals_of_speech(rows: Rows) -> tuple[Localiser, ...]:
    """Where words that are said may also be read: on screen, or in a description."""
    written = lines_of(merge_readings(readings_of(one_producer(rows["text_regions"]))))
    described = [line(c, c["text"]) for c in captions_of(rows)]
    found = (ReadAloud(written), ReadAloud(described, name="descriptions"))
    return tuple(localiser for localiser in found if localiser.lines)


def witnesses_of(rows: Rows) -> tuple[Localiser, ...]:
    """Who may hint at a writing that was not read: the words that are said, and descriptions that quote it."""
    described = [line(c, c["text"]) for c in captions_of(rows)]
    told = (ReadAloud(described, name="descriptions"),) if described else ()
    spoken = spoken_of(rows)
    return (spoken, *told) if spoken else told


def quoting(text: str, span: Span, rows: Rows) -> tuple[Localiser, ...]:
    """What a description quotes, looked for where it is found at the time of the event: in writing, in speech or both."""
    parts = " ".join(quoted_parts(text))
    written = lines_of(merge_readings(readings_of(one_producer(rows["text_regions"]))))
    asked = (Quoting(parts, Written(written)), Quoting(parts, spoken_of(rows) or Spoken([])))
    return tuple(q for q in asked if parts and any(f.score >= q.high for f in q.find(text, span)))


def curves_of(text: str, rows: Rows) -> tuple[Curve, ...]:
    """The stored similarity curve of a prompt that is the description itself, if there is one."""
    wanted = normalise_words(text)
    own = [r for r in one_producer(rows["clip_scores"]) if normalise_words(str(r["prompt"])) == wanted]
    own = [r for r in own if r["until_s"] > r["t_s"]]
    return (Curve(text, [(Span(r["t_s"], r["until_s"]).quantised(), r["value"]) for r in own]),) if own else ()


def spoken_of(rows: Rows) -> Spoken | None:
    """A localiser over `words`, or `speech` where there are no words; None without either."""
    words = sorted(one_producer(rows["words"]), key=lambda w: w["position"])
    if words:
        return Spoken([line(w, w["word"]) for w in words])
    speech = sorted(one_producer(rows["speech"]), key=lambda s: (s["start_s"], s["end_s"]))
    return Spoken([line(s, s["text"]) for s in speech]) if speech else None
