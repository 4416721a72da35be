"""What, when and where as one conversation, in both orders: chains of spatio-temporal reasoning (V-STaR's RSTR).

The question leaves out the thing of a described event: *what* is chosen among things of the footage, *when* is the event's
span, *where* the thing's boxes in a fixed rhythm inside it. One chain asks what, when, where; the other what, where, when: its
places are listed in order without times, so that they do not give the times away. Both are made of the same rows and agree
part by part. The words of the questions are templates; there is no model and no written-out reasoning in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, Unit
from ...engine.described import described_of
from ...engine.distractors.vocabulary import OTHER_VALUE
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.ids import derive_id
from ...schemas.markup import BoxAt, BoxMark, escape, quote, render, unescape
from ...schemas.matching import alike_descriptions, common_words
from ...schemas.objects import phrase_of
from ...schemas.relation_phrases import mentions_of
from ...schemas.sample import (
    ChoiceAnswer,
    MediumRef,
    Option,
    PartAnswer,
    Sample,
    SpanAnswer,
    Turn,
    TurnPart,
    TurnsAnswer,
)
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .common import (
    RowDict,
    Withheld,
    covering,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .event_tubes import EventTube, TubeParams, asked_in_turn, evidence_of, masked, require_alone, tube_in
from .event_words import words_of
from .named_objects import Objects, may_be_called, objects_of

Chain = Literal["what-when-where", "what-where-when"]
KINDS: dict[Chain, tuple[str, ...]] = {
    "what-when-where": ("what", "when", "where"),
    "what-where-when": ("what", "where_first", "when_after"),
}
"""Kinds of wordings of a chain's turns."""
_COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip


class Params(TubeParams):
    """Parameters of vstar_chains."""

    chains: tuple[Chain, ...] = Field(tuple(KINDS), min_length=1, description="Orders in which is asked.")
    options: tuple[int, int] = Field((3, 4), description="Fewest and most things to choose among.")
    boxes: tuple[int, int] = Field((2, 20), description="Fewest and most boxes of a tube.")


class VstarChains(Task[Params]):
    """Samples from described events, `tracks` and `boxes` of one medium."""

    name = "vstar_chains"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "tracks", "boxes", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "fixed_interval")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` events, each asked about in every order."""
        return asked_in_turn(
            unit, rows, self.name, self.params.per_medium,
            lambda t, event: self._chains(unit, t.media, t.clips, t.objects, t.events, event, t.split),
        )  # fmt: skip

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild all turns from the cited descriptions, tracks and boxes."""

        def build() -> Sample:
            if not isinstance(sample.answer, TurnsAnswer):
                raise Withheld("a chain has turns for an answer")
            parts = sample.answer.parts
            worded = tuple((p.lead, p.form) for p in parts)
            if (sample.wording, sample.answer_form) != worded[0]:
                raise Withheld("the wording is not that of the first turn")
            names = tuple(unescape(o.text) for o in sample.options)
            chain = next((c for c, kinds in KINDS.items() if self._fits(kinds, worded)), None)
            if chain is None:
                raise Withheld("the wordings are of no chain")
            return self._build(
                sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), described_of(evidence),
                rows_of(evidence, "tracks"), rows_of(evidence, "boxes"), sample.window, names, chain, worded,
            )  # fmt: skip

        return rebuilt(sample, build)

    def _fits(self, kinds: Sequence[str], worded: Sequence[tuple[str, str]]) -> bool:
        return [wordings_of(self.name).kind_of(lead) for lead, _ in worded] == list(kinds)

    def _chains(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        objects: Objects,
        events: Sequence[RowDict],
        event: RowDict,
        split: str,
    ) -> Iterable[Sample]:
        p = self.params
        window = choose_window(
            span_of(event), media["duration_s"], p.window_s, unit.seed, self.name, event["row_id"],
            evidence_share_max=p.evidence_share_max,
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return
        others = [e for e in events if e["row_id"] != event["row_id"] and overlap_s(span_of(e), window) > 0]
        try:
            tube = tube_in(event, objects, window, p)
        except Withheld:
            return
        there = [t for t in objects.tracks if t is not tube.track and overlap_s(span_of(t), window) > 0]
        names = self._names(tube, there, objects, events, unit.seed)
        named = [t for t in objects.tracks if t is not tube.track and t not in there and phrase_of(t) in names]
        first = [b for t in there for b in objects.boxes[str(t["track_id"])][:1]]
        held = covering(clips, [tube.span]) or []
        for chain in p.chains:
            worded = []
            for kind in KINDS[chain]:
                question, form = wordings_of(self.name).choose(kind, unit.seed, event["row_id"], chain, split=split)
                worded.append((question.id, form.id))
            try:
                yield self._build(
                    unit.recipe, media, held, (event, *others), (tube.track, *there, *named), (*tube.boxes, *first), window,
                    names, chain, tuple(worded),
                )  # fmt: skip
            except Withheld:
                continue

    def _names(
        self, tube: EventTube, there: Sequence[RowDict], objects: Objects, events: Sequence[RowDict], seed: int
    ) -> tuple[str, ...]:
        """The thing and others of the footage: those of which something is described before others, so that to be asked about
        does not tell the thing, and those of the window before others; in the order of options.
        """
        near = {phrase_of(t) for t in there}
        every = {phrase_of(t) for t in objects.tracks}
        told = {n for n in every if any(n.casefold() in words_of(e).casefold() for e in events)}
        found = [tube.name]
        for group in (near & told, told - near, near - told, every - near - told):
            for name in shuffled(sorted(group), seed, self.name, tube.event["row_id"], key=str):
                if len(found) < self.params.options[1] and not any(may_be_called(name, n) for n in found):
                    found.append(name)
        return tuple(sorted(found, key=lambda n: derive_id("option", n)))

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        events: Sequence[RowDict],
        tracks: Sequence[RowDict],
        boxes: Sequence[RowDict],
        window: Span,
        names: tuple[str, ...],
        chain: Chain,
        worded: tuple[tuple[str, str], ...],
    ) -> Sample:
        """The chain about the first of `events`, the others being all that is described in the window. Raises `Withheld`."""
        p = self.params
        if not events:
            raise Withheld("no description is cited")
        objects = objects_of(tracks, boxes)
        tube = tube_in(events[0], objects, window, p)
        if tracks[0]["track_id"] != tube.track["track_id"]:
            raise Withheld("the cited track is not that of the event")
        require_alone(tube.text, events[1:], window, p.different)
        self._require_only_answer(tube, events[1:], objects)
        for problem in window_problems(
            window, [tube.span], media["duration_s"], p.window_s, evidence_share_max=p.evidence_share_max
        ):
            raise Withheld(problem)
        if not clips or list(clips) != covering(clips, [tube.span]):
            raise Withheld("the event is not inside kept clips")
        options = self._options(tube, names, tracks)
        turns, parts = self._turns(tube, window, names, chain, worded, len(options))
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=turns,
            answer=TurnsAnswer(parts=parts),
            options=options,
            evidence=evidence_of(media, clips, events, tracks, boxes),
            needs=("vision",),
            origin=media["origin"] or "real",
            wording=worded[0][0],
            answer_form=worded[0][1],
            pair_id=derive_id("pair", self.name, events[0]["row_id"], window.start_s, window.end_s),
            difficulty=placement(window, tube.span)
            | {"boxes": float(len(tube.places)), "cited_boxes": float(len(boxes)), "turns": float(len(parts))}
            | {"other_events": float(len(events) - 1), "other_things": float(len(tracks) - 1)},
            generator=f"{self.name}@{self.version}",
        )

    def _turns(
        self,
        tube: EventTube,
        window: Span,
        names: tuple[str, ...],
        chain: Chain,
        worded: tuple[tuple[str, str], ...],
        options: int,
    ) -> tuple[tuple[Turn, ...], tuple[TurnPart, ...]]:
        slots = {
            "quote": quote(tube.masked),
            "answer": "<answer>",
            "span": span_mark(tube.span),
            "rhythm": self.params.rhythm_words,
            "count": _COUNTS[len(tube.places)] if len(tube.places) < len(_COUNTS) else "many",
            "track": " ".join(render([BoxAt(*place)]) for place in tube.places),
            "places": " ".join(render([BoxMark(x1, y1, x2, y2)]) for _, x1, y1, x2, y2 in tube.places),
        }
        answers: dict[str, PartAnswer] = {
            "what": ChoiceAnswer(index=names.index(tube.name)),
            "when": SpanAnswer(start_s=tube.span.start_s, end_s=tube.span.end_s),
            "when_after": SpanAnswer(start_s=tube.span.start_s, end_s=tube.span.end_s),
            "where": tube.answer("boxes"),
            "where_first": tube.answer("places"),
        }
        turns: list[Turn] = []
        parts: list[TurnPart] = []
        for k, (kind, (lead, form)) in enumerate(zip(KINDS[chain], worded, strict=True)):
            question, answer = wordings_of(self.name).question(kind, lead), wordings_of(self.name).answer(kind, form)
            if question is None or answer is None:
                raise Withheld(f"unknown wording {lead} or answer form {form}")
            shown, listed = ("<video>\n", "\n<options>") if k == 0 else ("", "")
            turns.append(Turn(role="user", text=f"{shown}{question.fill(slots)}{listed}"))
            turns.append(Turn(role="assistant", text=answer.fill(slots)))
            parts.append(
                TurnPart(
                    task=self.name,
                    turn=2 * k + 1,
                    answer=answers[kind],
                    options=(0, options) if k == 0 else (options, options),
                    scope=(window.start_s, window.end_s),
                    lead=lead,
                    form=form,
                )
            )
        return tuple(turns), tuple(parts)

    def _options(self, tube: EventTube, names: tuple[str, ...], tracks: Sequence[RowDict]) -> tuple[Option, ...]:
        known = {phrase_of(t) for t in tracks}
        if tube.name not in names or not set(names) <= known:
            raise Withheld("an option is no cited thing, or none is right")
        if not self.params.options[0] <= len(set(names)) == len(names) <= self.params.options[1]:
            raise Withheld(f"{len(names)} options")
        if list(names) != sorted(names, key=lambda n: derive_id("option", n)):
            raise Withheld("the options are not in their order")
        if any(n != tube.name and may_be_called(n, tube.name) for n in names):
            raise Withheld("two options mean the same thing")
        return tuple(
            Option(text=escape(n))
            if n == tube.name
            else Option(text=escape(n), distractor_kind=OTHER_VALUE, margin=round(1 - common_words(n, tube.name), 6))
            for n in names
        )

    def _require_only_answer(self, tube: EventTube, others: Sequence[RowDict], objects: Objects) -> None:
        """Raises `Withheld` where without its thing another event of the window reads alike."""
        for other in others:
            placed = [objects.placed[i] for i in sorted(objects.placed)]
            text = words_of(other)
            if alike_descriptions(tube.masked, masked(text, mentions_of(text, placed))) >= self.params.different:
                raise Withheld(f"{text!r} is the same for another thing")


ANNOTATOR = VstarChains
