"""What `long_questions` asks a model: questions over a stretch, a note per segment, an answer from notes; and its parameters."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, field_validator

from ...engine.annotator import Params as BaseParams
from ...engine.llm.ask import Ask
from ...engine.llm.evidence import plain
from ...engine.llm.prompts import Prompt
from ...schemas.facts import Facts
from .long_chain import AnswerFromNotesReply, Segment, SegmentNoteReply, numbered
from .long_rules import LongQuestionItem, LongQuestionsReply, cards_of, listing_of
from .long_typical import typical_answer, typical_note, typical_questions
from .proposed import Stretch, complaint

PROMPTS = ("long_questions", "segment_note", "answer_from_notes")


class Params(BaseParams):
    """Parameters of long_questions."""

    model: str = Field("writer", description="Role of `models:` that writes questions, notes and answers from notes.")
    prompts: dict[str, str] = Field(
        default_factory=dict,
        description="Files of your own instead of the carried prompts long_questions, segment_note and answer_from_notes, "
        "relative to the recipe.",
    )
    single: int = Field(4, ge=0, description="Questions for one clip per stretch of footage.")
    pairs: int = Field(2, ge=0, description="Questions for two clips or more (order, change, count) per stretch.")
    longest_s: float = Field(1800.0, gt=0, description="Longest footage that is asked about at once; cut at clips.")
    most_facts: int = Field(
        120, ge=2, description="Facts that a model is shown at most; footage with more is cut at clips."
    )
    min_clips: int = Field(3, ge=2, description="Clips that the footage must have.")
    levels: tuple[str, ...] = Field(("dense",), description="Levels of models' captions that are facts.")
    hard_negatives: int = Field(3, ge=0, description="Clips most alike to the evidence that are named as no evidence.")
    segments: int = Field(2, ge=0, description="Segments of the chain of notes (TDC: 2); 0: no chain.")
    note_tokens: int = Field(128, ge=8, description="Longest note, in tokens of four characters.")

    @field_validator("prompts")
    @classmethod
    def _known(cls, prompts: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(prompts) - set(PROMPTS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no prompt of it; name {', '.join(PROMPTS)}")
        return prompts


def ask_questions(params: Params, prompt: Prompt, media_id: str, stretch: Stretch) -> Ask[LongQuestionsReply]:
    """Questions over a stretch, whose facts are listed with the clips that they lie in."""
    facts, window = stretch.facts, stretch.window
    cards = cards_of(stretch.clips, facts)

    def check(reply: LongQuestionsReply) -> str:
        found = [complaint((x.question, x.answer, x.reason), x.claims, x.evidence, facts, window) for x in reply.items]
        return "; ".join(f"item {i}: {what}" for i, what in enumerate(found) if what)

    text = prompt.fill(
        single=str(params.single), pairs=str(params.pairs), clips=listing_of(cards), evidence=facts.listing()
    )  # fmt: skip
    return Ask(
        role=params.model,
        prompt=prompt,
        parts=(text,),
        reply=LongQuestionsReply,
        about=media_id,
        typical=lambda: typical_questions(cards, params.single, params.pairs),
        check=check,
    )


def ask_note(
    params: Params, prompt: Prompt, media_id: str, segment: Segment, count: int, facts: Facts
) -> Ask[SegmentNoteReply]:
    """A note on one of `count` segments, from its facts."""

    def check(reply: SegmentNoteReply) -> str:
        return complaint((reply.note,), (), reply.used, facts, segment.span)

    return Ask(
        role=params.model,
        prompt=prompt,
        parts=(prompt.fill(segment=str(segment.number), segments=str(count), evidence=facts.listing()),),
        reply=SegmentNoteReply,
        about=f"{media_id} segment {segment.number}",
        typical=lambda: typical_note(facts, params.note_tokens),
        check=check,
    )


def ask_answer(
    params: Params, prompt: Prompt, media_id: str, item: LongQuestionItem, notes: Iterable[str]
) -> Ask[AnswerFromNotesReply]:
    """The answer to a question from the notes of all segments, without their markup."""
    return Ask(
        role=params.model,
        prompt=prompt,
        parts=(prompt.fill(question=item.question, notes=numbered([plain(note) for note in notes])),),
        reply=AnswerFromNotesReply,
        about=f"{media_id} from notes",
        typical=lambda: typical_answer(item.answer),
    )
