"""Put pieces of a transcript in the order in which they are spoken (as TVTS does).

Four segments of three to five whole seconds, a second apart, are cut from the timed words; their texts are
the options, listed in an order that hashing the texts gives, so every permutation is equally likely to be
the answer. The window is exactly the four segments with their gaps. A word belongs to the segment in which
it begins; footage too short for that is split evenly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.markup import quote
from ...schemas.metrics import normalise_words
from ...schemas.sample import MediumRef, Need, Option, OrderAnswer, Sample
from ...schemas.span import Span, from_us, to_us
from ...schemas.verifying import Check
from .chain_of_choices import sorting_chain
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    kind_of,
    only_row,
    rebuilt,
    rows_of,
    span_mark,
    wordings_of,
)

WORD_COLUMNS = ("start_s", "end_s", "word", "position")
SECOND = 1_000_000
NEEDS: dict[str, tuple[Need, ...]] = {"hearing": ("audio", "speech_text"), "sight": ("vision",)}


class Params(BaseParams):
    """Parameters of transcript_sorting; defaults are those of TVTS."""

    per_medium: int = Field(4, ge=1, description="Samples per medium, at most; their windows do not overlap.")
    segments: int = Field(4, ge=2, le=8, description="Pieces to put in order.")
    segment_s: tuple[int, int] = Field((3, 5), description="Least and greatest length of a segment, whole seconds.")
    gap_s: float = Field(1.0, ge=0, description="Pause between segments.")
    min_characters: int = Field(10, ge=1, description="Shortest text of a segment.")
    tries: int = Field(24, ge=1, description="Windows tried per medium.")
    solve_by: Literal["hearing", "sight"] = Field(
        "hearing", description="What the sample needs: the sound, or (as in TVTS) only the pictures."
    )


class TranscriptSorting(Task[Params]):
    """Samples from `words` of one medium."""

    name = "transcript_sorting"
    version = 2
    Params = Params
    reads = ("media", "clips", "selection", "words", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    second = "speech"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples, drawn at random places."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        words = sorted(one_producer(rows["words"]), key=lambda w: w["position"])
        if not words:
            raise SkipUnit("no words")
        clips, split = kept_clips(rows, unit.medium.media_id), split_of(rows, unit.medium.media_id)
        made: list[Sample] = []
        for attempt in range(self.params.tries):
            window = self._window(media["duration_s"], unit.seed, media["media_id"], attempt)
            if window is None or any(window.intersection(other.window) for other in made):
                continue
            try:
                pieces = self._segments(window, media["duration_s"])
                held = covering(clips, pieces) or []
                spoken = [w for piece in pieces for w in words if _begins_in(w, piece)]
                key = [w["row_id"] for w in spoken]
                question, answer = wordings_of(self.name).choose("order", unit.seed, key, split=split)
                made.append(self._build(unit.recipe, media, held, spoken, window, question.id, answer.id))
            except Withheld:
                continue
            if len(made) == self.params.per_medium:
                break
        for sample in made:
            yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild segments from the window, texts from the cited words, and the order from their times."""

        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Which piece each option is, and when it is spoken."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        media, clips, words = only_row(evidence, "media"), rows_of(evidence, "clips"), rows_of(evidence, "words")
        return self._build(sample.recipe, media, clips, words, sample.window, sample.wording, sample.answer_form, trail)

    def _window(self, duration_s: float, *seed: object) -> Span | None:
        """Window number `attempt` of a medium, or the whole medium when it is too short for segments and
        gaps.
        """
        least, most = self.params.segment_s
        n, gap = self.params.segments, to_us(self.params.gap_s)
        duration = to_us(duration_s)
        fitting = [s for s in range(least, most + 1) if n * s * SECOND + (n - 1) * gap <= duration]
        if not fitting:
            return Span(0.0, from_us(duration)) if duration >= n * SECOND else None
        length = fitting[int(seeded_fraction("length", *seed) * len(fitting))] * n * SECOND + (n - 1) * gap
        start = int(seeded_fraction("start", *seed) * (duration - length + 1))
        return Span(from_us(start), from_us(start + length))

    def _segments(self, window: Span, duration_s: float) -> list[Span]:
        """The segments that a window consists of. Raises `Withheld` when it is not such a window."""
        least, most = self.params.segment_s
        n, gap = self.params.segments, to_us(self.params.gap_s)
        start, length = to_us(window.start_s), to_us(window.end_s) - to_us(window.start_s)
        if to_us(window.end_s) > to_us(duration_s) + 1:
            raise Withheld(f"the window ends at {window.end_s:g} s, past the end of the footage at {duration_s:g} s")
        if n * least * SECOND + (n - 1) * gap > to_us(duration_s):
            if start != 0 or abs(to_us(window.end_s) - to_us(duration_s)) > 1:
                raise Withheld("footage too short for segments and gaps is shown whole")
            edges = [length * i // n for i in range(n + 1)]
            return [Span(from_us(a), from_us(b)) for a, b in pairwise(edges)]
        segment, rest = divmod(length - (n - 1) * gap, n)
        if rest or segment % SECOND or not least <= segment // SECOND <= most:
            raise Withheld(f"a window of {length / SECOND:g} s is not {n} segments of {least} to {most} whole seconds")
        first = [start + i * (segment + gap) for i in range(n)]
        return [Span(from_us(a), from_us(a + segment)) for a in first]

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        words: Sequence[RowDict],
        window: Span,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about `window`, `words` being those that begin in its segments. Raises `Withheld`."""
        pieces = self._segments(window, media["duration_s"])
        if not clips or covering(clips, pieces) != list(clips):
            raise Withheld("a segment is not inside kept clips")
        texts = [" ".join(str(w["word"]) for w in words if _begins_in(w, piece)) for piece in pieces]
        if any(not any(_begins_in(w, piece) for piece in pieces) for w in words):
            raise Withheld("a cited word begins in none of the segments")
        short = [t for t in texts if len(t) < self.params.min_characters]
        if short:
            raise Withheld(f"a segment has less than {self.params.min_characters} characters: {short[0]!r}")
        if len({tuple(normalise_words(t)) for t in texts}) < len(texts):
            raise Withheld("two segments have the same words")
        listed = canonical_order(texts)
        if trail is not None:
            sorting_chain(trail, [(p, [w for w in words if _begins_in(w, p)]) for p in pieces], listed)
        wordings = wordings_of(self.name)
        question, answer = wordings.question("order", wording), wordings.answer("order", form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        kind = kind_of(media)
        steps = [f"{quote(t)} is spoken in {span_mark(p)}." for t, p in zip(texts, pieces, strict=True)]
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=kind, start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue(f"<{kind}>", question.text, answer.fill({"answer": "<answer>"}), options=True),
            answer=OrderAnswer(order=tuple(listed.index(t) for t in texts)),
            options=tuple(Option(text=t) for t in listed),
            rationale=(*steps, "The times give the order."),
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                *(cite("clips", c, CLIP_COLUMNS) for c in clips),
                *(cite("words", w, WORD_COLUMNS) for w in words),
            ),
            needs=NEEDS[self.params.solve_by],
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={"words": float(len(words)), "segment_s": round(pieces[0].length_s, 6)},
            generator=f"{self.name}@{self.version}",
        )


def canonical_order(texts: Sequence[str]) -> list[str]:
    """Texts in the order of their hashes, which knows nothing of time."""
    return sorted(texts, key=lambda t: (derive_id("option", t), t))


def _begins_in(word: RowDict, piece: Span) -> bool:
    return to_us(piece.start_s) < to_us(word["start_s"]) < to_us(piece.end_s)


ANNOTATOR = TranscriptSorting
