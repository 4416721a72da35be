"""When is this said? A phrase of the recognised words is quoted, and the answer is the span in which it is
spoken, all spans when it is said several times, or that it is not said.

The phrase fills at most half of the shown window and other speech stands in the window, so neither silence nor the
middle gives it away. Something much like it in the window, or the same words to be read on screen at another time,
withhold it. A phrase that is absent is said elsewhere in the same medium. Without words (subtitles) a whole segment
is quoted, whose span is coarser. The answer is as true as the recogniser's word times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.grounding.localising import (
    Found,
    Localiser,
    Repeated,
    Spoken,
    Unique,
    decide,
    line,
)
from ...engine.grounding.query_windows import AbsentShare, window_showing, windows_without
from ...engine.grounding.windows import NoWindow
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...engine.wordings import Outcome
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import quote
from ...schemas.matching import alike_runs
from ...schemas.metrics import normalise_words
from ...schemas.sample import Evidence, MediumRef, Sample
from ...schemas.span import Span, overlap_s
from ...schemas.verifying import Check
from .chain_of_grounding import speech_chain
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    dialogue,
    inside,
    kind_of,
    moment,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .occurrences import GroundingParams, answer_of, clip_shown, shown_in, slots_of, spans_in, worded
from .phrases import runs_of, said_in, span_of_run, text_of_run, to_sentence_end
from .sight import rivals_of_speech

WORD_COLUMNS = ("start_s", "end_s", "word", "position", "confidence")
SPEECH_COLUMNS = ("start_s", "end_s", "text")
MIN_APART_S = 0.1
"""Runs of the same words closer than this are one long quotation."""


class Params(GroundingParams):
    """Parameters of speech_grounding."""

    phrase_words: tuple[int, int] = Field((4, 12), description="Least and greatest number of quoted words.")
    min_confidence: float = Field(0.5, description="Least mean probability of the quoted words; NULL counts as sure.")
    max_pause_s: float = Field(1.0, description="Longest silence inside a phrase.")
    same: float = Field(0.92, gt=0, le=1, description="Likeness (1 - edits / length) from which words are the same.")
    different: float = Field(0.65, gt=0, le=1, description="Likeness below which they are others; between: withheld.")
    min_other_speech_s: float = Field(0.5, description="Other speech segments must fill this much of the window.")


class SpeechGrounding(Task[Params]):
    """Samples from `words` and `speech` of one medium."""

    name = "speech_grounding"
    version = 3
    Params = Params
    reads = ("media", "clips", "selection", "speech", "words", "text_regions", "captions", "events", "footage_groups")
    optional_reads = ("selection", "words", "text_regions", "captions", "events", "footage_groups")
    second = "speech"

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` and `per_medium` samples; phrases that are asked about do not overlap."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media = medium_row(rows, media_id)
        words = sorted(one_producer(rows["words"]), key=lambda w: w["position"])
        producers = {w["producer"] for w in words}
        speech = [s for s in rows["speech"] if s["producer"] in producers] or one_producer(rows["speech"])
        speech = sorted(speech, key=lambda s: (s["start_s"], s["end_s"]))
        if not speech:
            raise SkipUnit("no speech")
        found = _Footage(
            unit, media, kept_clips(rows, media_id), words or speech, bool(words), speech,
            Spoken([line(r, said_in(r)) for r in words or speech], self.params.same, self.params.different),
            rivals_of_speech(rows), split_of(rows, media_id),
        )  # fmt: skip
        absent = AbsentShare(self.params.absent_share, (unit.seed, self.name))
        asked: list[Span] = []
        made = 0
        for clip in shuffled(found.clips, unit.seed, self.name, key=lambda c: c["clip_id"]):
            in_clip = 0
            for quoted in self._phrases(found, clip):
                if in_clip == self.params.per_clip or made == self.params.per_medium:
                    break
                if any(overlap_s(span_of_run(quoted), other) > 0 for other in asked):
                    continue
                sample = self._present(found, quoted)
                if sample is None:
                    continue
                asked += [span_of_run(quoted), *spans_in(sample.answer)]
                if absent.draw([row["row_id"] for row in quoted]):
                    other = self._absent(found, quoted)
                    if other is not None:
                        absent.paid()
                        sample = other
                made, in_clip = made + 1, in_clip + 1
                yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild the sample from media, clips, quoted and surrounding rows."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """Where the words are heard, and that they are nowhere else."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        words, speech = rows_of(evidence, "words"), rows_of(evidence, "speech")
        # a source without words quotes whole segments, which stand first
        whole = 0 if words else max(1, int(sample.difficulty.get("occurrences", 1)))
        quoted = runs_of(words) if words else [[row] for row in speech[:whole]]
        media, clips = only_row(evidence, "media"), rows_of(evidence, "clips")
        return self._build(
            sample.recipe,
            media,
            clips,
            quoted,
            speech[whole:],
            sample.window,
            sample.wording,
            sample.answer_form,
            trail,
        )

    def _phrases(self, found: _Footage, clip: RowDict) -> Iterable[list[RowDict]]:
        """Runs of rows to quote, in an order that depends on the seed."""
        seed = found.unit.seed
        within = inside(found.rows, span_of(clip), lambda r: r["start_s"], lambda r: r["end_s"])
        if not found.are_words:
            yield from ([row] for row in shuffled(within, seed, self.name, key=lambda r: r["row_id"]))
            return
        least, most = self.params.phrase_words
        for first in shuffled(range(len(within)), seed, self.name, clip["clip_id"], key=lambda i: within[i]["row_id"]):
            n = least + int(seeded_fraction(seed, self.name, within[first]["row_id"]) * (most - least + 1))
            phrase = to_sentence_end(within[first : first + n])
            if len(phrase) >= least:
                yield phrase

    def _present(self, found: _Footage, quoted: Sequence[RowDict]) -> Sample | None:
        """A sample whose window holds the quoted words, once or several times."""
        key = [row["row_id"] for row in quoted]
        try:
            span, text = span_of_run(quoted), text_of_run(quoted)
            held = covering(found.clips, [span]) or []
            window = window_showing(
                text, span, self.params.footage(found.media, held), self.params.window, found.spoken,
                self.params.repeated_share, found.unit.seed, self.name, key,
            )  # fmt: skip
            if isinstance(window, NoWindow):
                return None
            decision = decide(text, window, found.spoken, found.rivals, min_apart_s=MIN_APART_S)
            if not isinstance(decision, Unique | Repeated):
                return None
            places = (decision.place,) if isinstance(decision, Unique) else decision.places
            by_id = {row["row_id"]: row for row in found.rows}
            runs = [quoted if overlap_s(p.span, span) > 0 else [by_id[i] for i in p.rows] for p in places]
            clips = covering(found.clips, [span_of_run(run) for run in runs]) or []
            return self._chosen(found, clips, runs, window, key, "unique" if len(runs) == 1 else "repeated")
        except (Withheld, ValueError):
            return None

    def _absent(self, found: _Footage, quoted: Sequence[RowDict]) -> Sample | None:
        """A sample about the same words over footage of the same medium in which nobody says them."""
        key, text = [row["row_id"] for row in quoted], text_of_run(quoted)
        footage = self.params.footage(found.media, covering(found.clips, [span_of_run(quoted)]) or [])
        for window in windows_without(
            text, span_of_run(quoted), footage, self.params.window, found.spoken, found.rivals, self.params.absent_gap_s,
            found.unit.seed, self.name, key,
        ):  # fmt: skip
            try:
                return self._chosen(found, clip_shown(found.clips, window), [quoted], window, key, "absent")
            except (Withheld, ValueError):
                continue
        return None

    def _chosen(
        self,
        found: _Footage,
        clips: Sequence[RowDict],
        runs: Sequence[Sequence[RowDict]],
        window: Span,
        key: Sequence[str],
        outcome: Outcome,
    ) -> Sample:
        cited = {row["row_id"] for run in runs for row in run}
        heard = [s for s in found.speech if overlap_s(span_of(s), window) > 0 and s["row_id"] not in cited]
        question, answer = wordings_of(self.name).choose(
            "when", found.unit.seed, key, split=found.split, outcome=outcome
        )
        return self._build(found.unit.recipe, found.media, clips, runs, heard, window, question.id, answer.id)

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        runs: Sequence[Sequence[RowDict]],
        heard: Sequence[RowDict],
        window: Span,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about the words of `runs` in `window`, `heard` being the segments that touch the window.

        `runs` are all places in the window where the words are said, or the one place outside where they come from. The
        way to the answer is written into `trail`. Raises `Withheld`.
        """
        are_words = bool(runs) and "word" in runs[0][0]
        text = text_of_run(runs[0]) if runs else ""
        spans = [span_of_run(run) for run in runs]
        for run in runs:
            self._require_phrase(run, are_words, text)
        seen = shown_in(window, spans, media, clips, self.params)
        shown = seen.spans
        quoted = [] if are_words or not shown else [row for run in runs for row in run]
        heard_all = sorted((*heard, *quoted), key=lambda r: (r["start_s"], r["end_s"])) if quoted else list(heard)
        nearest = self._require_said(text, runs, heard_all, window, len(shown))
        others = [row for row in heard if all(overlap_s(span_of(row), span) <= 0 for span in shown)]
        if sum(overlap_s(span_of(row), window) for row in others) < self.params.min_other_speech_s:
            raise Withheld("no other speech in the window")
        question, answer = worded(self.name, "when", wording, form, seen.outcome)
        if trail is not None:
            speech_chain(trail, text, runs, heard, shown, window, self.params.different)
        kind = kind_of(media)
        evidence: list[Evidence] = [
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
        ]
        table, columns = ("words", WORD_COLUMNS) if are_words else ("speech", SPEECH_COLUMNS)
        evidence += [cite(table, r, columns) for run in runs for r in run]
        evidence += [cite("speech", r, SPEECH_COLUMNS) for r in heard]
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], kind=kind, start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue(f"<{kind}>", question.fill({"quote": quote(text)}), answer.fill(slots_of(shown))),
            answer=answer_of(shown),
            rationale=_rationale(runs, are_words, text, shown, others, window, nearest),
            evidence=tuple(evidence),
            needs=("audio", "speech_text"),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=seen.factors
            | {
                "words": float(len(normalise_words(text))),
                "other_segments": float(len(others)),
                "nearest": nearest.score if nearest else 0.0,
            },
            generator=f"{self.name}@{self.version}",
        )

    def _require_said(
        self,
        text: str,
        runs: Sequence[Sequence[RowDict]],
        heard: Sequence[RowDict],
        window: Span,
        times: int,
    ) -> Found | None:
        """The place in the window that is most like `text` without being it.

        Raises `Withheld` when the segments do not say it exactly `times` times, or say something much like it.
        """
        same, different = self.params.same, self.params.different
        phrase = normalise_words(text)
        for run in runs:
            if max((r.score for r in alike_runs(phrase, normalise_words(text_of_run(run)), same)), default=0.0) < same:
                raise Withheld(f"the cited words are not {text!r}")
        if any(overlap_s(span_of(row), window) <= 0 for row in heard):
            raise Withheld("a cited speech segment lies outside the window")
        found = Spoken([line(row, row["text"]) for row in heard], 1.0, 0.0).find(text, window)
        said = [f for f in found if f.score >= same]
        if len(said) != times:
            places = "".join(f", at {f.span.start_s:g} s in {f.text!r}" for f in said[:2])
            raise Withheld(f"the quoted words are said {len(said)} times in the window, not {times}{places}")
        rest = max((f for f in found if f.score < same), key=lambda f: (f.score, -f.span.start_s), default=None)
        if rest is not None and rest.score >= different:
            raise Withheld(f"{rest.text!r} is much like the quoted words ({rest.score:.2f})")
        return rest

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


@dataclass(frozen=True)
class _Footage:
    """What is known of one medium while its samples are written."""

    unit: Unit
    media: RowDict
    clips: Sequence[RowDict]
    rows: Sequence[RowDict]
    are_words: bool
    speech: Sequence[RowDict]
    spoken: Spoken
    rivals: Sequence[Localiser]
    split: str


def _rationale(
    runs: Sequence[Sequence[RowDict]],
    are_words: bool,
    text: str,
    shown: Sequence[Span],
    others: Sequence[RowDict],
    window: Span,
    nearest: Found | None,
) -> tuple[str, ...]:
    """Steps that cite the evidence: what surrounds the words, where they begin and end, or what comes nearest."""
    steps = [f"I listen for the words {quote(text)}."]
    if not shown:
        steps.append(f"I follow everything that is said in {span_mark(window)}.")
        part = nearest.span.intersection(window) if nearest is not None else None
        if nearest is not None and part is not None:
            steps.append(f"What comes nearest is {quote(' '.join(nearest.text.split()))} at {span_mark(part)}.")
        return (*steps, "So the words are not said in the footage shown.")
    if len(shown) > 1:
        steps += [
            f"{'I hear them again' if i else 'I first hear them'} in {span_mark(s)}." for i, s in enumerate(shown)
        ]
        return (*steps, "They are said nowhere else in the footage shown.")
    span, quoted = shown[0], runs[0]
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
