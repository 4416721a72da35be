"""What stands in the picture and in descriptions, as localisers: the other ways in which a query may be found.

Tasks ask them before they write; their rows are not cited, so that the grade of a sample stays that of its own evidence.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.annotator import Rows
from ...engine.kept import one_producer
from ...engine.localising import Described, Line, Localiser, ReadAloud, Spoken, Written, line
from ...schemas.box import box_or_none
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


def captions_of(rows: Rows) -> list[RowDict]:
    """One producer's captions of parts of the medium, in order of time."""
    own = [c for c in one_producer(rows["captions"]) if c["level"] != "medium" and c["end_s"] > c["start_s"]]
    return sorted(own, key=lambda c: (c["start_s"], c["end_s"], c["text"]))


def written_and_described(rows: Rows, *, aloud: bool) -> tuple[Localiser, ...]:
    """Localisers over `text_regions` and `captions`, as far as there are rows; `aloud` reads writing word by word."""
    lines = lines_of(merge_readings(readings_of(one_producer(rows["text_regions"]))))
    described = [line(c, c["text"]) for c in captions_of(rows)]
    found: list[Localiser] = []
    if lines:
        found.append(ReadAloud(lines) if aloud else Written(lines))
    if described:
        found.append(ReadAloud(described, name="descriptions") if aloud else Described(described))
    return tuple(found)


def spoken_of(rows: Rows) -> Spoken | None:
    """A localiser over `words`, or `speech` where there are no words; None without either."""
    words = sorted(one_producer(rows["words"]), key=lambda w: w["position"])
    if words:
        return Spoken([line(w, w["word"]) for w in words])
    speech = sorted(one_producer(rows["speech"]), key=lambda s: (s["start_s"], s["end_s"]))
    return Spoken([line(s, s["text"]) for s in speech]) if speech else None
