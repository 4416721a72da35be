"""Fused events: what several localisers proposed for a description becomes one span, with who agrees and how sure that is.

Reads all `candidates` of a medium, whoever wrote them. A description that no rule keeps is noted with the rule in
`import_notes`, and its candidates stay. With a calibration, proposals weigh what they were worth on its set, and every event
says the probability that it is right and which set that was learned on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.grounding.asked import asked
from ...engine.grounding.calibration import CARRIED, Calibration
from ...engine.grounding.fusion import Dropped, Fused, FusionRules, Setting, fuse_all
from ...engine.grounding.proposals import Candidate, query_id
from ...engine.kept import medium_row, one_producer
from ...engine.models import ModelRef, resolve


class EventsParams(Params):
    """Parameters of `events`."""

    rules: FusionRules = Field(FusionRules(), description="when proposals become an event")
    calibration: str | None = Field(
        None,
        description="file that `chronotope evaluate --calibrate` wrote, relative to the recipe, or the name of a carried one",
    )
    min_p: float = Field(0.0, ge=0, le=1, description="with a calibration: less probable events are dropped")


class Events(UnitAnnotator[EventsParams]):
    """Writes `events` of one medium."""

    name: ClassVar[str] = "events"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = EventsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "candidates", "shots", "words")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots", "words")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "words": ("start_s", "end_s"),
        "shots": ("start_s", "end_s"),
    }
    writes: ClassVar[tuple[str, ...]] = ("events", "import_notes")
    stage: ClassVar[Literal["enrich"]] = "enrich"
    light: ClassVar[bool] = True
    folder: str = "."
    """Folder of the recipe, to which the calibration is relative; set when the producer is built."""

    def __init__(self, params: EventsParams) -> None:
        super().__init__(params)
        self._calibration: Calibration | None = None

    def models(self) -> Sequence[ModelRef]:
        """The calibration, so that events follow it."""
        return [self._file()] if self.params.calibration else []

    def setup(self) -> None:
        """Read the calibration. Raises ValueError for a file that is none."""
        if self.params.calibration:
            path = Path(self._file().path)
            try:
                self._calibration = Calibration.from_json(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ValueError(f"{path.name} is no calibration: {str(error).splitlines()[0]}") from None

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Events and notes of one medium. Raises `SkipUnit` without candidates."""
        assert unit.medium is not None
        medium = medium_row(rows, unit.medium.media_id)
        queries: dict[str, list[Candidate]] = {}
        texts: dict[str, str] = {}
        for row in rows["candidates"]:
            candidate = Candidate.from_row(row)
            if candidate is not None:
                texts.setdefault(row["query_id"], row["text"])
                queries.setdefault(texts[row["query_id"]], []).append(candidate)
        if not queries:
            raise SkipUnit("no candidates; add a localiser (`- localise`) that finds something here")
        if self.params.calibration and self._calibration is None:
            self.setup()
        setting = setting_of(medium["duration_s"], one_producer(rows["shots"]), one_producer(rows["words"]))
        weigh = self._calibration.weigh if self._calibration else lambda c: c.score
        found = fuse_all(queries, setting, self.params.rules, weigh)
        dropped = list(found.dropped)
        for event in found.events:
            p = self._calibration.p_of(event, setting.duration_s) if self._calibration else None
            if p is not None and p < self.params.min_p:
                dropped.append(Dropped(event.text, "improbable", f"p {p:.2f}, least {self.params.min_p:g}"))
            else:
                yield "events", self._row(event, p)
        yield from notes(dropped)

    def _row(self, event: Fused, p: float | None) -> dict[str, Any]:
        title = self._calibration.title if self._calibration and p is not None else None
        return {
            "start_s": event.span.start_s,
            "end_s": event.span.end_s,
            "text": event.text,
            "kind": kind_of(event.text),
            "query_id": query_id(event.text),
            "score": event.best.score,
            "localiser": event.best.localiser,
            "families": list(event.families),
            "agreement": len(event.families),
            "p_correct": p,
            "calibration": title,
            "snapped": event.snapped,
            "attributes_json": json.dumps(
                {
                    "strength": event.strength,
                    "margin": event.margin,
                    "pair_tiou": round(event.pair_tiou, 6),
                    "members": [m.row_id for m in event.members],
                    "spoke": list(event.spoke),
                }
            ),
        }

    def _file(self) -> ModelRef:
        name = str(self.params.calibration)
        carried = CARRIED / f"{name}.json"
        path = carried if carried.is_file() else Path(self.folder) / name
        remedy = "write one with `chronotope evaluate --calibrate FILE`"
        return resolve(f"calibration {name}", explicit=path, remedy=remedy)


def kind_of(text: str) -> str:
    """query for a question, speech or sound for what is only heard, else event."""
    if text.endswith("?"):
        return "query"
    read = asked(text)
    if read.in_speech and not read.in_writing:
        return "speech"
    return "sound" if read.voice or (read.sounds and not read.camera and not read.way) else "event"


def setting_of(duration_s: float, shots: Sequence[Mapping[str, Any]], words: Sequence[Mapping[str, Any]]) -> Setting:
    """A medium's length and the edges of its shots and words."""
    return Setting(
        duration_s,
        tuple(sorted({t for s in shots for t in (s["start_s"], s["end_s"])})),
        tuple(sorted({t for w in words for t in (w["start_s"], w["end_s"])})),
    )


def notes(dropped: Sequence[Dropped]) -> list[Row]:
    """Every description without an event, once per rule, with how often."""
    counted = Counter((d.text, d.rule) for d in dropped)
    first = {(d.text, d.rule): d.detail for d in reversed(dropped)}
    return [
        (
            "import_notes",
            {
                "item": text,
                "rule": rule,
                "detail": first[text, rule] + (f" ({count} times)" if count > 1 else ""),
                "action": "left_out",
            },
        )
        for (text, rule), count in sorted(counted.items())
    ]


ANNOTATOR = Events
