"""Summary and chapters of a medium by a model, from the captions of its clips, what is said and what is written.

The model names the part with which a chapter begins; code makes the chapters' spans, so that they tile the medium from its
first to its last moment. A long medium is told in stretches of `most_parts` parts, then their chapters are the parts of the
next round, until one reply tells all of it. Sentences of clip captions with contradicted claims are not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.asking import Asking
from ...engine.captions import ClipLevel, kept_text, model_rows
from ...engine.kept import kept_clips, one_producer
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.facts import Fact, Facts, SlotProblem
from ...schemas.markup import Text, parse
from ...schemas.span import Span
from .caption_replies import (
    CaptionSentence,
    Chapter,
    MediumCaptionsReply,
    caption_row,
    problem_of,
    stored_sentences,
)


class MediaCaptionsParams(Params):
    """Parameters of `media_captions`."""

    model: str = Field("writer", description="role of `models:` that writes")
    levels: tuple[ClipLevel, ...] = Field(
        ("brief", "dense", "objects"),
        min_length=1,
        description="captions that it reads: of each clip the first of these of which claims left something",
    )
    most_parts: int = Field(80, ge=2, description="parts that are told at once; longer media take several rounds")
    most_chapters: int = Field(12, ge=1, description="chapters of one reply, at most")
    quotes: int = Field(2, ge=0, description="lines of speech and of writing that are shown of each clip, at most")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )

    @model_validator(mode="after")
    def _shrinks(self) -> Self:
        if 2 * self.most_chapters > self.most_parts:
            raise ValueError("most_chapters must be at most half of most_parts, so that long media need fewer rounds")
        return self


@dataclass(frozen=True)
class _Chapter:
    """A verified chapter: its span, its title, its sentences as stored, and the caption with which it begins."""

    span: Span
    title: str
    sentences: list[dict[str, Any]]
    row: Mapping[str, Any]


@dataclass(frozen=True)
class _Told:
    """What one reply told of a run of parts, verified: the summary and the chapters with their spans."""

    summary: list[dict[str, Any]]
    chapters: list[_Chapter]
    model: str
    request_hash: str


class MediaCaptions(Asking[MediaCaptionsParams]):
    """Writes `captions` of the levels summary and chapter."""

    name: ClassVar[str] = "media_captions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = MediaCaptionsParams
    reads: ClassVar[tuple[str, ...]] = ("media", "clips", "selection", "captions", "claims", "speech", "text_regions")
    optional_reads: ClassVar[tuple[str, ...]] = ("selection", "claims", "speech", "text_regions")
    writes: ClassVar[tuple[str, ...]] = ("captions", "proposals")

    def roles(self) -> tuple[str, ...]:
        """The writer."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("media_captions", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Summary and chapters of a medium. Raises `SkipUnit` when no clip of it has a caption of a model."""
        medium = unit.medium
        assert medium is not None
        whole = Span(0.0, medium.duration_s).quantised()
        parts = self._parts(rows, medium.media_id)
        if not parts:
            raise SkipUnit("no clip has a caption of a model")
        landing = Landing(unit, self.name)
        told = await self._told(parts, whole, models, landing)
        while told and len(told) > 1:
            chapters = [chapter for part in told if part is not None for chapter in part.chapters]
            parts = [_part(i, c.span, _plain(c), c.row) for i, c in enumerate(chapters)]
            told = await self._told(parts, whole, models, landing)
        return [*self._rows(told[0] if told else None, whole), *landing.rows()]

    def _parts(self, rows: Rows, media_id: str) -> list[Fact]:
        """The clips that a model captioned, in order, each with what its caption, its speech and its writing say."""
        captions = one_producer(model_rows(rows["captions"], self.params.levels))
        by_clip: dict[str, list[Mapping[str, Any]]] = {}
        for row in captions:
            by_clip.setdefault(row["clip_id"], []).append(row)
        found: list[Fact] = []
        for clip in kept_clips(rows, media_id):
            kept = [(row, kept_text(row, rows["claims"])) for row in by_clip.get(clip["clip_id"], ())]
            left = [(row, text) for row, text in kept if text]
            if not left:
                continue
            row, text = left[0]
            span = Span(clip["start_s"], clip["end_s"]).quantised()
            quotes = []
            for kind, verb in (("speech", "said"), ("text", "written")):
                lines = [f.text for f in facts_of(rows, span, (kind,), most=self.params.quotes).values() if f.text]
                quotes += [f"{verb}: {'; '.join(lines[: self.params.quotes])}"] if self.params.quotes and lines else []
            found.append(_part(len(found), span, "; ".join([_without_marks(text), *quotes]), row))
        return found

    async def _told(self, parts: Sequence[Fact], whole: Span, models: Models, landing: Landing) -> list[_Told]:
        """What the replies tell, one per stretch of parts; nothing for a stretch whose reply was rejected."""
        most = self.params.most_parts
        stretches = [parts[i : i + most] for i in range(0, len(parts), most)]

        async def one(stretch: Sequence[Fact]) -> _Told | None:
            window = whole if len(stretches) == 1 else _around(stretch, whole)
            return await self._one(stretch, window, models, landing)

        found = await models.each(stretches, one)
        return [told for told in found if told is not None] if all(found) else []

    async def _one(self, parts: Sequence[Fact], window: Span, models: Models, landing: Landing) -> _Told | None:
        (prompt,) = self.prompts()
        facts = Facts(parts)
        ask = Ask(
            role=self.params.model,
            prompt=prompt,
            parts=(prompt.fill(most=str(self.params.most_chapters), evidence=facts.listing()),),
            reply=MediumCaptionsReply,
            about=str(parts[0].row["media_id"]),
            typical=lambda: typical_story(facts),
            check=lambda reply: (
                p.detail if (p := story_problem(reply, facts, window, self.params.most_chapters)) else ""
            ),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask, "")
            return None
        row = landing.proposal(answered, 0, answered.value, facts, "")
        problem = story_problem(answered.value, facts, window, self.params.most_chapters)
        if problem is not None:
            landing.reject(row, problem.rule, problem.detail)
            return None
        landing.keep(row)
        begins = [facts[chapter.begins_with] for chapter in answered.value.chapters]
        spans = tiled([fact.span for fact in begins if fact.span is not None], parts, window)
        chapters = [
            _Chapter(span, chapter.title.strip(), stored_sentences(chapter.summary, facts, window), fact.row)
            for span, chapter, fact in zip(spans, answered.value.chapters, begins, strict=True)
        ]
        summary = stored_sentences(answered.value.summary, facts, window)
        return _Told(summary, chapters, answered.model, answered.request_hash)

    def _rows(self, told: _Told | None, whole: Span) -> Iterable[Row]:
        if told is None:
            return
        values = {"model": told.model, "prompt": self.prompts()[0].title, "request_hash": told.request_hash}
        yield "captions", caption_row(told.summary, whole, "summary", **values)
        spans = [chapter.span for chapter in told.chapters]
        first, last = Span(whole.start_s, spans[0].end_s), Span(spans[-1].start_s, whole.end_s)
        spans = [whole] if len(spans) == 1 else [first, *spans[1:-1], last]
        for span, chapter in zip(spans, told.chapters, strict=True):
            yield "captions", caption_row(chapter.sentences, span, "chapter", title=chapter.title, **values)


def tiled(begins: Sequence[Span], parts: Sequence[Fact], whole: Span) -> list[Span]:
    """Spans of chapters from the parts with which they begin: each lasts until the next begins, the last until the end of
    the last part (of the medium, where the parts reach so far).
    """
    end = max((part.span.end_s for part in parts if part.span is not None), default=whole.end_s)
    starts = [span.start_s for span in begins]
    return [Span(a, b) for a, b in zip(starts, [*starts[1:], min(end, whole.end_s)], strict=True)]


def story_problem(reply: MediumCaptionsReply, facts: Facts, whole: Span, most: int) -> SlotProblem | None:
    """Why a reply cannot be used: no text, chapters that do not follow each other, or a sentence that names what is not there."""
    names = list(facts)
    if not reply.summary or not reply.chapters:
        return SlotProblem("nothing_said", "there is no summary, or there are no chapters")
    if len(reply.chapters) > most:
        return SlotProblem("too_many_chapters", f"{len(reply.chapters)} chapters; at most {most} are wanted")
    begins = [chapter.begins_with for chapter in reply.chapters]
    unknown = next((name for name in begins if name not in names), None)
    if unknown is not None:
        return SlotProblem("unknown_evidence", f"a chapter begins with {unknown}, which is no part")
    places = [names.index(name) for name in begins]
    if places[0] != 0:
        return SlotProblem("not_tiled", f"the first chapter must begin with {names[0]}, the first part")
    if any(b <= a for a, b in pairwise(places)):
        return SlotProblem("not_tiled", f"chapters begin with {', '.join(begins)}, which are not parts in order")
    if any(not chapter.title.strip() or not chapter.summary for chapter in reply.chapters):
        return SlotProblem("nothing_said", "a chapter has no title or no summary")
    if any("{" in chapter.title for chapter in reply.chapters):
        return SlotProblem("malformed_slot", "a title holds a slot; titles are plain words")
    titles = [CaptionSentence(text=chapter.title, facts=[]) for chapter in reply.chapters]
    told = [s for chapter in reply.chapters for s in chapter.summary]
    return problem_of([*reply.summary, *titles, *told], facts, whole)


def typical_story(facts: Facts) -> MediumCaptionsReply:
    """A reply of usual length over these parts."""
    names = list(facts)
    begins = names[:: max(2, -(-len(names) // 8))]
    said = "People come together in a place, and then the scene changes."
    chapters = [
        Chapter(begins_with=name, title="Something happens here", summary=[CaptionSentence(text=said, facts=[name])])
        for name in begins
    ]
    return MediumCaptionsReply(summary=[CaptionSentence(text=said, facts=names[:2])] * 2, chapters=chapters)


def _around(parts: Sequence[Fact], whole: Span) -> Span:
    """From the first part's start to the last one's end."""
    spans = [part.span for part in parts if part.span is not None]
    return Span(min(s.start_s for s in spans), max(s.end_s for s in spans)) if spans else whole


def _part(number: int, span: Span, text: str, row: Any) -> Fact:
    return Fact(f"c{number + 1}", "caption", "captions", row, span=span, text=text)


def _plain(chapter: _Chapter) -> str:
    return f"{chapter.title}: {_without_marks(' '.join(s['text'] for s in chapter.sentences))}"


def _without_marks(text: str) -> str:
    """Neutral markup without its times, which the model does not need: it has the names of parts."""
    return " ".join("".join(t.text if isinstance(t, Text) else "that time" for t in parse(text)).split())


ANNOTATOR = MediaCaptions
