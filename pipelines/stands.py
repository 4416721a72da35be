"""The uniqueness and falsity tests alone: does what a sample says stand against everything that is recorded in its window?

Tasks apply these tests before they write a sample. Here they are asked again about stored samples, on all recorded words and
writing of the medium instead of on what a sample cites, with the answer taken from the sample: a quotation must be found
once for a span, in each of several spans, and nowhere for an absence; of options that are texts, wrong ones must not be told in the
asked span, and of options that are spans, wrong ones must not hold the asked text. Other samples are not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..annotators.second.claims import Claim, claim_of
from ..engine.captions import told_rows
from ..engine.catalog import Catalog
from ..engine.distractors.falsity import alike
from ..engine.grounding.localising import (
    Absent,
    Described,
    Line,
    Localiser,
    Repeated,
    Spoken,
    Unique,
    Written,
    decide,
    line,
)
from ..schemas.box import box_or_none
from ..schemas.readings import Reading, merge_readings
from ..schemas.sample import Sample
from ..schemas.span import Span, overlap_s, tiou

MIN_TIOU = 0.5
MAX_TIOU = 0.9
"""A wrong span that overlaps the place more is right as well."""


def contradicted(root: Path) -> dict[str, str]:
    """Identifier -> why, of samples that the recorded words and writing of their medium contradict."""
    found: dict[str, str] = {}
    with Catalog(root) as catalog:
        names = {r["media_id"] for r in catalog.rows("SELECT DISTINCT media_id FROM samples")}
        for media_id in sorted(names):
            recorded = _recorded(catalog, media_id)
            for row in catalog.rows("SELECT * FROM samples WHERE media_id = ? ORDER BY sample_id", [media_id]):
                try:
                    reason = why_not(Sample.from_row(row), recorded)
                except (ValueError, KeyError, TypeError, IndexError) as error:
                    reason = f"not a sample: {type(error).__name__}"
                if reason:
                    found[row["sample_id"]] = reason
    return found


def why_not(sample: Sample, recorded: Mapping[str, Sequence[Localiser]]) -> str:
    """Why a sample cannot stand, or an empty string. `recorded`: localisers for `speech`, `text` and `captions`, one per
    producer; a sample stands when what one producer recorded supports it.
    """
    texts = [o.text for o in sample.options]
    if len(set(texts)) < len(texts):
        return "two options say the same"
    claim = claim_of(sample)
    if claim is None or not claim.text or (claim.at_s is not None and not claim.spans):
        return ""
    senses: tuple[str, ...] = ("speech",) if "speech_text" in sample.needs else ("captions",)
    if "on_screen_text" in sample.needs:
        senses = ("text", "captions")
    localisers = [localiser for sense in senses for localiser in recorded.get(sense, ())]
    reasons = [_judged(claim, sample.window, localiser) for localiser in localisers]
    return "" if not reasons or "" in reasons else reasons[0]


def _judged(claim: Claim, window: Span, localiser: Localiser) -> str:
    if claim.others:
        return _options(claim, claim.spans[0], localiser)
    decision = decide(claim.text, window, localiser)
    match decision:
        case Absent():
            return "nowhere recorded" if claim.spans else ""
        case Unique(place=place):
            places = [place.span]
        case Repeated(places=several):
            places = [p.span for p in several]
        case _:
            return decision.reason
    if not claim.spans:
        return f"recorded from {places[0].start_s:g} s"
    if claim.denied:
        return _denied(claim, places)
    if len(places) != len(claim.spans):
        return f"recorded {len(places)} times, claimed {len(claim.spans)} times"
    apart = next((p for p, s in zip(places, claim.spans, strict=True) if tiou(p, s) < MIN_TIOU), None)
    return f"recorded at {apart.start_s:g}..{apart.end_s:g} s" if apart else ""


def _options(claim: Claim, asked: Span, localiser: Localiser) -> str:
    """Of texts to choose from: the right one is told in the asked span, no other is."""
    for text in claim.others:
        told = [f for f in localiser.find(text, asked) if f.score >= localiser.high and _held(f.span, asked)]
        if told or alike(claim.text, text, 0.0):
            return f"{text!r} is true as well"
    told = [f for f in localiser.find(claim.text, asked) if f.score >= localiser.high and overlap_s(f.span, asked) > 0]
    return "" if told else "the right option is not recorded in the asked span"


def _denied(claim: Claim, places: Sequence[Span]) -> str:
    """Of spans to choose from: the right one holds the text, no other one does."""
    best = max(places, key=lambda p: tiou(p, claim.spans[0]))
    if tiou(best, claim.spans[0]) < MIN_TIOU:
        return f"recorded at {best.start_s:g}..{best.end_s:g} s"
    other = next((s for s in claim.denied for p in places if tiou(s, p) > MAX_TIOU), None)
    return f"{other.start_s:g}..{other.end_s:g} s is true as well" if other else ""


def _held(found: Span, asked: Span) -> bool:
    return overlap_s(found, asked) > 0.5 * found.length_s


def _recorded(catalog: Catalog, media_id: str) -> dict[str, list[Localiser]]:
    """What is recorded of a medium, as localisers."""
    words = _by_producer(catalog.rows("SELECT * FROM words WHERE media_id = ? ORDER BY position, start_s", [media_id]))
    speech = _by_producer(catalog.rows("SELECT * FROM speech WHERE media_id = ? ORDER BY start_s", [media_id]))
    texts = _by_producer(catalog.rows("SELECT * FROM text_regions WHERE media_id = ? ORDER BY start_s", [media_id]))
    told = _by_producer(
        told_rows(catalog.rows("SELECT * FROM captions WHERE media_id = ? ORDER BY start_s", [media_id]))
    )
    said: list[Localiser] = [Spoken([line(r, str(r["word"])) for r in rows]) for rows in words.values()]
    said += [Spoken([line(r, str(r["text"])) for r in rows]) for name, rows in speech.items() if name not in words]
    return {
        "speech": said,
        "text": [Written(_appearances(rows)) for rows in texts.values()],
        "captions": [Described([line(r, str(r["text"])) for r in rows]) for rows in told.values()],
    }


def _by_producer(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["end_s"] > row["start_s"]:
            found[row["producer"]].append(row)
    return dict(sorted(found.items()))


def _appearances(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    readings = []
    for r in rows:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is not None:
            readings.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, r["confidence"] or 1.0))
    return [Line(Span(a.start_s, a.end_s), a.text, a.members) for a in merge_readings(readings)]
