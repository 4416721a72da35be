"""Is this the part that shows it? Yes or no about a stretch of footage and a described event (TimeSearch's reflection).

The footage shown is the candidate window itself: the event's own span or one moved by a little (tIoU 0.5 to 0.9) for yes, one
that shares a small part with it or none for no. Yes and no come in pairs with the same question and the same length of
footage, so the classes are equally large and length says nothing. A window that may show the event elsewhere, and every window
in the undecided band of tIoU, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import DESCRIBED_TABLES, cite_described, described_of
from ...engine.distractors.spans import Way, shifted
from ...engine.grounding.query_windows import Footage, window_without
from ...engine.grounding.windows import NoWindow
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions
from ...schemas.sample import Option, Sample
from ...schemas.span import Span, overlap_s, tiou, to_us
from ...schemas.verifying import Check
from .chain_of_grounding import others_differ, window_of
from .choosing import Choice, choice_sample
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .event_words import EventParams, events_of, forms_of, kinds_of, needs_of, words_of
from .occurrences import clip_shown

Pool = Literal["truth", "jittered", "partial", "disjoint"]
LABELS = ("no", "yes")
WAYS: tuple[Way, ...] = ("earlier", "later")
"""Candidates are as long as the event: a shorter or longer one would be told by its length."""


class Params(EventParams):
    """Parameters of span_reflection; defaults are TimeSearch's bands, and the seed list's bound for negatives."""

    yes_tiou: float = Field(0.5, gt=0, le=1, description="Least tIoU with the event of a window that shows it.")
    jitter_tiou: tuple[float, float] = Field((0.5, 0.9), description="tIoU of a moved window that still shows it.")
    partial_tiou: tuple[float, float] = Field((0.1, 0.3), description="tIoU of a window that shows only a part of it.")
    truth_share: float = Field(0.3, ge=0, le=1, description="Share of yes windows that are the event's own span.")
    disjoint_share: float = Field(0.5, ge=0, le=1, description="Share of no windows without any part of it.")
    gap_s: float = Field(
        0.5, ge=0, description="Least time from a disjoint window to the event and to what is like it."
    )
    window_s: tuple[float, float] = Field((0.5, 60.0), description="Shortest and longest window that is shown.")

    @model_validator(mode="after")
    def _apart(self) -> Params:
        if (
            not self.partial_tiou[0]
            <= self.partial_tiou[1]
            < self.yes_tiou
            <= self.jitter_tiou[0]
            <= self.jitter_tiou[1]
        ):
            raise ValueError("partial_tiou lies below yes_tiou, and jitter_tiou not below it")
        return self


class SpanReflection(Task[Params]):
    """Samples from `captions` or `events` with spans of one medium, one yes and one no for each event."""

    name = "span_reflection"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """A yes and a no about at most `per_medium` events."""
        assert unit.medium is not None
        events = events_of(rows, self.params)
        if not events:
            raise SkipUnit("no descriptions with spans")
        made = 0
        for asked in shuffled(events, unit.seed, self.name, key=lambda r: r["row_id"]):
            if made == self.params.per_medium:
                return
            pair = self._pair(unit, rows, events, asked) if self.params.askable(asked) else ()
            made += bool(pair)
            yield from (("samples", s.to_row()) for s in pair)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Label the shown window again from the event's span, and rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When the event happens, and how much of that and of nothing else the window shows."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _pair(self, unit: Unit, rows: Rows, events: Sequence[RowDict], asked: RowDict) -> tuple[Sample, ...]:
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        kinds = kinds_of(words_of(asked), tuple(wordings_of(self.name).kinds))
        kind = kinds[int(seeded_fraction(unit.seed, self.name, "kind", asked["row_id"]) * len(kinds))]
        question, form = wordings_of(self.name).choose(kind, unit.seed, asked["row_id"], split=split)
        found: list[Sample] = []
        for windows in self._windows(unit.seed, events, asked, media["duration_s"]):
            for window in windows:
                others = [r for r in events if r is not asked and overlap_s(span_of(r), window) > 0]
                try:
                    found.append(
                        self._build(
                            unit.recipe, media, clip_shown(clips, window), asked, others, window, kind,
                            question.id, form.id, paired=True,
                        )
                    )  # fmt: skip
                except Withheld:
                    continue
                break
        return tuple(found) if len(found) == 2 else ()

    def _windows(
        self, seed: int, events: Sequence[RowDict], asked: RowDict, duration_s: float
    ) -> tuple[list[Span], list[Span]]:
        """Windows that show the event, and windows that do not, each in the order in which they are tried."""
        truth, whole, key = span_of(asked), Span(0.0, duration_s), (seed, self.name, asked["row_id"])
        moved = self._moved(truth, whole, self.params.jitter_tiou, *key)
        first = seeded_fraction(*key, "truth") < self.params.truth_share
        yes = [truth, *moved] if first else [*moved, truth]
        part = self._moved(truth, whole, self.params.partial_tiou, *key)
        alike = [r for r in events if alike_descriptions(words_of(asked), words_of(r)) >= self.params.different]
        length = (truth.length_s, truth.length_s)
        apart = window_without(
            [truth, *map(span_of, alike)], Footage(duration_s), length, *key, gap_s=self.params.gap_s
        )
        none = [] if isinstance(apart, NoWindow) else [apart]
        no = [*none, *part] if seeded_fraction(*key, "disjoint") < self.params.disjoint_share else [*part, *none]
        return yes, no

    @staticmethod
    def _moved(truth: Span, whole: Span, band: tuple[float, float], *key: object) -> list[Span]:
        """Windows moved earlier and later to a tIoU in the band, the drawn way first."""
        found = [d.value for d in shifted(truth, whole, *key, tiou_range=band, ways=WAYS)]
        return found if seeded_fraction(*key, band, "way") < 0.5 else found[::-1]

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        found = described_of(evidence, least_p=self.params.least_p)
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None or not found:
            raise Withheld("unknown wording, or no description is cited")
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), found[0], found[1:], sample.window,
            kind, sample.wording, sample.answer_form, paired=sample.pair_id is not None, trail=trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        asked: RowDict,
        others: Sequence[RowDict],
        window: Span,
        kind: str,
        wording: str,
        form: str,
        *,
        paired: bool,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about `window`, `others` being all other descriptions in it. Raises `Withheld`."""
        least, most = self.params.window_s
        if not to_us(least) <= to_us(window.end_s) - to_us(window.start_s) <= to_us(most):
            raise Withheld(f"the window is {window.length_s:g} s long")
        if to_us(window.end_s) > to_us(media["duration_s"]) + 1:
            raise Withheld("the window ends past the end of the footage")
        if not clips or list(clips) != clip_shown(clips, window):
            raise Withheld("the window shows no kept clip")
        self.params.require_askable([asked])
        text = words_of(asked)
        if kind not in kinds_of(text):
            raise Withheld(f"the description cannot be asked for with a question of the kind {kind}")
        for row in others:
            if overlap_s(span_of(row), window) <= 0:
                raise Withheld("a cited description lies outside the window")
            if alike_descriptions(text, words_of(row)) >= self.params.different:
                raise Withheld(f"{row['text']!r} in the window is much like it")
        pool, shared = self._pool(span_of(asked), window)
        choice = self._choice(asked, window, pool, shared, len(others), kind)
        if trail is not None:
            self._chain(trail, asked, others, window, shared)
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
            *(cite_described(r) for r in (asked, *others)),
        )
        pair_id = derive_id("pair", self.name, asked["row_id"]) if paired else None
        return choice_sample(
            self.name,
            self.version,
            recipe,
            media,
            clips[0]["clip_id"],
            window,
            evidence,
            choice,
            wording,
            form,
            pair_id,
        )

    def _pool(self, truth: Span, window: Span) -> tuple[Pool, float]:
        """Which pool a window is of, and its tIoU with the event. Raises `Withheld` for one that is of none."""
        shared = round(tiou(window, truth), 6)
        if shared == 1:
            return "truth", shared
        if self.params.jitter_tiou[0] <= shared <= self.params.jitter_tiou[1]:
            return "jittered", shared
        if self.params.partial_tiou[0] <= shared <= self.params.partial_tiou[1]:
            return "partial", shared
        if shared == 0 and max(truth.start_s - window.end_s, window.start_s - truth.end_s) >= self.params.gap_s - 1e-6:
            return "disjoint", shared
        raise Withheld(f"a tIoU of {shared:.2f} with the event is neither yes nor no")

    def _choice(self, asked: RowDict, window: Span, pool: Pool, shared: float, others: int, kind: str) -> Choice:
        index = int(shared >= self.params.yes_tiou)
        text = words_of(asked)
        reason = {
            "truth": "That is exactly what is shown.",
            "jittered": f"Of the footage shown, {span_mark(window)}, that is most.",
            "partial": f"Of the footage shown, {span_mark(window)}, that is only a small part.",
            "disjoint": f"Nothing of it is in the footage shown, {span_mark(window)}.",
        }[pool]
        happens = (
            () if pool == "disjoint" else (f"{quote(text)} happens in {self._shown(asked, window)} of what is shown.",)
        )
        factors = {
            "tiou": shared,
            "length_s": round(window.length_s, 6),
            "offset_s": round(window.start_s - asked["start_s"], 6),
            "other_events": float(others),
        }
        options = tuple(Option(text=label) for label in LABELS)
        return Choice(options, index, (*happens, reason), factors, needs_of([text]), kind, forms_of(text))

    @staticmethod
    def _shown(asked: RowDict, window: Span) -> str:
        part = span_of(asked).intersection(window)
        return span_mark(part) if part is not None else "nothing"

    def _chain(self, trail: Trail, asked: RowDict, others: Sequence[RowDict], window: Span, shared: float) -> None:
        text = trail.read(asked["table"], [asked], "text", note="The event is {@.text}.")
        trail.require(text, "says", words_of(asked))
        place = trail.locate(asked["table"], [asked])
        value = trail.compute("tiou", place, window=window_of(window))
        yes = shared >= self.params.yes_tiou
        bound = self.params.yes_tiou if yes else self.params.partial_tiou[1]
        note = "It is most of what is shown." if yes else "Little or nothing of it is in what is shown."
        trail.require(value, "at_least" if yes else "at_most", bound, note=note)
        for table in DESCRIBED_TABLES:
            others_differ(
                trail, table, [o for o in others if o["table"] == table], window, words_of(asked), like="description",
                least=self.params.different, note="What else happens in the footage shown is something else.",
            )  # fmt: skip
        trail.conclude(
            "choice", trail.compute("reaches", value, least=self.params.yes_tiou), note="That is the answer."
        )


ANNOTATOR = SpanReflection
