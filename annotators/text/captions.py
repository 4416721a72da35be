"""Captions of clips by a model: brief, dense with events in order, and thing by thing, from frames and named evidence.

One question per kept clip asks for all levels. The model says when by slots of shots, words, writing and objects; code fills
them in, and a level with a literal time, an unknown name or events out of order is rejected with the reason. What a caption
says is not checked here: `claims` does that, and what it finds false is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.asking import Asking
from ...engine.captions import ClipLevel
from ...engine.kept import kept_clips
from ...engine.llm.ask import Answered, Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt, read_prompt
from ...schemas.facts import Facts, SlotProblem
from ...schemas.span import Span
from .caption_replies import (
    CaptionSentence,
    ClipCaptionsReply,
    caption_row,
    order_problem,
    pictures_line,
    problem_of,
    stored_sentences,
)

FactKind = Literal["speech", "text", "shot", "object", "event"]
_ASKED: dict[ClipLevel, str] = {
    "brief": "brief: the whole clip in one sentence, at most two.",
    "dense": "dense: everything that happens, as events in order, one to twelve sentences; say when with slots.",
    "objects": "objects: each important thing or person in turn, what it looks like, what it does, where it stands.",
}


class CaptionsParams(Params):
    """Parameters of `captions`."""

    model: str = Field("captioner", description="role of `models:` that describes")
    levels: tuple[ClipLevel, ...] = Field(
        ("brief", "dense", "objects"), min_length=1, description="descriptions to write"
    )
    facts: tuple[FactKind, ...] = Field(
        ("speech", "text", "shot"),
        description="evidence that it is given, in order of time; `object` adds tracked things, `event` annotated events",
    )
    most_facts: int = Field(60, ge=1, description="evidence of one clip, at most")
    frames: int | None = Field(None, ge=1, description="frames of one clip, at most; default: the model's own limit")
    prompt: str | None = Field(
        None, description="file of your own instead of the carried prompt, relative to the recipe"
    )


class Captions(Asking[CaptionsParams]):
    """Writes `captions` of the levels brief, dense and objects."""

    name: ClassVar[str] = "captions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = CaptionsParams
    reads: ClassVar[tuple[str, ...]] = (
        "media", "clips", "selection", "frames", "speech", "text_regions", "shots", "tracks", "boxes", "captions",
    )  # fmt: skip
    optional_reads: ClassVar[tuple[str, ...]] = reads[2:]
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"frames": ("t_s",)}
    """The pictures themselves are read where they are sent; other pictures make the captions stale."""
    writes: ClassVar[tuple[str, ...]] = ("captions", "proposals")

    def dynamic_reads(self) -> tuple[str, ...]:
        """Pictures, and the tables of the evidence that is given."""
        of = {"speech": ("speech",), "text": ("text_regions",), "shot": ("shots",), "object": ("tracks", "boxes"),
              "event": ("captions",)}  # fmt: skip
        return ("media", "clips", "selection", "frames", *(t for kind in self.params.facts for t in of[kind]))

    def leaves_out(self) -> tuple[str, ...]:
        """What models wrote: events are those of people or composers."""
        return ("captions", "media_captions")

    def roles(self) -> tuple[str, ...]:
        """The captioner."""
        return (self.params.model,)

    def prompts(self) -> Sequence[Prompt]:
        """The one prompt."""
        return (read_prompt("captions", self.params.prompt, self.folder),)

    async def propose(self, unit: Unit, rows: Rows, models: Models) -> Iterable[Row]:
        """Captions of all kept clips of a medium. Raises `SkipUnit` when it has no clip."""
        assert unit.medium is not None
        clips = kept_clips(rows, unit.medium.media_id)
        if not clips:
            raise SkipUnit("no kept clip")
        landing = Landing(unit, self.name)

        async def one(clip: Any) -> list[Row]:
            return await self._one(clip, rows, models, landing)

        found = await models.each(clips, one)
        return [*(row for of_clip in found for row in of_clip), *landing.rows()]

    async def _one(self, clip: Any, rows: Rows, models: Models, landing: Landing) -> list[Row]:
        role, window = self.params.model, Span(clip["start_s"], clip["end_s"]).quantised()
        facts = facts_of(rows, window, self.params.facts, most=self.params.most_facts)
        at = [fact.span.centre_s for fact in facts.values() if fact.kind == "text" and fact.span is not None]
        if models.settings(role).sees == "video_url":
            pictures: Sequence[Any] = models.footage(role, clip["media_id"], window)
        else:
            pictures = models.stills(role, clip["media_id"], window, at=at, most=self.params.frames)
        if not pictures and not facts:
            return []
        (prompt,) = self.prompts()
        question = prompt.fill(
            levels="\n".join(f"- {_ASKED[level]}" for level in self.params.levels),
            evidence=facts.listing() or "(none)",
            pictures=pictures_line(pictures),
        )
        ask = Ask(
            role=role,
            prompt=prompt,
            parts=(question, *pictures),
            reply=ClipCaptionsReply,
            about=clip["clip_id"],
            typical=lambda: typical_captions(facts, self.params.levels),
            check=lambda reply: _complaint(reply, facts, window, self.params.levels),
        )
        try:
            answered = await models.ask(ask)
        except ReplyRejected as error:
            landing.rejected_reply(error, ask, clip["clip_id"])
            return []
        return self._landed(answered, clip, facts, window, landing)

    def _landed(
        self, answered: Answered[ClipCaptionsReply], clip: Any, facts: Facts, window: Span, landing: Landing
    ) -> list[Row]:
        found: list[Row] = []
        for item, level in enumerate(self.params.levels):
            sentences = getattr(answered.value, level)
            one = ClipCaptionsReply(brief=[], dense=[], objects=[]).model_copy(update={level: sentences})
            row = landing.proposal(answered, item, one, facts, clip["clip_id"])
            problem = level_problem(level, sentences, facts, window)
            if problem is not None:
                landing.reject(row, problem.rule, problem.detail)
                continue
            landing.keep(row)
            stored = stored_sentences(sentences, facts, window)
            values = {
                "model": answered.model,
                "clip_id": clip["clip_id"],
                "prompt": self.prompts()[0].title,
                "request_hash": answered.request_hash,
            }
            found.append(("captions", caption_row(stored, window, level, **values)))
        return found


def level_problem(
    level: ClipLevel, sentences: Sequence[CaptionSentence], facts: Facts, window: Span
) -> SlotProblem | None:
    """Why one level cannot be used."""
    if not sentences:
        return SlotProblem("nothing_said", f"the model wrote no {level} description")
    found = problem_of(sentences, facts, window)
    if found is None and level == "dense":
        found = order_problem(sentences, facts)
    return found


def _complaint(reply: ClipCaptionsReply, facts: Facts, window: Span, levels: Sequence[ClipLevel]) -> str:
    problems = {level: level_problem(level, getattr(reply, level), facts, window) for level in levels}
    return "; ".join(
        f"{level}: {p.detail}" for level, p in problems.items() if p is not None and p.rule != "nothing_said"
    )


def typical_captions(facts: Facts, levels: Sequence[ClipLevel]) -> ClipCaptionsReply:
    """Descriptions of usual length over this evidence: an event for each thing that is said, written or seen."""
    timed = [f for f in facts.values() if f.span is not None and f.kind != "shot"]
    events = sorted(timed, key=lambda f: (f.span.start_s if f.span else 0.0, f.name))[:12]
    plain = CaptionSentence(text="A scene with several things and people is shown.", facts=[])
    dense = [CaptionSentence(text=f"During {{{f.name}}}, something is in the picture.", facts=[f.name]) for f in events]
    things = sum(f.kind == "object" for f in facts.values()) or 2
    found = {"brief": [plain], "dense": dense or [plain] * 3, "objects": [plain] * min(things, 6)}
    return ClipCaptionsReply(**{level: found[level] if level in levels else [] for level in found})


ANNOTATOR = Captions
