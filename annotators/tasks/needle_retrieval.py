"""Needles in long footage: what a numbered picture shows and how two differ (Oryx), what appears when, in which order and
how often (VideoNIAH).

The questions rest on needles that a composer put in, so time, picture number, order and count follow by arithmetic. Pictures
are numbered by a stated plan: the window cut into equal parts, each shown by its middle. Wrong options are other needles of
the same footage and names that differ from the right one in one word; "none of the others" is always among them, and
sometimes right. How often a thing appears counts needles: what the haystack itself shows is excluded while composing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.needles import COLUMNS, Needle, needles_of
from ...schemas.sample import MediumRef, Sample
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_of,
    wordings_of,
)
from .needle_asks import ASKS, TASK, Kind, Params, Scene


class NeedleRetrieval(Task[Params]):
    """Samples from `events` of the kind needle of one medium."""

    name: ClassVar[str] = TASK
    version: ClassVar[int] = 1
    Params = Params
    reads = ("media", "clips", "selection", "events", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "options_only", "question_only", "fixed_interval", "middle_frame", "first_frame",
    )  # fmt: skip

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_kind` samples of each kind per kept clip that holds needles."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, split = medium_row(rows, media_id), split_of(rows, media_id)
        events = one_producer([e for e in rows["events"] if e["kind"] == "needle"])
        if not events:
            raise SkipUnit("no needles")
        for clip in kept_clips(rows, media_id):
            window = span_of(clip)
            needles = [n for n in needles_of(events) if window.contains_span(n.span)]
            for kind in self.params.ask:
                made = 0
                for targets, asked in self._asks(kind, needles, window, unit.seed):
                    key = [kind, [t.row["row_id"] for t in targets], asked.start_s, asked.end_s]
                    question, form = wordings_of(self.name).choose(kind, unit.seed, key, split=split)
                    try:
                        sample = self._build(
                            unit.recipe, media, clip, targets, needles, kind, asked, question.id, form.id
                        )
                    except Withheld:
                        continue
                    yield "samples", sample.to_row()
                    made += 1
                    if made == self.params.per_kind:
                        break

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Ask the same again of the cited needles."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Which needles there are, when, and what follows."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        needles = needles_of(rows_of(evidence, "events"))
        kind, said = wordings_of(self.name).kind_of(sample.wording), sample.difficulty
        if kind not in self.params.ask:
            raise Withheld(f"wording {sample.wording} asks nothing that is asked here")
        wanted = [int(said.get(f"target_{i}", -1)) for i in range(int(said.get("targets", 0)))]
        if any(not 0 <= i < len(needles) for i in wanted):
            raise Withheld("a needle that is asked about is not cited")
        start, end = said.get("asked_from", 0.0), said.get("asked_to", 0.0)
        asked = Span(start, end).quantised() if 0 <= start < end else sample.window
        return self._build(
            sample.recipe, only_row(evidence, "media"), only_row(evidence, "clips"), [needles[i] for i in wanted],
            needles, kind, asked, sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _asks(
        self, kind: Kind, needles: Sequence[Needle], window: Span, seed: int
    ) -> Iterable[tuple[list[Needle], Span]]:
        """What may be asked, each as the needles that it is about and the span, in an order that hashing gives."""
        mixed = shuffled(needles, seed, self.name, kind, key=lambda n: n.row["row_id"])
        if kind == "frame_caption":
            yield from (([n], window) for n in mixed)
        elif kind == "frame_difference":
            first = [n for n in mixed if n.span.centre_s < window.centre_s]
            later = [n for n in mixed if n.span.centre_s >= window.centre_s]
            yield from (([a, b], window) for a, b in zip(first, later, strict=False))
        elif kind == "retrieve":
            for n in mixed:
                absent = seeded_fraction(seed, self.name, "absent", n.row["row_id"]) < self.params.absent_share
                for attempt in range(12):
                    asked = self._asked(n, needles, window, absent, seed, attempt)
                    if asked is not None:
                        yield ([] if absent else [n]), asked
                        break
        elif kind == "order":
            distinct = list({n.text: n for n in mixed}.values())
            once = [n for n in distinct if sum(m.text == n.text for m in needles) == 1]
            if len(once) >= 3:
                yield sorted(once[: self.params.most_ordered], key=lambda n: n.span), window
        else:
            yield from (([n], window) for n in {n.text: n for n in mixed}.values())

    def _asked(
        self, n: Needle, needles: Sequence[Needle], window: Span, absent: bool, seed: int, attempt: int
    ) -> Span | None:
        """A span with the needle alone in it, or one without any needle; None when this attempt gives none."""
        least, most = self.params.span_s
        key = (seed, self.name, "span", n.row["row_id"], attempt)
        length = min(least + (most - least) * seeded_fraction("length", *key), window.length_s)
        low = window.start_s if absent else max(window.start_s, n.span.end_s - length)
        high = window.end_s - length if absent else min(window.end_s - length, n.span.start_s)
        if high < low:
            return None
        start = low + (high - low) * seeded_fraction("start", *key)
        edges = [round(v * 10) / 10 for v in (start, start + length)]
        asked = Span(max(window.start_s, edges[0]), min(window.end_s, edges[1])).quantised()
        touched = [m for m in needles if overlap_s(m.span, asked) > 0]
        if absent:
            return asked if not touched else None
        return asked if touched == [n] and asked.contains_span(n.span) else None

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        targets: Sequence[Needle],
        needles: Sequence[Needle],
        kind: Kind,
        asked: Span,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about `targets` among all `needles` of the clip. Raises `Withheld`."""
        window = span_of(clip)
        if any(not window.contains_span(n.span) for n in needles):
            raise Withheld("a cited needle lies outside the clip")
        question, answer = wordings_of(self.name).question(kind, wording), wordings_of(self.name).answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        notes = trail if trail is not None else Trail()
        found = ASKS[kind](Scene(self.params, str(media["media_id"]), window, needles, targets, asked, notes))
        written = {n.insert == "subtitle" for n in (targets or needles)}
        place = {str(n.row["row_id"]): i for i, n in enumerate(needles)}
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(found.slots), answer.fill(found.said), options=bool(found.options)),
            answer=found.answer,
            options=found.options,
            rationale=found.rationale,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                *(cite("events", n.row, COLUMNS) for n in needles),
            ),
            needs=("vision", "on_screen_text") if written == {True} else ("vision",),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={
                **found.difficulty,
                "needles": float(len(needles)),
                "length_s": round(window.length_s, 6),
                "targets": float(len(targets)),
                **{f"target_{i}": float(place[str(n.row["row_id"])]) for i, n in enumerate(targets)},
            },
            generator=f"{self.name}@{self.version}",
        )


ANNOTATOR = NeedleRetrieval
