"""When, and where, is this text on screen? Readings of single pictures are merged into appearances of a text.

A text that stands once in the shown window (nothing alike, nothing that contains it) is quoted; the answer
is its span, its box at a given moment, or both. The appearance fills at most half of the window, so there is
time without it or with other text. Times are as fine as the pictures were read: a text may begin up to one
reading step before its first reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer
from ...engine.task import EvidenceRow, Task
from ...engine.windows import NoWindow, WindowPolicy, choose_window, window_problems
from ...schemas.box import Box, box_or_none
from ...schemas.ids import seeded_fraction
from ...schemas.markup import BoxMark, quote, render
from ...schemas.readings import Appearance, Reading, edit_distance, merge_readings, normalised
from ...schemas.sample import BoxAnswer, MediumRef, Sample, SpanAnswer, SpanBoxAnswer
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
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
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    wordings_of,
)

TEXT_COLUMNS = ("start_s", "end_s", "text", "confidence", "x1", "y1", "x2", "y2")
Ask = Literal["when", "where", "both"]


class Params(BaseParams):
    """Parameters of text_grounding."""

    per_clip: int = Field(2, ge=1, description="Samples per kept clip, at most.")
    per_medium: int = Field(8, ge=1, description="Samples per medium, at most.")
    window: WindowPolicy = Field(WindowPolicy(), description="What a sample shows around the text.")
    ask: tuple[Ask, ...] = Field(("when", "where", "both"), min_length=1, description="Kinds of question, in turn.")
    min_letters: int = Field(4, ge=1, description="Least number of letters and digits.")
    max_letters: int = Field(60, ge=1, description="Greatest number of letters and digits.")
    min_readings: int = Field(2, ge=1, description="In how many pictures a text must be read.")
    min_confidence: float = Field(0.8, description="Least mean recognition score.")
    max_alike: float = Field(0.4, description="Greatest share of letters to change that makes another text alike.")
    min_steady: float = Field(0.5, description="Least share of the hull that each box fills, when a place is asked.")


class TextGrounding(Task[Params]):
    """Samples from `text_regions` of one medium."""

    name = "text_grounding"
    Params = Params
    reads = ("media", "clips", "selection", "text_regions")
    optional_reads = ("selection",)
    second = "text"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples, one per appearance of a text."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        regions = {str(r["row_id"]): r for r in one_producer(rows["text_regions"])}
        appearances = merge_readings(_readings(regions.values()))
        if not appearances:
            raise SkipUnit("no text on screen")
        clips = kept_clips(rows, unit.medium.media_id)
        per_clip: dict[str, int] = {}
        made = 0
        for found in shuffled(appearances, unit.seed, self.name, key=lambda a: a.members):
            held = covering(clips, [_span(found)])
            if not held or per_clip.get(held[0]["clip_id"], 0) == self.params.per_clip:
                continue
            sample = self._try(unit, media, held, found, appearances, regions)
            if sample is not None:
                per_clip[held[0]["clip_id"]] = per_clip.get(held[0]["clip_id"], 0) + 1
                made += 1
                yield "samples", sample.to_row()
            if made == self.params.per_medium:
                return

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Merge the cited readings again and rebuild the sample."""

        def build() -> Sample:
            regions = rows_of(evidence, "text_regions")
            kind = wordings_of(self.name).kind_of(sample.wording)
            if kind is None:
                raise Withheld(f"unknown wording {sample.wording}")
            n = int(sample.difficulty.get("readings", 0))
            media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
            return self._build(
                sample.recipe, media, clips, regions[:n], regions[n:], sample.window, kind, sample.wording, sample.answer_form
            )  # fmt: skip

        return rebuilt(sample, build)

    def _try(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        found: Appearance,
        appearances: Sequence[Appearance],
        regions: dict[str, RowDict],
    ) -> Sample | None:
        policy = self.params.window
        bounds = Span(clips[0]["start_s"], clips[-1]["end_s"]) if policy.within == "clip" else None
        window = choose_window(
            _span(found), media["duration_s"], policy.length_s, unit.seed, self.name, found.members,
            evidence_share_max=policy.evidence_share_max, bounds=bounds,
        )  # fmt: skip
        if isinstance(window, NoWindow):
            return None
        others = [regions[a.members[0]] for a in appearances if a is not found and overlap_s(_span(a), window) > 0]
        members = [regions[m] for m in found.members]
        turn = int(seeded_fraction(unit.seed, self.name, "ask", found.members) * len(self.params.ask))
        for kind in (*self.params.ask[turn:], *self.params.ask[:turn]):
            question, answer = wordings_of(self.name).choose(kind, unit.seed, found.members)
            try:
                return self._build(unit.recipe, media, clips, members, others, window, kind, question.id, answer.id)
            except Withheld:
                continue
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
    ) -> Sample:
        """The sample about the text that `members` read, `others` being a reading of each other text. Raises
        `Withheld`.
        """
        found = merge_readings(_readings(members))
        if len(found) != 1 or len(found[0].members) != len(members):
            raise Withheld("the cited readings are not one appearance of a text")
        text = found[0]
        span = _span(text)
        self._require_clear(text, [str(r["text"]) for r in others])
        policy = self.params.window
        for problem in window_problems(
            window, [span], media["duration_s"], policy.length_s, evidence_share_max=policy.evidence_share_max
        ):
            raise Withheld(problem)
        if not clips or covering(clips, [span]) != list(clips):
            raise Withheld("the text is not inside kept clips")
        wordings = wordings_of(self.name)
        question, answer = wordings.question(kind, wording), wordings.answer(kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        middle = members[len(members) // 2]
        at_s = grid((middle["start_s"] + middle["end_s"]) / 2)
        place = _rounded(_box(middle) if kind == "where" else text.box)
        if kind != "when":
            self._require_steady(text.box, members)
        slots = {
            "quote": quote(text.text),
            "span": span_mark(span),
            "start": moment(span.start_s),
            "end": moment(span.end_s),
            "time": moment(at_s),
            "box": render([BoxMark(*place)]),
        }
        typed: SpanAnswer | BoxAnswer | SpanBoxAnswer
        if kind == "when":
            typed = SpanAnswer(start_s=span.start_s, end_s=span.end_s)
        elif kind == "where":
            typed = BoxAnswer(t_s=at_s, box=place)
        else:
            typed = SpanBoxAnswer(start_s=span.start_s, end_s=span.end_s, box=place)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill(slots), answer.fill(slots)),
            answer=typed,
            rationale=_rationale(kind, slots, text.box),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite("text_regions", r, TEXT_COLUMNS) for r in (*members, *others)),
            ),
            needs=("vision", "on_screen_text"),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=placement(window, span)
            | {"readings": float(len(members)), "other_texts": float(len(others)), "area": round(text.box.area, 6)},
            generator=f"{self.name}@{self.version}",
        )

    def _require_clear(self, text: Appearance, others: Sequence[str]) -> None:
        letters = normalised(text.text)
        if not self.params.min_letters <= len(letters) <= self.params.max_letters:
            raise Withheld(f"a text of {len(letters)} letters")
        if len(text.members) < self.params.min_readings:
            raise Withheld(f"read in {len(text.members)} pictures only")
        if text.confidence < self.params.min_confidence:
            raise Withheld(f"read with confidence {text.confidence:.2f} only")
        for other in others:
            against = normalised(other)
            limit = int(self.params.max_alike * max(len(letters), len(against)))
            if letters in against or (len(against) >= self.params.min_letters and against in letters):
                raise Withheld(f"{other!r} contains the text or is part of it")
            if edit_distance(letters, against, limit) <= limit:
                raise Withheld(f"{other!r} in the window is too much alike")

    def _require_steady(self, hull: Box, members: Sequence[RowDict]) -> None:
        if any(_box(r).area < self.params.min_steady * hull.area for r in members):
            raise Withheld("the text moves or changes its size")


def _readings(rows: Iterable[RowDict]) -> list[Reading]:
    found = []
    for r in rows:
        box = box_or_none(r["x1"], r["y1"], r["x2"], r["y2"])
        if box is not None and r["end_s"] > r["start_s"]:
            found.append(Reading(r["row_id"], r["text"], r["start_s"], r["end_s"], box, r["confidence"]))
    return found


def _span(text: Appearance) -> Span:
    return Span(text.start_s, text.end_s).quantised()


def _box(row: RowDict) -> Box:
    return Box(row["x1"], row["y1"], row["x2"], row["y2"])


def _rounded(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(v, 6) for v in box.edges)
    return x1, y1, x2, y2


def _rationale(kind: str, slots: dict[str, str], box: Box) -> tuple[str, ...]:
    steps = [f"I look for the writing {slots['quote']}."]
    if kind == "where":
        steps.append(f"At {slots['time']} it stands in the {box.region()} part of the picture.")
        steps.append(f"Its letters fill {slots['box']}.")
    else:
        steps.append(f"It is first readable at {slots['start']}.")
        steps.append(f"From {slots['end']} on it is gone, and nowhere else in the footage shown does it stand.")
        if kind == "both":
            steps.append(f"All that time it stays within {slots['box']}.")
    return tuple(steps)


ANNOTATOR = TextGrounding
