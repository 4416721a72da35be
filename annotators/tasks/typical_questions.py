"""Typical replies of a model that writes questions: of ordinary length and content, so that `plan` can say what a build costs."""

from __future__ import annotations

from collections.abc import Sequence

from ...schemas.facts import Fact, Facts
from ...schemas.time_claims import TimeClaim
from .question_families import TEMPORAL, Family, QuestionItem, VideoQuestionsReply

_PLAIN = {
    "summary": "Which things happen in this footage, from the first to the last of them?",
    "generic": "What is done here, and how does it look?",
    "spatial": "What can be seen in the picture, and of which colour is it?",
    "reasoning": "What can be concluded about the course of things, and why?",
    "consistency": "What goes on here?",
}


def typical_questions(facts: Facts, family: Family, count: int) -> VideoQuestionsReply:
    """A reply of `count` items (fewer where the facts do not carry them) about neighbouring facts."""
    known = [f for f in facts.values() if f.text]
    items = []
    for i in range(min(count, max(1, len(known) - 1))):
        pair = known[i : i + 2]
        items.append(_temporal(pair) if family in TEMPORAL and len(pair) == 2 else _plain(family, pair, i))
    return VideoQuestionsReply(items=[item for item in items if item is not None])


def _plain(family: Family, told: Sequence[Fact], i: int) -> QuestionItem:
    texts = " and then ".join(f"{{{f.name}.text}}" for f in told) or "nothing that is known"
    question = f"{_PLAIN.get(family, 'What happens here?')[:-1]}{', once more' * i}?"
    rewording = f"Tell me what takes place{', again' * i}, please." if family == "consistency" else None
    answer = f"There is {texts}, which is what the footage shows at that point."
    return QuestionItem(
        question=question, rewording=rewording, answer=answer, claims=[], used=[f.name for f in told]
    )  # fmt: skip


def _temporal(told: Sequence[Fact]) -> QuestionItem | None:
    a, b = told
    if a.span is None or b.span is None or a.span.end_s > b.span.start_s:
        return None
    claim = TimeClaim(rel="before", a=a.name, b=b.name)
    return QuestionItem(
        question=f"What happens before {{{b.name}.text}}?",
        rewording=None,
        answer=f"{{{a.name}.text}}, in {{{a.name}}}.",
        claims=[claim],
        used=[a.name, b.name],
    )
