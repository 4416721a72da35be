"""Which words of a sentence say when and where? From what is heard in a span, or with a tag for each word of the text.

`list` plays the footage and asks for all phrases of time and place that are said in a span; `tags` shows the sentence alone and
asks for a tag per word (B-TIME, I-TIME, B-LOC, I-LOC, O). Sentences without any phrase are asked about too, up to a share,
so that "there is one" is no safe guess; they cite another phrase of the transcript, which shows that it was tagged. Phrases are
those of table `phrases`; their characters must be those of the speech, and no phrase that the rules know may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.kept import kept_clips, medium_row, one_producer, split_of
from ...engine.task import EvidenceRow, Task
from ...engine.wordings import Wording
from ...schemas.markup import quote
from ...schemas.phrases import PLACE, TIME, Phrase, bio, find_phrases, words_of
from ...schemas.sample import MediumRef, Need, Sample, TextAnswer, Turn
from ...schemas.span import Span
from ...schemas.verifying import Check
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    dialogue,
    kind_of,
    only_row,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)

SPEECH_COLUMNS = ("start_s", "end_s", "text")
PHRASE_COLUMNS = ("speech_row", "first", "past", "text", "kind")
CALLED = {TIME: "time", PLACE: "place"}
Asked = Literal["list", "tags"]


class Params(BaseParams):
    """Parameters of phrase_tagging."""

    kinds: tuple[Asked, ...] = Field(("list", "tags"), min_length=1, description="What is asked.")
    per_clip: int = Field(6, ge=1, description="Samples per clip, at most.")
    words: tuple[int, int] = Field((4, 40), description="Fewest and most words of a sentence.")
    without: float = Field(0.2, ge=0, le=1, description="Share of samples whose sentence has no phrase, at most.")
    min_confidence: float = Field(0.6, ge=0, le=1, description="Least certainty of recognition; NULL counts as sure.")


class PhraseTagging(Task[Params]):
    """Samples from `speech` and `phrases` of one medium."""

    name = "phrase_tagging"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "speech", "phrases", "footage_groups")
    optional_reads = ("selection", "footage_groups")
    must_hurt = ("prior", "options_only")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_clip` samples per kept clip, sentences with phrases first."""
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        by_row: dict[str, list[RowDict]] = {}
        for phrase in one_producer(rows["phrases"]):
            if phrase["kind"] in CALLED:
                by_row.setdefault(str(phrase["speech_row"]), []).append(phrase)
        read = {str(p["speech_row"]) for p in rows["phrases"]}
        speech = _told_by(rows["speech"], read)
        if not speech:
            raise SkipUnit("no speech with phrases")
        split = split_of(rows, unit.medium.media_id)
        witness = min(
            (p for own in by_row.values() for p in own), key=lambda p: (p["start_s"], p["row_id"]), default=None
        )
        for clip in kept_clips(rows, unit.medium.media_id):
            inside = [s for s in speech if s["end_s"] > s["start_s"] and span_of(clip).contains_span(span_of(s))]
            order = shuffled(inside, unit.seed, self.name, key=lambda s: s["row_id"])
            held = [s for s in order if by_row.get(str(s["row_id"]))]
            bare = [s for s in order if not by_row.get(str(s["row_id"]))]
            made = list(self._made(unit, media, clip, held, by_row, split, self.params.per_clip))
            free = min(
                self.params.per_clip - len(made),
                int(len(made) * self.params.without / (1 - self.params.without + 1e-9)),
            )
            made += self._made(unit, media, clip, bare, {}, split, free, witness)
            yield from (("samples", sample.to_row()) for sample in made)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild from the cited speech row and its phrases."""

        def build() -> Sample:
            asked = wordings_of(self.name).kind_of(sample.wording)
            if asked is None:
                raise Withheld(f"unknown wording {sample.wording}")
            speech, phrases = only_row(evidence, "speech"), rows_of(evidence, "phrases")
            media, clip = only_row(evidence, "media"), only_row(evidence, "clips")
            return self._build(sample.recipe, media, clip, speech, phrases, asked, sample.wording, sample.answer_form)

        return rebuilt(sample, build)

    def _made(
        self,
        unit: Unit,
        media: RowDict,
        clip: RowDict,
        sentences: Sequence[RowDict],
        by_row: dict[str, list[RowDict]],
        split: str,
        most: int,
        witness: RowDict | None = None,
    ) -> list[Sample]:
        found: list[Sample] = []
        for number, speech in enumerate(sentences):
            if len(found) >= most:
                break
            own = by_row.get(str(speech["row_id"]), [])
            phrases = own or ([] if witness is None else [witness])
            asked = self.params.kinds[number % len(self.params.kinds)]
            outcome: Literal["unique", "absent"] = "unique" if own or asked == "tags" else "absent"
            question, answer = wordings_of(self.name).choose(
                asked, unit.seed, speech["row_id"], split=split, outcome=outcome
            )
            try:
                found.append(self._build(unit.recipe, media, clip, speech, phrases, asked, question.id, answer.id))
            except Withheld:
                continue
        return found

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clip: RowDict,
        speech: RowDict,
        phrases: Sequence[RowDict],
        asked: str,
        wording: str,
        form: str,
    ) -> Sample:
        """The sample about one speech row. Raises `Withheld`."""
        text = str(speech["text"])
        least, most = self.params.words
        if not least <= len(words_of(text)) <= most:
            raise Withheld(f"a sentence has {least} to {most} words")
        if speech["confidence"] is not None and speech["confidence"] < self.params.min_confidence:
            raise Withheld("what is said is not sure")
        if not phrases:
            raise Withheld("no phrase is cited, not even one that shows that this transcript was tagged")
        own = [p for p in phrases if p["speech_row"] == speech["row_id"]]
        found = [_phrase(p, speech) for p in sorted(own, key=lambda p: p["first"])]
        for rule in find_phrases(text):
            if not any(rule.first < p.past and p.first < rule.past for p in found):
                raise Withheld(f"{rule.text!r} is a phrase too, and is not among the cited ones")
        question, answer = wordings_of(self.name).question(asked, wording), wordings_of(self.name).answer(asked, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        span, clip_span = span_of(speech), span_of(clip)
        if not clip_span.contains_span(span):
            raise Withheld("what is said does not lie in the clip")
        said, steps = _answer(text, found, asked)
        turns, needs, shown = self._turns(media, span, asked, text, question, answer.fill({"phrases": said}))
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clip["clip_id"],
            media=(
                MediumRef(media_id=media["media_id"], kind=shown, start_s=clip_span.start_s, end_s=clip_span.end_s),
            ),
            turns=turns,
            answer=TextAnswer(text=said),
            rationale=steps,
            evidence=(
                cite("media", media, MEDIA_COLUMNS),
                cite("clips", clip, CLIP_COLUMNS),
                cite("speech", speech, SPEECH_COLUMNS),
                *(cite("phrases", p, PHRASE_COLUMNS) for p in sorted(phrases, key=lambda p: p["first"])),
            ),
            needs=needs,
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty={"words": float(len(words_of(text))), "phrases": float(len(found))},
            generator=f"{self.name}@{self.version}",
        )

    def _turns(
        self, media: RowDict, span: Span, asked: str, text: str, question: Wording, answer: str
    ) -> tuple[tuple[Turn, ...], tuple[Need, ...], Literal["video", "audio", "text"]]:
        if asked == "tags":
            told = question.fill({"sentence": quote(text)})
            return (Turn(role="user", text=told), Turn(role="assistant", text=answer)), (), "text"
        kind = kind_of(media)
        return dialogue(f"<{kind}>", question.fill({"span": span_mark(span)}), answer), ("audio", "speech_text"), kind


def _told_by(speech: Sequence[RowDict], read: set[str]) -> list[RowDict]:
    """Speech of the producer that the phrases were found in, in order of time."""
    producers = {r["producer"] for r in speech if str(r["row_id"]) in read}
    return sorted((r for r in speech if r["producer"] in producers), key=lambda r: (r["start_s"], r["row_id"]))


def _phrase(row: RowDict, speech: RowDict) -> Phrase:
    """A cited phrase. Raises `Withheld` when it is not what stands at its place."""
    first, past = int(row["first"]), int(row["past"])
    there = str(speech["text"])[first:past]
    if there != row["text"] or not there:
        raise Withheld(f"{row['text']!r} does not stand at {first}..{past} of what is said, but {there!r}")
    return Phrase(first, past, str(row["kind"]), there)


def _answer(text: str, found: Sequence[Phrase], asked: str) -> tuple[str, tuple[str, ...]]:
    """The answer in markup, and its steps."""
    if asked == "tags":
        tags = bio(text, found)
        words = [word for word, _, _ in words_of(text)]
        return quote(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True))), ()
    if not found:
        return "nothing", ()
    said = "; ".join(f"{quote(p.text)} ({CALLED[p.kind]})" for p in found)
    return said, tuple(f"{quote(p.text)} says {'when' if p.kind == TIME else 'where'}." for p in found)


ANNOTATOR = PhraseTagging
