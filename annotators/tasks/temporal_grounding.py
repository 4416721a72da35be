"""When does this happen? A described event is asked for, and the answer is its span, all its spans, or that it does not
happen.

Descriptions are rows of `captions` or `events` with spans of their own: annotated events of a manifest or an import, what a
composed film tells, or events fused from proposals whose calibrated probability is high enough.
The event fills at most half of the shown window, and other events stand in it. A description that is nearly the same, or
what it quotes being said or written at another time, withholds it. That something does not happen can only be said of
footage whose descriptions name everything of their kind: composed and rendered footage, or `complete: true`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import LEAST_P, cite_described, described_of
from ...engine.grounding.localising import (
    Described,
    Localiser,
    Repeated,
    Unique,
    decide,
    line,
)
from ...engine.grounding.query_windows import AbsentShare, window_showing, windows_without
from ...engine.grounding.windows import NoWindow
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...engine.wordings import Outcome
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions, common_words, quoted_parts
from ...schemas.sample import MediumRef, Need, Sample
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .chain_of_grounding import event_chain
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .event_words import forms_of, kinds_of
from .occurrences import GroundingParams, answer_of, clip_shown, shown_in, slots_of, spans_in, worded
from .sight import captions_of, curves_of, quoting


class Params(GroundingParams):
    """Parameters of temporal_grounding."""

    min_event_s: float = Field(0.2, gt=0, description="Shorter events are not asked for.")
    min_other_events: int = Field(1, ge=0, description="Other described events that the window must show.")
    max_words: int = Field(30, ge=1, description="Longer descriptions are not asked for.")
    different: float = Field(0.6, gt=0, le=1, description="Share of common words below which events are others.")
    min_apart_s: float = Field(0.2, ge=0, description="Nearer descriptions of the same may mean one event.")
    least_p: float = Field(
        LEAST_P, ge=0, le=1, description="Least calibrated probability of fused events; 0 takes uncalibrated ones too."
    )
    complete: bool = Field(
        False,
        description="The descriptions of all footage name every event of their kind; composed footage always does.",
    )


class TemporalGrounding(Task[Params]):
    """Samples from `captions` or `events` with spans of one medium."""

    name = "temporal_grounding"
    version = 2
    Params = Params
    reads = (
        "media",
        "clips",
        "selection",
        "captions",
        "events",
        "words",
        "speech",
        "text_regions",
        "clip_scores",
        "footage_groups",
    )
    optional_reads = (
        "selection",
        "captions",
        "events",
        "words",
        "speech",
        "text_regions",
        "clip_scores",
        "footage_groups",
    )
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "question_only", "fixed_interval", "middle_frame", "first_frame", "shuffled_frames",
    )  # fmt: skip
    second = "captions"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples; each event is asked for once."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        captions = captions_of(rows, least_p=self.params.least_p)
        if not captions:
            raise SkipUnit("no descriptions with spans")
        found = _Footage(
            unit, media, kept_clips(rows, unit.medium.media_id), captions,
            Described([line(c, c["text"]) for c in captions], low=self.params.different),
            rows, split_of(rows, unit.medium.media_id),
        )  # fmt: skip
        absent = AbsentShare(self.params.absent_share, (unit.seed, self.name))
        per_clip: dict[str, int] = {}
        asked: list[tuple[str, Span]] = []
        made = 0
        for caption in shuffled(captions, unit.seed, self.name, key=lambda c: c["row_id"]):
            span = span_of(caption)
            clip = next((c["clip_id"] for c in clip_shown(found.clips, span)), None)
            if clip is None or per_clip.get(clip, 0) == self.params.per_clip:
                continue
            if any(overlap_s(span, s) > 0 and alike_descriptions(caption["text"], text) == 1 for text, s in asked):
                continue
            sample = self._present(found, caption)
            if sample is None:
                continue
            asked += [(caption["text"], s) for s in (span, *spans_in(sample.answer))]
            if self._complete(media) and absent.draw(caption["row_id"]):
                other = self._absent(found, caption)
                if other is not None:
                    absent.paid()
                    sample = other
            per_clip[clip] = per_clip.get(clip, 0) + 1
            made += 1
            yield "samples", sample.to_row()
            if made == self.params.per_medium:
                return

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from media, clips and descriptions."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Where the event is described, and that everything else is another."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        captions = described_of(evidence, least_p=self.params.least_p)
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None:
            raise Withheld(f"unknown wording {sample.wording}")
        n = max(1, int(sample.difficulty.get("occurrences", 1)))
        media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
        return self._build(
            sample.recipe, media, clips, captions[:n], captions[n:], sample.window, kind, sample.wording,
            sample.answer_form, trail,
        )  # fmt: skip

    def _complete(self, media: RowDict) -> bool:
        return self.params.complete or media["origin"] in ("composed", "rendered")

    def _present(self, found: _Footage, caption: RowDict) -> Sample | None:
        """A sample whose window shows the event, once or several times."""
        span, text = span_of(caption), caption["text"]
        window = window_showing(
            text, span, self.params.footage(found.media, covering(found.clips, [span]) or []), self.params.window,
            found.described, self.params.repeated_share, found.unit.seed, self.name, caption["row_id"],
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return None
        rivals = found.rivals(caption)
        decision = decide(text, window, found.described, rivals, min_apart_s=self.params.min_apart_s)
        if not isinstance(decision, Unique | Repeated):
            return None
        places = (decision.place,) if isinstance(decision, Unique) else decision.places
        ids = [row_id for place in places for row_id in place.rows]
        by_id = {c["row_id"]: c for c in found.captions}
        times = [by_id[i] for i in ids]
        if len(times) == 1:
            times = [caption]
        return self._chosen(found, times, window, "unique" if len(times) == 1 else "repeated")

    def _absent(self, found: _Footage, caption: RowDict) -> Sample | None:
        """The same question about footage of the same medium in which nothing like it is described."""
        footage = self.params.footage(found.media, covering(found.clips, [span_of(caption)]) or [])
        for window in windows_without(
            caption["text"], span_of(caption), footage, self.params.window, found.described, found.rivals(caption),
            self.params.absent_gap_s, found.unit.seed, self.name, caption["row_id"],
        ):  # fmt: skip
            sample = self._chosen(found, [caption], window, "absent")
            if sample is not None:
                return sample
        return None

    def _chosen(self, found: _Footage, times: Sequence[RowDict], window: Span, outcome: Outcome) -> Sample | None:
        cited = {c["row_id"] for c in times}
        others = [c for c in found.captions if c["row_id"] not in cited and overlap_s(span_of(c), window) > 0]
        wordings, seed, key = wordings_of(self.name), found.unit.seed, times[0]["row_id"]
        kinds = kinds_of(times[0]["text"])
        kind = kinds[int(seeded_fraction(seed, self.name, "kind", key) * len(kinds))]
        question, answer = wordings.choose(kind, seed, key, split=found.split, outcome=outcome)
        spans = [span_of(c) for c in times]
        clips = clip_shown(found.clips, window) if outcome == "absent" else covering(found.clips, spans) or []
        try:
            return self._build(
                found.unit.recipe, found.media, clips, times, others, window, kind, question.id, answer.id
            )  # fmt: skip
        except (Withheld, ValueError):
            return None

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        times: Sequence[RowDict],
        others: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about the event that `times` describe, `others` being all other descriptions in the window.

        `times` are all descriptions of it in the window, or the one outside where it happens. Raises `Withheld`.
        """
        if not times:
            raise Withheld("no description is cited")
        text = " ".join(str(times[0]["text"]).split()).rstrip(".")
        spans = [span_of(c) for c in times]
        seen = shown_in(window, spans, media, clips, self.params)
        shown = seen.spans
        if not shown and not self._complete(media):
            raise Withheld("not everything that happens is described")
        if not 1 <= len(text.split()) <= self.params.max_words or any(
            s.length_s < self.params.min_event_s for s in spans
        ):
            raise Withheld("the description is too long, or its event too short")
        if any(alike_descriptions(text, str(c["text"])) < 1 for c in times):
            raise Withheld("the cited descriptions are of different events")
        nearest = self._require_alone(text, others, window)
        if kind not in kinds_of(text):
            raise Withheld(f"the description cannot be asked for with a question of the kind {kind}")
        if trail is not None:
            event_chain(trail, text, times, others, shown, window, self.params.different)
        question, answer = worded(self.name, kind, wording, form, seen.outcome)
        slots = {**forms_of(text), **slots_of(shown)}
        needs: tuple[Need, ...] = ("vision", "on_screen_text") if quoted_parts(text) else ("vision",)
        score = common_words(text, nearest["text"]) if nearest is not None else 0.0
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots)),
            answer=answer_of(shown),
            rationale=_rationale(text, shown, others, nearest, window),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite_described(c) for c in (*times, *others)),
            ),
            needs=needs,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=seen.factors | {"other_events": float(len(others)), "nearest": score},
            generator=f"{self.name}@{self.version}",
        )

    def _require_alone(self, text: str, others: Sequence[RowDict], window: Span) -> RowDict | None:
        """The other event in the window that is most like it. Raises `Withheld` when too much alike, or alone."""
        if len(others) < self.params.min_other_events:
            raise Withheld(f"{len(others)} other events are described in the window")
        nearest, best = None, -1.0
        for c in others:
            if overlap_s(span_of(c), window) <= 0:
                raise Withheld("a cited description lies outside the window")
            alike, score = alike_descriptions(text, str(c["text"])), common_words(text, str(c["text"]))
            if alike >= self.params.different:
                raise Withheld(f"{c['text']!r} at {c['start_s']:g} s in the window is much like it ({alike:.2f})")
            if score > best:
                nearest, best = c, score
        return nearest


@dataclass(frozen=True)
class _Footage:
    """What is known of one medium while its samples are written."""

    unit: Unit
    media: RowDict
    clips: Sequence[RowDict]
    captions: Sequence[RowDict]
    described: Described
    rows: Rows
    split: str

    def rivals(self, caption: RowDict) -> list[Localiser]:
        """What else may know of the event: what it quotes, said or written, and a stored curve of this very text."""
        return [*quoting(caption["text"], span_of(caption), self.rows), *curves_of(caption["text"], self.rows)]


def _rationale(
    text: str, shown: Sequence[Span], others: Sequence[RowDict], nearest: RowDict | None, window: Span
) -> tuple[str, ...]:
    """Steps that cite the evidence: what happens before and after, when it begins and ends, or what comes nearest."""
    steps = [f"I look for what is described as {quote(text)}."]
    if not shown:
        steps.append(f"I go through everything that happens in {span_mark(window)}.")
        part = span_of(nearest).intersection(window) if nearest is not None else None
        if nearest is not None and part is not None:
            steps.append(f"What comes nearest is {quote(' '.join(nearest['text'].split()))} at {span_mark(part)}.")
        return (*steps, "So it does not happen in the footage shown.")
    if len(shown) > 1:
        steps += [f"It happens {'again' if i else 'first'} in {span_mark(s)}." for i, s in enumerate(shown)]
        return (*steps, "At no other time does it happen in the footage shown.")
    before = [c for c in others if c["end_s"] <= shown[0].start_s]
    after = [c for c in others if c["start_s"] >= shown[0].end_s]
    for word, rows in (("Before", before[-1:]), ("After", after[:1])):
        for c in rows:
            part = span_of(c).intersection(window)
            if part is not None:
                steps.append(f"{word} it, at {span_mark(part)}: {quote(' '.join(c['text'].split()))}.")
    steps.append(f"So it happens in {span_mark(shown[0])}, and at no other time in the footage shown.")
    return tuple(steps)


ANNOTATOR = TemporalGrounding
