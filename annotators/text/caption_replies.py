"""What models reply about captions, and how a sentence with slots becomes one with times.

A sentence that names evidence which does not exist, writes out a time or a place, or quotes what is not there makes its whole
level unusable: half a description would say something else than the model meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...engine.llm.ask import Still
from ...schemas.facts import Facts, SlotProblem
from ...schemas.slots import resolve
from ...schemas.span import Span


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaptionSentence(_Reply):
    """One sentence of a description."""

    text: str = Field(description="the sentence, times as slots")
    facts: list[str] = Field(description="names of the evidence that it rests on")


class ClipCaptionsReply(_Reply):
    """Descriptions of one clip."""

    brief: list[CaptionSentence] = Field(description="the whole clip in one sentence or two")
    dense: list[CaptionSentence] = Field(description="all events, in order")
    objects: list[CaptionSentence] = Field(description="thing by thing")


class Chapter(_Reply):
    """A chapter of a medium."""

    begins_with: str = Field(description="name of the part with which it begins")
    title: str = Field(description="two to eight words")
    summary: list[CaptionSentence] = Field(description="what happens in it")


class MediumCaptionsReply(_Reply):
    """Summary and chapters of a medium."""

    summary: list[CaptionSentence] = Field(description="what the whole medium is about")
    chapters: list[Chapter] = Field(description="in order")


def problem_of(sentences: Sequence[CaptionSentence], facts: Facts, window: Span) -> SlotProblem | None:
    """The first thing that is wrong with sentences; None when nothing is."""
    for sentence in sentences:
        if not sentence.text.strip():
            return SlotProblem("empty_sentence", "a sentence has no text")
        found = resolve(sentence.text, facts, window)
        if found.problems:
            first = found.problems[0]
            return SlotProblem(first.rule, f"{first.detail} (in: {sentence.text})")
        unknown = next((name for name in sentence.facts if facts.get(name) is None), None)
        if unknown is not None:
            return SlotProblem("unknown_evidence", f"{unknown} is not in the list (of: {sentence.text})")
    return None


def order_problem(sentences: Sequence[CaptionSentence], facts: Facts) -> SlotProblem | None:
    """Whether the first times of the sentences go back: a dense description tells events in order."""
    before: tuple[float, str] | None = None
    for sentence in sentences:
        spans = [
            fact.span for name in sentence.facts if (fact := facts.get(name)) is not None and fact.span is not None
        ]
        start = min((span.start_s for span in spans), default=None)
        if start is None:
            continue
        if before is not None and start < before[0]:
            detail = f"“{sentence.text}” tells of something that begins before what “{before[1]}” tells of"
            return SlotProblem("out_of_order", detail)
        before = (start, sentence.text)
    return None


def stored_sentences(sentences: Sequence[CaptionSentence], facts: Facts, window: Span) -> list[dict[str, Any]]:
    """Sentences as `captions` keeps them: slots filled in, with the facts that they name and their span."""
    found = []
    for sentence in sentences:
        filled = resolve(sentence.text, facts, window)
        names = tuple(dict.fromkeys((*filled.cited, *sentence.facts)))
        named = [fact for name in names if (fact := facts.get(name)) is not None]
        spans = [fact.span for fact in named if fact.span is not None]
        found.append(
            {
                "text": filled.text,
                "slot_text": sentence.text.strip(),
                "facts": [
                    {
                        "name": fact.name,
                        "kind": fact.kind,
                        "row_id": str(fact.row["row_id"]),
                        "start_s": fact.span.start_s if fact.span else fact.t_s,
                        "end_s": fact.span.end_s if fact.span else fact.t_s,
                        "text": fact.text,
                    }
                    for fact in named
                ],
                "start_s": max(window.start_s, min((s.start_s for s in spans), default=window.start_s)),
                "end_s": min(window.end_s, max((s.end_s for s in spans), default=window.end_s)),
            }
        )
    return found


def caption_row(sentences: Sequence[dict[str, Any]], span: Span, level: str, **values: Any) -> dict[str, Any]:
    """A row of `captions` from its stored sentences."""
    text = " ".join(s["text"] for s in sentences)
    return {
        "start_s": span.start_s, "end_s": span.end_s, "level": level, "text": text, "sentences": list(sentences), **values
    }  # fmt: skip


def pictures_line(pictures: Sequence[object]) -> str:
    """What follows the question: how many frames, or a video, or nothing."""
    stills = sum(isinstance(p, Still) for p in pictures)
    if not pictures:
        return "There are no pictures; describe what the evidence says."
    return f"{stills} frames of the clip follow, in order of time." if stills else "The clip follows as a video."
