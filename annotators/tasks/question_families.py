"""The families of questions of VideoGPT+ and what a model is told about each, and the shape of a reply.

Six families are those of the VCG+ 112K pipeline (summary, generic, temporal in long and in short answers, spatial, reasoning); its
released switches ask for three of them. `consistency` is that of VCGBench-Diverse: one question in two phrasings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.time_claims import TimeClaim

Family = Literal["summary", "generic", "temporal_long", "temporal_short", "spatial", "reasoning", "consistency"]
RELEASED: tuple[Family, ...] = ("spatial", "reasoning", "temporal_short")
"""What the released pipeline of VideoGPT+ asks for."""
TEMPORAL: tuple[Family, ...] = ("temporal_long", "temporal_short")
"""Families whose items must claim something about time."""
ABOUT: Mapping[Family, str] = {
    "summary": "The question asks for an account of the whole footage. The answer tells everything that matters, in order of time.",
    "generic": "Each question asks for another aspect: what is done, how it looks, how it moves, what is said or written. The "
    "answer is detailed.",
    "temporal_long": "The question asks when things happen in relation to each other, or in which part of the footage. Refer to "
    "time coarsely: beginning, middle, end, before, after. The answer is detailed, two to four sentences.",
    "temporal_short": "The question asks when something happens in relation to something else, or in which part of the footage. "
    "Refer to time coarsely: beginning, middle, end, before, after. The answer is one short sentence; where slots and "
    "words of order are enough for it, use nothing else.",
    "spatial": "The question asks for what can be seen: colours, clothes, the setting, where things are, what is written.",
    "reasoning": "The question asks why or how, or what can be concluded; the answer needs more than one piece of evidence, and "
    "says which.",
    "consistency": "One plain question, once more in quite other words as rewording; the same answer fits both.",
}


class QuestionItem(BaseModel):
    """One question as a model writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    rewording: str | None
    answer: str
    claims: list[TimeClaim]
    used: list[str]


class VideoQuestionsReply(BaseModel):
    """Questions of one family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: list[QuestionItem]


class VideoQuestion(BaseModel):
    """One question as it is proposed for a sample: of the two phrasings of a pair, one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Family
    question: str
    answer: str
    claims: tuple[TimeClaim, ...] = ()
    used: tuple[str, ...] = ()
    paired: bool = Field(False, description="Whether the same reply asks the same in other words.")
