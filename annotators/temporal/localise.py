"""Localisers that need no model: speech, writing, captions, motion, sound, voices and transitions, each with its own score.

Each proposes spans for the descriptions that it can tell something about, from rows that other annotators wrote. All proposals
are kept in `candidates`; `events` fuses them. A description for which nobody here proposes anything is noted. Captions that a
description comes from are no evidence of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.captions import kept_sentences, model_rows
from ...engine.grounding.asked import Asked, asked
from ...engine.grounding.in_motion import SeenMotionRule, in_motion, steps_of
from ...engine.grounding.in_sound import in_sounds, in_transitions, in_voice
from ...engine.grounding.in_words import in_descriptions, in_speech, in_writing, pages_of
from ...engine.grounding.localising import Line, line
from ...engine.grounding.proposals import Family, Proposal, candidate_rows
from ...engine.kept import medium_row, one_producer
from ...engine.llm.evidence import plain
from ...schemas.motion import SIGNAL_COLUMNS
from ...schemas.readings import merge_readings
from ...schemas.span import Span, span_or_none
from ..tasks.sight import lines_of, readings_of
from .looked_for import QUERY_TABLES, QueryParams, Wanted, wanted_in

Name = Literal["speech", "text", "captions", "motion", "sound", "voice", "transitions"]
FAMILY_OF: dict[Name, Family] = {
    "speech": "speech", "text": "text", "captions": "captions", "motion": "pixels", "sound": "sound", "voice": "sound",
    "transitions": "pixels",
}  # fmt: skip
_TABLES: dict[Name, tuple[str, ...]] = {
    "speech": ("words", "speech"),
    "text": ("text_regions",),
    "captions": (),
    "motion": ("signals", "shots", "text_regions"),
    "sound": ("sounds",),
    "voice": ("speech",),
    "transitions": ("shots", "signals"),
}
Find = Callable[[Asked, Wanted], list[Proposal]]


class LocaliseParams(QueryParams):
    """Parameters of `localise`."""

    localisers: tuple[Name, ...] = Field(
        ("speech", "text", "captions", "motion", "sound", "voice", "transitions"),
        min_length=1,
        description="who is asked; one whose tables nobody writes stays silent",
    )
    motion: SeenMotionRule = Field(SeenMotionRule(), description="when a frame moves as asked")


class Localise(UnitAnnotator[LocaliseParams]):
    """Writes `candidates` from rows of one medium."""

    name: ClassVar[str] = "localise"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = LocaliseParams
    reads: ClassVar[tuple[str, ...]] = (
        "media", *QUERY_TABLES, "words", "speech", "text_regions", "shots", "signals", "sounds",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = reads[1:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"signals": ("row_id", *SIGNAL_COLUMNS, "black", "luma")}
    writes: ClassVar[tuple[str, ...]] = ("candidates", "import_notes")
    stage: ClassVar[Literal["enrich"]] = "enrich"
    light: ClassVar[bool] = True

    def dynamic_reads(self) -> tuple[str, ...]:
        """The tables of those who are asked."""
        wanted = {t for name in self.params.localisers for t in _TABLES[name]}
        return ("media", *QUERY_TABLES, *(t for t in self.reads[4:] if t in wanted))

    def leaves_out(self) -> tuple[str, ...]:
        """Events that were fused from candidates."""
        return ("events",)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Proposals for every description. Raises `SkipUnit` when there is none, or no duration."""
        assert unit.medium is not None
        medium = medium_row(rows, unit.medium.media_id)
        wanted = wanted_in(self.params, rows)
        if not wanted:
            raise SkipUnit("no description to look for")
        if not medium["duration_s"]:
            raise SkipUnit("no duration")
        finders = self._finders(medium, rows)
        for one in wanted:
            found: list[Row] = []
            for name, find in finders.items():
                proposals = find(asked(one.text), one)
                found += candidate_rows(one.text, name, FAMILY_OF[name], proposals, medium["duration_s"])
            yield from found or [not_found(one.text, ", ".join(finders))]

    def _finders(self, medium: Mapping[str, Any], rows: Rows) -> dict[Name, Find]:
        most, rule = self.params.most, self.params.motion
        words = [line(w, w["word"]) for w in sorted(one_producer(rows["words"]), key=lambda w: w["position"])]
        speech = sorted(one_producer(rows["speech"]), key=lambda s: (s["start_s"], s["end_s"], s["text"]))
        sentences = [line(s, s["text"]) for s in speech]
        appearances = merge_readings(readings_of(one_producer(rows["text_regions"])))
        lines = lines_of(appearances)
        written = [*lines, *pages_of(lines)]
        places = [(Span(a.start_s, a.end_s), a.box) for a in appearances]
        signals = sorted(one_producer(rows["signals"]), key=lambda s: s["t_s"])
        shots = one_producer(rows["shots"])
        spans = shot_spans(shots)
        steps = steps_of(signals, spans, places)
        sounds = sorted(one_producer(rows["sounds"]), key=lambda s: (s["start_s"], s["end_s"], s["label"]))
        told = _sentences(rows)
        aspect = (medium["width"] or 16) / (medium["height"] or 9)
        finders: dict[Name, Find] = {
            "speech": lambda q, _: in_speech(q, words, sentences, most),
            "text": lambda q, _: in_writing(q, written, most),
            "captions": lambda q, w: in_descriptions(q, [one for own, one in told if own not in w.rows], most),
            "motion": lambda q, _: in_motion(q, steps, spans, aspect, rule, most),
            "sound": lambda q, _: in_sounds(q, sounds, most),
            "voice": lambda q, _: in_voice(q, speech, medium["duration_s"], most) if speech else [],
            "transitions": lambda q, _: in_transitions(q, shots, signals, most),
        }
        return {name: finders[name] for name in self.params.localisers}


def not_found(text: str, who: str) -> Row:
    """The note of a description for which nobody proposed a span."""
    detail = f"{who}: none of them proposes a span"
    return "import_notes", {"item": text, "rule": "not_found", "detail": detail, "action": "left_out"}


def shot_spans(shots: Sequence[Mapping[str, Any]]) -> list[Span]:
    """Shots as spans, in order of time."""
    found = (span_or_none(s["start_s"], s["end_s"]) for s in shots)
    return sorted(s for s in found if s is not None)


def _sentences(rows: Rows) -> list[tuple[str, Line]]:
    """Sentences of captions of models, without those with a contradicted claim: (row_id of the caption, sentence)."""
    found = []
    for row in model_rows(rows["captions"]):
        for sentence in kept_sentences(row, rows["claims"]):
            if sentence["end_s"] > sentence["start_s"]:
                found.append((row["row_id"], line({**sentence, "row_id": row["row_id"]}, plain(str(sentence["text"])))))
    return found


ANNOTATOR = Localise
