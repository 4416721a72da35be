"""Which parts does a query concern? Several described events are named at once; the answer lists them with times, by start.

TimeSearch's spotlight: the candidates of a search, as `time: event` lines in order of time, all occurrences of each event
included. The kind `search` asks for one event in long footage and tells the way to it in its rationale: from the whole, always
on with the part that shows most of it, down to a leaf (`engine/grounding/descent.py`). An event that is nearly described again
in the window withholds the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import DESCRIBED_TABLES, cite_described, described_of
from ...engine.grounding.descent import descent
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions
from ...schemas.sample import MediumRef, Sample, SpanAnswer, SpansAnswer
from ...schemas.span import Span, overlap_s, union_length_s
from ...schemas.verifying import Check
from .chain_of_grounding import others_differ, window_of
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .descriptions import sentence
from .event_words import EventParams, SeveralEvents, events_of, needs_of, plain, words_of
from .occurrences import listed

Kind = Literal["several", "search"]


class Params(EventParams):
    """Parameters of spotlight."""

    kinds: tuple[Kind, ...] = Field(
        ("several", "search"), min_length=1, description="Several events, or one and the way to it."
    )
    events: SeveralEvents = Field((2, 4), description="Fewest and most events that a query names.")
    most_spans: int = Field(8, ge=2, description="Most parts that a query may concern, occurrences counted.")
    window_s: tuple[float, float] = Field(
        (10.0, 3600.0), description="Shortest and longest window, drawn log-uniformly."
    )
    evidence_share_max: float = Field(0.8, gt=0, le=1, description="Greatest share of the window that the events fill.")


class Spotlight(Task[Params]):
    """Samples from `captions` or `events` with spans of one medium."""

    name = "spotlight"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior",
        "question_only",
        "fixed_interval",
        "middle_frame",
        "first_frame",
    )

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples of each kind, each beginning with another event."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, clips, split = medium_row(rows, media_id), kept_clips(rows, media_id), split_of(rows, media_id)
        events = events_of(rows, self.params)
        if not events:
            raise SkipUnit("no descriptions with spans")
        for kind in self.params.kinds:
            made = 0
            for first in shuffled(events, unit.seed, self.name, kind, key=lambda r: r["row_id"]):
                if made == self.params.per_medium:
                    break
                queried = self._queried(first, events, kind, unit.seed) if self.params.askable(first) else []
                if not queried:
                    continue
                spans = [span_of(r) for r in queried]
                hull = Span(min(s.start_s for s in spans), max(s.end_s for s in spans))
                share = self.params.evidence_share_max if kind == "search" else 1.0
                window = choose_window(
                    hull, media["duration_s"], self.params.window_s, unit.seed, self.name, kind, first["row_id"],
                    evidence_share_max=share,
                )  # fmt: skip
                if isinstance(window, NoWindow):
                    continue
                texts = [words_of(r) for r in queried]
                near = [r for r in events if overlap_s(span_of(r), window) > 0]
                found = [r for r in near if any(alike_descriptions(t, words_of(r)) == 1 for t in texts)]
                others = [r for r in near if r not in found]
                held = covering(clips, [span_of(r) for r in found]) or []
                question, form = wordings_of(self.name).choose(kind, unit.seed, first["row_id"], split=split)
                try:
                    sample = self._build(unit.recipe, media, held, found, others, window, kind, question.id, form.id)
                except Withheld:
                    continue
                made += 1
                yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Find the parts again in the cited descriptions, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When each event happens, and that everything else in the window is another."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _queried(self, first: RowDict, events: Sequence[RowDict], kind: str, seed: int) -> list[RowDict]:
        """`first` and, for several, events near it that are unlike it and one another."""
        if kind == "search":
            return [first]
        least, most = self.params.events
        wanted = least + int(seeded_fraction(seed, self.name, "events", first["row_id"]) * (most - least + 1))
        group = [first]
        for row in sorted(events, key=lambda r: (abs(r["start_s"] - first["start_s"]), r["row_id"])):
            unlike = all(alike_descriptions(words_of(row), words_of(g)) < self.params.different for g in group)
            if len(group) < wanted and unlike and self.params.askable(row):
                group.append(row)
        return group if len(group) >= least else []

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        rows = described_of(evidence, least_p=self.params.least_p)
        n = int(sample.difficulty.get("spans", 0))
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None:
            raise Withheld(f"unknown wording {sample.wording}")
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), rows[:n], rows[n:], sample.window,
            kind, sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        found: Sequence[RowDict],
        others: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample: `found` are all descriptions of the queried events in the window, `others` the rest. Raises `Withheld`."""
        spans = [span_of(r) for r in found]
        for problem in window_problems(window, spans, media["duration_s"], self.params.window_s):
            raise Withheld(problem)
        if not clips or covering(clips, spans) != list(clips):
            raise Withheld("what is asked about is not inside kept clips")
        self.params.require_askable(found)
        texts = self._queries(found, others, window, kind)
        if union_length_s(spans) > self.params.evidence_share_max * window.length_s + 1e-6:
            raise Withheld("the events fill too much of the window")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        if trail is not None:
            self._chain(trail, texts, found, others, window)
        lines = "\n".join(f"{span_mark(s)} {plain(sentence(words_of(r)))}" for s, r in zip(spans, found, strict=True))
        slots = {"events": listed([quote(t) for t in texts]), "list": lines, "span": span_mark(spans[0])}
        steps = _way(window, spans[0]) if kind == "search" else _parts(found)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots)),
            answer=SpansAnswer(spans=tuple((s.start_s, s.end_s) for s in spans))
            if kind == "several"
            else SpanAnswer(start_s=spans[0].start_s, end_s=spans[0].end_s),
            rationale=steps,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite_described(r) for r in (*found, *others)),
            ),
            needs=needs_of(texts),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=placement(window, Span(spans[0].start_s, max(s.end_s for s in spans)))
            | {"spans": float(len(spans)), "queries": float(len(texts)), "other_events": float(len(others))},
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip

    def _queries(self, found: Sequence[RowDict], others: Sequence[RowDict], window: Span, kind: str) -> list[str]:
        """The distinct descriptions that are asked for, in an order that knows nothing of time. Raises `Withheld`."""
        texts: list[str] = []
        for row in found:
            alike = [alike_descriptions(t, words_of(row)) for t in texts]
            if any(self.params.different <= a < 1 for a in alike):
                raise Withheld(f"{row['text']!r} is much like another of the events")
            texts += [words_of(row)] if 1 not in alike else []
        if [(r["start_s"], r["end_s"]) for r in found] != sorted({(r["start_s"], r["end_s"]) for r in found}):
            raise Withheld("two parts have the same times, or are not in order")
        for a, b in combinations(found, 2):
            if alike_descriptions(words_of(a), words_of(b)) == 1 and overlap_s(span_of(a), span_of(b)) > 0:
                raise Withheld(f"{a['text']!r} is described twice at about the same time")
        least, most = (1, 1) if kind == "search" else self.params.events
        if not least <= len(texts) <= most or len(found) > (1 if kind == "search" else self.params.most_spans):
            raise Withheld(f"{len(texts)} events in {len(found)} parts")
        for row in others:
            if overlap_s(span_of(row), window) <= 0:
                raise Withheld("a cited description lies outside the window")
            if any(alike_descriptions(t, words_of(row)) >= self.params.different for t in texts):
                raise Withheld(f"{row['text']!r} in the window is much like one of the events")
        return sorted(texts, key=lambda t: derive_id("query", t))

    def _chain(
        self, trail: Trail, texts: Sequence[str], found: Sequence[RowDict], others: Sequence[RowDict], window: Span
    ) -> None:
        spans = []
        for row in found:
            told = trail.read(row["table"], [row], "text", note="One of them is {@.text}.")
            query = next(t for t in texts if alike_descriptions(t, words_of(row)) == 1)
            trail.require(trail.compute("least_alike", told, query=query, like="description"), "at_least", 1.0)
            place = trail.locate(row["table"], [row], note="It happens in {@}.")
            trail.require(place, "within", window_of(window))
            spans.append(place)
        for table in DESCRIBED_TABLES:
            rest = [o for o in others if o["table"] == table]
            for i, text in enumerate(texts):
                others_differ(
                    trail, table, rest, window, text, like="description", least=self.params.different,
                    note="What else happens in the footage shown is something else." if i == 0 else "",
                )  # fmt: skip
        named = ", ".join(f"{{{name}}}" for name in spans)
        if len(spans) == 1:
            trail.conclude("span", spans[0], note=f"So the answer is {{{spans[0]}}}.")
        else:
            trail.conclude("spans", *spans, note=f"So the answer is all of these: {named}.")


def _way(window: Span, event: Span) -> tuple[str, ...]:
    """The search as steps: which parts a window has, and which of them shows most of the event."""
    steps = [f"I begin with all that is shown, {span_mark(window)}."]
    for level in descent(window, event):
        parts = listed([span_mark(p) for p in level.parts])
        steps.append(f"Its parts are {parts}. Most of the event is in {span_mark(level.best)}.")
    return (*steps, f"There, it happens in {span_mark(event)}.")


def _parts(found: Sequence[RowDict]) -> tuple[str, ...]:
    steps = [f"{quote(words_of(r))} happens in {span_mark(span_of(r))}." for r in found]
    return (*steps, "By their starts, that is the order.")


ANNOTATOR = Spotlight
