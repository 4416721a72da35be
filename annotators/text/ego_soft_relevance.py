"""Narrations of egocentric films as clips with classes, and how alike they are to each other: soft labels for retrieval (EVA02-AT).

Narrations that have a time alone get a window by EgoVLP's rule; verb and noun classes are those of the annotation where it
gives them (EPIC-KITCHENS), else words found in the text. The matrix is kept once per set of classes and sparse, so that a loss
may use every soft positive and negative of a large corpus.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Grade, Grain, Params, Row, Rows, Unit, UnitAnnotator
from ...schemas.ids import derive_id
from ...schemas.metrics import mean
from ...schemas.relevance import Classes, mean_gap, narration_window, relevance_rows
from ...schemas.span import Span, span_or_none
from .narration_words import classes_of


class EgoSoftRelevanceParams(Params):
    """Parameters of ego_soft_relevance."""

    kinds: tuple[str, ...] = Field(("narration", "action"), min_length=1, description="kinds of events that are taken")
    window: Literal["egovlp", "stored"] = Field(
        "egovlp", description="clip of a narration with a time: by the mean gaps of narrations, or the event's own span"
    )
    spacing_s: float | None = Field(
        None,
        gt=0,
        description="mean gap over all films, seconds; null: that of this corpus (4.9 for the whole of Ego4D)",
    )


@dataclass(frozen=True)
class _Told:
    media_id: str
    narration_id: str
    at_s: float | None
    annotator_pass: str
    span: Span
    text: str
    source: Literal["source", "words"]
    classes: Classes


class EgoSoftRelevance(UnitAnnotator[EgoSoftRelevanceParams]):
    """Writes `narrations`, and `relevance` between their sets of classes."""

    name: ClassVar[str] = "ego_soft_relevance"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = EgoSoftRelevanceParams
    reads: ClassVar[tuple[str, ...]] = ("media", "events")
    writes: ClassVar[tuple[str, ...]] = ("narrations", "relevance")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "media": ("duration_s",),
        "events": ("start_s", "end_s", "text", "kind", "attributes_json"),
    }
    grade: ClassVar[Grade] = "exact"
    grain: ClassVar[Grain] = "corpus"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A narration per event that has a class, and a row of the matrix per set of classes."""
        lengths = {str(m["media_id"]): float(m["duration_s"]) for m in rows["media"]}
        events = [e for e in rows["events"] if e["kind"] in self.params.kinds and e["media_id"] in lengths]
        found = {t.narration_id: t for t in map(_told, events) if any(t.classes)}
        told = list(self._windowed(sorted(found.values(), key=lambda t: (t.media_id, t.span, t.narration_id)), lengths))
        held = Counter(t.classes for t, _ in told)
        signatures = sorted(held)
        number = {classes: i for i, classes in enumerate(signatures)}
        for t, span in told:
            yield (
                "narrations",
                {
                    "media_id": t.media_id, "narration_id": t.narration_id, "start_s": span.start_s, "end_s": span.end_s,
                    "at_s": t.at_s, "text": t.text, "classes": t.source, "signature": number[t.classes],
                },
            )  # fmt: skip
        for i, (others, values) in enumerate(relevance_rows(signatures)):
            verbs, nouns = signatures[i]
            yield (
                "relevance",
                {
                    "signature": i, "verbs": list(verbs), "nouns": list(nouns), "narrations": held[signatures[i]],
                    "others": others, "relevance": values,
                },
            )  # fmt: skip

    def _windowed(self, told: Sequence[_Told], lengths: Mapping[str, float]) -> Iterator[tuple[_Told, Span]]:
        """Each narration with its clip; those without a moment of footage are left out."""
        times: dict[tuple[str, str], list[float]] = defaultdict(list)
        for t in told:
            if t.at_s is not None:
                times[t.media_id, t.annotator_pass].append(t.at_s)
        gaps = {key: gap for key, of in times.items() if (gap := mean_gap(of)) is not None}
        overall = self.params.spacing_s or (mean(list(gaps.values())) if gaps else None)
        for t in told:
            gap = gaps.get((t.media_id, t.annotator_pass), overall)
            if t.at_s is None or self.params.window == "stored" or gap is None or overall is None:
                span = span_or_none(t.span.start_s, min(t.span.end_s, lengths[t.media_id]))
            else:
                span = narration_window(t.at_s, gap, overall, lengths[t.media_id])
            if span is not None:
                yield t, span


def _told(event: Mapping[str, Any]) -> _Told:
    about = json.loads(event["attributes_json"] or "{}")
    given = _given(about)
    span = Span(float(event["start_s"]), float(event["end_s"]))
    at_s = None if about.get("at_s") is None else float(about["at_s"])
    moment = (span.start_s, span.end_s) if at_s is None else (at_s,)
    return _Told(
        str(event["media_id"]), derive_id("narration", event["media_id"], moment, event["text"]), at_s,
        str(about.get("pass", "")), span, str(event["text"]), "source" if given else "words",
        given or classes_of(str(event["text"])),
    )  # fmt: skip


def _given(about: Mapping[str, Any]) -> Classes | None:
    """Classes as EPIC-KITCHENS numbers them; None where the annotation has none."""
    verb, nouns = about.get("verb_class"), about.get("all_noun_classes") or about.get("noun_class")
    if verb is None or nouns is None:
        return None
    many = nouns if isinstance(nouns, list) else [nouns]
    return (str(verb),), tuple(sorted({str(n) for n in many}))


ANNOTATOR = EgoSoftRelevance
