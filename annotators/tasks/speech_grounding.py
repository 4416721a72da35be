"""When is this said? A phrase of the recognised words is quoted, and the answer is the span in which it is
spoken.

The phrase occurs once in the shown window (no near repetition either), fills at most half of it, and other
speech stands in the window, so neither silence nor the middle gives it away. Without words (subtitles) a
whole segment is quoted, whose span is coarser. The answer is as true as the recogniser's word times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer
from ...engine.task import EvidenceRow, Task
from ...engine.windows import NoWindow, WindowPolicy, choose_window, window_problems
from ...schemas.ids import seeded_fraction
from ...schemas.markup import quote
from ...schemas.metrics import normalise_words
from ...schemas.sample import Evidence, MediumRef, Sample, SpanAnswer
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
    inside,
    kind_of,
    moment,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)

WORD_COLUMNS = ("start_s", "end_s", "word", "position", "confidence")
SPEECH_COLUMNS = ("start_s", "end_s", "text")


class Params(BaseParams):
    """Parameters of speech_grounding."""

    per_clip: int = Field(2, ge=1, description="Samples per kept clip, at most.")
    per_medium: int = Field(8, ge=1, description="Samples per medium, at most.")
    window: WindowPolicy = Field(WindowPolicy(), description="What a sample shows around the quoted words.")
    phrase_words: tuple[int, int] = Field((4, 12), description="Least and greatest number of quoted words.")
    min_confidence: float = Field(0.5, description="Least mean probability of the quoted words; NULL counts as sure.")
    max_pause_s: float = Field(1.0, description="Longest silence inside a phrase.")
    max_similarity: float = Field(
        0.7, description="Share of equal words above which another place counts as a repetition."
    )
    min_other_speech_s: float = Field(0.5, description="Other speech segments must fill this much of the window.")


class SpeechGrounding(Task[Params]):
    """Samples from `words` and `speech` of one medium."""

    name = "speech_grounding"
    Params = Params
    reads = ("media", "clips", "selection", "speech", "words")
    optional_reads = ("selection", "words")
    second = "speech"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples, phrases that do not overlap."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media = medium_row(rows, media_id)
        words = sorted(one_producer(rows["words"]), key=lambda w: w["position"])
        producers = {w["producer"] for w in words}
        speech = [s for s in rows["speech"] if s["producer"] in producers] or one_producer(rows["speech"])
        speech = sorted(speech, key=lambda s: (s["start_s"], s["end_s"]))
        if not speech:
            raise SkipUnit("no speech")
        clips = kept_clips(rows, media_id)
        made: list[Sample] = []
        for clip in shuffled(clips, unit.seed, self.name, key=lambda c: c["clip_id"]):
            in_clip = 0
            for quoted in self._phrases(words or speech, bool(words), clip, unit.seed):
                if in_clip == self.params.per_clip or len(made) == self.params.per_medium:
                    break
                sample = self._try(unit, media, clips, clip, speech, quoted)
                if sample is not None and not any(_overlap(sample, other) for other in made):
                    made.append(sample)
                    in_clip += 1
        for sample in made:
            yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from media, clips, quoted and surrounding rows."""

        def build() -> Sample:
            speech = rows_of(evidence, "speech")
            quoted = rows_of(evidence, "words") or speech[:1]
            others = speech if rows_of(evidence, "words") else speech[1:]
            media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
            return self._build(
                sample.recipe, media, clips, quoted, others, sample.window, sample.wording, sample.answer_form
            )

        return rebuilt(sample, build)

    def _phrases(self, rows: Sequence[RowDict], are_words: bool, clip: RowDict, seed: int) -> Iterable[list[RowDict]]:
        """Runs of rows to quote, in an order that depends on the seed."""
        within = inside(rows, span_of(clip), lambda r: r["start_s"], lambda r: r["end_s"])
        if not are_words:
            yield from ([row] for row in shuffled(within, seed, self.name, key=lambda r: r["row_id"]))
            return
        least, most = self.params.phrase_words
        for first in shuffled(range(len(within)), seed, self.name, clip["clip_id"], key=lambda i: within[i]["row_id"]):
            n = least + int(seeded_fraction(seed, self.name, within[first]["row_id"]) * (most - least + 1))
            phrase = _to_sentence_end(within[first : first + n])
            if len(phrase) >= least:
                yield phrase

    def _try(
        self,
        unit: Unit,
        media: RowDict,
        clips: Sequence[RowDict],
        clip: RowDict,
        speech: Sequence[RowDict],
        quoted: Sequence[RowDict],
    ) -> Sample | None:
        policy = self.params.window
        key = [row["row_id"] for row in quoted]
        try:
            span = _span(quoted)
            bounds = span_of(clip) if policy.within == "clip" else None
            window = choose_window(
                span, media["duration_s"], policy.length_s, unit.seed, self.name, key,
                evidence_share_max=policy.evidence_share_max, bounds=bounds,
            )  # fmt: skip
            if isinstance(window, NoWindow):
                return None
            heard = [s for s in speech if overlap_s(span_of(s), window) > 0 and s["row_id"] not in key]
            question, answer = wordings_of(self.name).choose("when", unit.seed, key)
            held = covering(clips, [span]) or []
            return self._build(unit.recipe, media, held, quoted, heard, window, question.id, answer.id)
        except (Withheld, ValueError):
            return None

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        quoted: Sequence[RowDict],
        heard: Sequence[RowDict],
        window: Span,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample about `quoted` rows in `window`, `heard` being the segments that touch the window.
        Raises `Withheld`.
        """
        are_words = "word" in quoted[0]
        text = " ".join(" ".join(str(r["word"] if are_words else r["text"]) for r in quoted).split()).strip(" ,;:-–—")
        span = _span(quoted)
        self._require_phrase(quoted, are_words, text)
        policy = self.params.window
        for problem in window_problems(
            window, [span], media["duration_s"], policy.length_s, evidence_share_max=policy.evidence_share_max
        ):
            raise Withheld(problem)
        if not clips or covering(clips, [span]) != list(clips):
            raise Withheld("the quoted words are not inside a kept clip")
        phrase = normalise_words(text)
        spoken = [w for row in ([] if are_words else quoted) for w in normalise_words(row["text"])]
        for row in heard:
            if overlap_s(span_of(row), window) <= 0:
                raise Withheld("a cited speech segment lies outside the window")
            spoken += normalise_words(row["text"])
        found = _places(phrase, spoken, self.params.max_similarity)
        if found != 1:
            raise Withheld(f"the quoted words are said {found} times in the window")
        others = [row for row in heard if overlap_s(span_of(row), span) <= 0]
        if sum(overlap_s(span_of(row), window) for row in others) < self.params.min_other_speech_s:
            raise Withheld("no other speech in the window")
        wordings = wordings_of(self.name)
        question, answer = wordings.question("when", wording), wordings.answer("when", form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        kind = kind_of(media)
        slots = {"span": span_mark(span), "start": moment(span.start_s), "end": moment(span.end_s)}
        evidence: list[Evidence] = [
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
        ]
        evidence += [
            cite("words" if are_words else "speech", r, WORD_COLUMNS if are_words else SPEECH_COLUMNS) for r in quoted
        ]
        evidence += [cite("speech", r, SPEECH_COLUMNS) for r in heard]
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=kind, start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue(f"<{kind}>", question.fill({"quote": quote(text)}), answer.fill(slots)),
            answer=SpanAnswer(start_s=span.start_s, end_s=span.end_s),
            rationale=_rationale(quoted, are_words, text, span, others, window),
            evidence=tuple(evidence),
            needs=("audio", "speech_text"),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=placement(window, span) | {"words": float(len(phrase)), "other_segments": float(len(others))},
            generator=f"{self.name}@{self.version}",
        )

    def _require_phrase(self, quoted: Sequence[RowDict], are_words: bool, text: str) -> None:
        least, most = self.params.phrase_words
        n = len(quoted) if are_words else len(text.split())
        if n < least or (n > most if are_words else n > 3 * most):
            raise Withheld(f"{n} words are quoted, not {least} to {most}")
        if not are_words:
            return
        if any(b["position"] != a["position"] + 1 for a, b in pairwise(quoted)):
            raise Withheld("the quoted words do not follow each other")
        if any(b["start_s"] - a["end_s"] > self.params.max_pause_s for a, b in pairwise(quoted)):
            raise Withheld("a pause inside the quoted words")
        sure = [1.0 if r["confidence"] is None else r["confidence"] for r in quoted]
        if sum(sure) / n < self.params.min_confidence:
            raise Withheld("the words are recognised with too little confidence")


def _to_sentence_end(words: Sequence[RowDict]) -> list[RowDict]:
    """The words up to the end of the first sentence among them: nobody quotes across a full stop."""
    ends = [i for i, w in enumerate(words) if str(w["word"]).rstrip("\"'”’)").endswith((".", "?", "!", "…"))]
    return list(words[: ends[0] + 1] if ends else words)


def _span(quoted: Sequence[RowDict]) -> Span:
    return Span(grid(quoted[0]["start_s"]), grid(quoted[-1]["end_s"]))


def _overlap(a: Sample, b: Sample) -> bool:
    assert isinstance(a.answer, SpanAnswer) and isinstance(b.answer, SpanAnswer)
    return a.answer.start_s < b.answer.end_s and b.answer.start_s < a.answer.end_s


def _places(phrase: Sequence[str], spoken: Sequence[str], max_similarity: float) -> int:
    """How many separate places of `spoken` hold the phrase or something much like it; 0 when it is nowhere
    exactly.
    """
    n = len(phrase)
    close: list[int] = []
    exact = False
    for i in range(len(spoken) - n + 1):
        equal = sum(a == b for a, b in zip(phrase, spoken[i : i + n], strict=True))
        exact = exact or equal == n
        if equal > max_similarity * n and (not close or i - close[-1] >= n):
            close.append(i)
    return len(close) if exact and n else 0


def _rationale(
    quoted: Sequence[RowDict], are_words: bool, text: str, span: Span, others: Sequence[RowDict], window: Span
) -> tuple[str, ...]:
    """Steps that cite the evidence: what surrounds the words, where the first begins, where the last ends."""
    steps = [f"I listen for the words {quote(text)}."]
    before = [row for row in others if row["end_s"] <= span.start_s]
    after = [row for row in others if row["start_s"] >= span.end_s]
    for word, row in (("Before", before[-1:]), ("After", after[:1])):
        for r in row:
            part = span_of(r).intersection(window)
            if part is not None:
                steps.append(f"{word} them, at {span_mark(part)}, I hear {quote(' '.join(r['text'].split()))}.")
    if are_words:
        steps.append(f"The first word, {quote(quoted[0]['word'])}, begins at {moment(span.start_s)}.")
        steps.append(f"The last word, {quote(quoted[-1]['word'])}, ends at {moment(span.end_s)}.")
    steps.append(f"So they are said in {span_mark(span)}, and nowhere else in the footage shown.")
    return tuple(steps)


ANNOTATOR = SpeechGrounding
