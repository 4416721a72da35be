"""When, and where, is this text on screen? Readings of single pictures are merged into appearances of a text.

A text is quoted; the answer is its span, its box at a given moment, or both; all spans when it appears several times; or
that it is not shown. Something alike in the window, or that contains it, withholds it. A text that is absent is shown
elsewhere in the same medium, and nobody says or describes it in the window either. Appearances fill at most half of
the window. Times are as fine as the pictures were read: a text may begin up to one reading step before its first reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.grounding.localising import (
    Localiser,
    Repeated,
    Unique,
    Written,
    decide,
)
from ...engine.grounding.query_windows import AbsentShare, window_showing, windows_without
from ...engine.grounding.windows import NoWindow
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...engine.wordings import Outcome
from ...schemas.box import Box
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import BoxMark, quote, render
from ...schemas.matching import alike_lines
from ...schemas.readings import Appearance, merge_readings, normalised
from ...schemas.sample import Answer, BoxAnswer, MediumRef, Sample, SpanBoxAnswer
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .chain_of_grounding import writing_chain
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    grid,
    moment,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .occurrences import GroundingParams, answer_of, clip_shown, shown_in, slots_of, worded
from .sight import lines_of, readings_of, witnesses_of

TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
Ask = Literal["when", "where", "both"]


class Params(GroundingParams):
    """Parameters of text_grounding."""

    ask: tuple[Ask, ...] = Field(("when", "where", "both"), min_length=1, description="Kinds of question, in turn.")
    min_letters: int = Field(4, ge=1, description="Least number of letters and digits.")
    max_letters: int = Field(60, ge=1, description="Greatest number of letters and digits.")
    min_readings: int = Field(
        2,
        ge=1,
        description="In how many pictures a text must be read, unless it is known for certain (confidence NULL or 1).",
    )
    min_confidence: float = Field(0.8, description="Least mean recognition score; NULL counts as sure.")
    same: float = Field(0.95, gt=0, le=1, description="Likeness (1 - edits / length) from which texts are the same.")
    different: float = Field(0.6, gt=0, le=1, description="Likeness below which they are others; between: withheld.")
    min_apart_s: float = Field(4.0, ge=0, description="A text that is gone for less may only have been misread.")
    min_steady: float = Field(0.5, description="Least share of the hull that each box fills, when a place is asked.")


class TextGrounding(Task[Params]):
    """Samples from `text_regions` of one medium."""

    name = "text_grounding"
    version = 3
    Params = Params
    reads = ("media", "clips", "selection", "text_regions", "words", "speech", "captions", "events", "footage_groups")
    optional_reads = ("selection", "words", "speech", "captions", "events", "footage_groups")
    second = "text"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples; an appearance of a text is asked about once."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        regions = {str(r["row_id"]): r for r in one_producer(rows["text_regions"])}
        appearances = merge_readings(readings_of(regions.values()))
        if not appearances:
            raise SkipUnit("no text on screen")
        found = _Footage(
            unit, media, kept_clips(rows, unit.medium.media_id), appearances, regions,
            Written(lines_of(appearances), self.params.same, self.params.different),
            witnesses_of(rows), split_of(rows, unit.medium.media_id),
        )  # fmt: skip
        absent = AbsentShare(self.params.absent_share, (unit.seed, self.name))
        per_clip: dict[str, int] = {}
        asked: set[tuple[str, ...]] = set()
        made = 0
        for text in shuffled(appearances, unit.seed, self.name, key=lambda a: a.members):
            held = covering(found.clips, [_span(text)])
            clip = held[0]["clip_id"] if held else None
            if clip is None or text.members in asked or per_clip.get(clip, 0) == self.params.per_clip:
                continue
            sample = self._present(found, text)
            if sample is None:
                continue
            asked |= {a.members for a in appearances if alike_lines(text.text, a.text) >= self.params.same}
            if absent.draw(text.members) and sample.answer.kind != "box":
                other = self._absent(found, text, sample)
                if other is not None:
                    absent.paid()
                    sample = other
            per_clip[clip] = per_clip.get(clip, 0) + 1
            made += 1
            yield "samples", sample.to_row()
            if made == self.params.per_medium:
                return

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Merge the cited readings again and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When and where the text is read, and that it is nowhere else; none where nothing at all is read."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps if len(trail.steps) > 1 else ()

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        regions = rows_of(evidence, "text_regions")
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None:
            raise Withheld(f"unknown wording {sample.wording}")
        n = int(sample.difficulty.get("readings", 0))
        media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
        return self._build(
            sample.recipe, media, clips, regions[:n], regions[n:], sample.window, kind, sample.wording,
            sample.answer_form, trail,
        )  # fmt: skip

    def _present(self, found: _Footage, text: Appearance) -> Sample | None:
        """A sample whose window shows the text, once or several times."""
        held = covering(found.clips, [_span(text)]) or []
        window = window_showing(
            text.text, _span(text), self.params.footage(found.media, held), self.params.window, found.written,
            self.params.repeated_share, found.unit.seed, self.name, text.members,
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return None
        decision = decide(text.text, window, found.written, min_apart_s=self.params.min_apart_s)
        if isinstance(decision, Unique):
            turn = int(seeded_fraction(found.unit.seed, self.name, "ask", text.members) * len(self.params.ask))
            for kind in (*self.params.ask[turn:], *self.params.ask[:turn]):
                sample = self._chosen(found, held, [text], window, kind, "unique")
                if sample is not None:
                    return sample
        if isinstance(decision, Repeated) and "when" in self.params.ask:
            rows = {place.rows for place in decision.places}
            times = [a for a in found.appearances if a.members in rows]
            clips = covering(found.clips, [_span(a) for a in times]) or []
            return self._chosen(found, clips, times, window, "when", "repeated")
        return None

    def _absent(self, found: _Footage, text: Appearance, present: Sample) -> Sample | None:
        """The same question about footage of the same medium in which nothing like the text is shown."""
        kind = wordings_of(self.name).kind_of(present.wording) or "when"
        footage = self.params.footage(found.media, covering(found.clips, [_span(text)]) or [])
        for window in windows_without(
            text.text, _span(text), footage, self.params.window, found.written, found.witnesses,
            self.params.absent_gap_s, found.unit.seed, self.name, text.members,
        ):  # fmt: skip
            sample = self._chosen(found, clip_shown(found.clips, window), [text], window, kind, "absent")
            if sample is not None:
                return sample
        return None

    def _chosen(
        self,
        found: _Footage,
        clips: Sequence[RowDict],
        times: Sequence[Appearance],
        window: Span,
        kind: str,
        outcome: Outcome,
    ) -> Sample | None:
        shown = {m for a in times for m in a.members}
        others: dict[str, RowDict] = {}
        for one in found.appearances:
            for member in one.members:
                row = found.regions[member]
                if member not in shown and overlap_s(span_of(row), window) > 0:
                    others.setdefault(normalised(row["text"]), row)
        question, answer = wordings_of(self.name).choose(
            kind, found.unit.seed, times[0].members, split=found.split, outcome=outcome
        )
        members = [found.regions[m] for a in times for m in a.members]
        try:
            return self._build(
                found.unit.recipe, found.media, clips, members, list(others.values()), window, kind, question.id, answer.id
            )  # fmt: skip
        except (Withheld, ValueError):
            return None

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        members: Sequence[RowDict],
        others: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about the text that `members` read, `others` being a reading of each other text in the window.

        The readings are those of all appearances of the text in the window, or of the one outside where it comes from.
        Raises `Withheld`.
        """
        times = merge_readings(readings_of(members))
        if not times or sum(len(a.members) for a in times) != len(members):
            raise Withheld("no reading of the text is cited")
        text, spans = times[0], [_span(a) for a in times]
        seen = shown_in(window, spans, media, clips, self.params)
        shown, outcome = seen.spans, seen.outcome
        if (kind == "where" and outcome != "unique") or (kind == "both" and outcome == "repeated"):
            raise Withheld(f"a question of the kind {kind} about a text that is {outcome}")
        for one in times:
            self._require_clear(one, members)
            if alike_lines(text.text, one.text) < self.params.same:
                raise Withheld(f"the cited readings are of different texts: {text.text!r} and {one.text!r}")
        nearest = self._require_alone(text, others, window)
        question, answer = worded(self.name, kind, wording, form, outcome)
        middle = members[len(members) // 2]
        at_s = grid((middle["start_s"] + middle["end_s"]) / 2)
        place = _rounded(_box(middle) if kind == "where" else text.box)
        if kind != "when":
            self._require_steady(text.box, members)
        if trail is not None:
            by_id = {str(r["row_id"]): r for r in members}
            writing_chain(
                trail, kind, text.text, [[by_id[m] for m in a.members] for a in times], others, shown, window, middle,
                same=self.params.same, different=self.params.different, least_sure=self.params.min_confidence,
            )  # fmt: skip
        slots = {"quote": quote(text.text), **slots_of(shown), "time": moment(at_s), "box": render([BoxMark(*place)])}
        slots["window"] = span_mark(window)
        typed: Answer = answer_of(shown)
        if kind == "where":
            typed = BoxAnswer(t_s=at_s, box=place)
        elif kind == "both" and shown:
            typed = SpanBoxAnswer(start_s=spans[0].start_s, end_s=spans[0].end_s, box=place)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots)),
            answer=typed,
            rationale=_rationale(kind, slots, text.box, shown, nearest),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite("text_regions", r, TEXT_COLUMNS) for r in (*members, *others)),
            ),
            needs=("vision", "on_screen_text"),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=seen.factors
            | {
                "readings": float(len(members)),
                "other_texts": float(len(others)),
                "area": round(text.box.area, 6),
                "nearest": alike_lines(text.text, nearest) if nearest else 0.0,
            },
            generator=f"{self.name}@{self.version}",
        )

    def _require_clear(self, text: Appearance, members: Sequence[RowDict]) -> None:
        letters = normalised(text.text)
        if not self.params.min_letters <= len(letters) <= self.params.max_letters:
            raise Withheld(f"a text of {len(letters)} letters")
        recognised = any(r["confidence"] is not None and r["confidence"] < 1 for r in members)
        if recognised and len(text.members) < self.params.min_readings:
            raise Withheld(f"read in {len(text.members)} pictures only")
        if text.confidence < self.params.min_confidence:
            raise Withheld(f"read with confidence {text.confidence:.2f} only")

    def _require_alone(self, text: Appearance, others: Sequence[RowDict], window: Span) -> str | None:
        """The other text in the window that is most like it. Raises `Withheld` when that is too much alike."""
        nearest, best = None, -1.0
        for row in others:
            if overlap_s(span_of(row), window) <= 0:
                raise Withheld("a cited reading lies outside the window")
            score = alike_lines(text.text, row["text"])
            if score >= self.params.different:
                raise Withheld(f"{row['text']!r} at {row['start_s']:g} s in the window is too much alike ({score:.2f})")
            if score > best:
                nearest, best = str(row["text"]), score
        return nearest

    def _require_steady(self, hull: Box, members: Sequence[RowDict]) -> None:
        if any(_box(r).area < self.params.min_steady * hull.area for r in members):
            raise Withheld("the text moves or changes its size")


@dataclass(frozen=True)
class _Footage:
    """What is known of one medium while its samples are written."""

    unit: Unit
    media: RowDict
    clips: Sequence[RowDict]
    appearances: Sequence[Appearance]
    regions: dict[str, RowDict]
    written: Written
    witnesses: Sequence[Localiser]
    split: str


def _span(text: Appearance) -> Span:
    return Span(text.start_s, text.end_s).quantised()


def _box(row: RowDict) -> Box:
    return Box(row["x1"], row["y1"], row["x2"], row["y2"])


def _rounded(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(v, 6) for v in box.edges)
    return x1, y1, x2, y2


def _rationale(
    kind: str, slots: dict[str, str], box: Box, shown: Sequence[Span], nearest: str | None
) -> tuple[str, ...]:
    steps = [f"I look for the writing {slots['quote']}."]
    if not shown:
        steps.append(f"I go through everything that can be read in {slots['window']}.")
        if nearest is not None:
            steps.append(f"Of what can be read, {quote(nearest)} comes nearest, but that is another text.")
        steps.append("So it does not stand anywhere in the footage shown.")
    elif len(shown) > 1:
        steps += [
            f"It is {'readable again' if i else 'first readable'} in {span_mark(s)}." for i, s in enumerate(shown)
        ]
        steps.append("At all other times it is not to be seen.")
    elif kind == "where":
        steps.append(f"At {slots['time']} it stands in the {box.region()} part of the picture.")
        steps.append(f"Its letters fill {slots['box']}.")
    else:
        steps.append(f"It is first readable at {slots['start']}.")
        steps.append(f"From {slots['end']} on it is gone, and nowhere else in the footage shown does it stand.")
        if kind == "both":
            steps.append(f"All that time it stays within {slots['box']}.")
    return tuple(steps)


ANNOTATOR = TextGrounding
