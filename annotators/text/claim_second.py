"""The second captioner: a model that sees the frames, never the caption, and says of each statement whether it is true.

Each claim that has an edit (another colour, label, direction or number) is asked beside it, in an order of its own; a model
that says yes to both sees nothing, and its opinion does not count. What it says is a model's opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.annotator import Rows
from ...engine.claims.claim import Claim, Opinion
from ...engine.claims.edits import edits_of
from ...engine.claims.world import World
from ...engine.llm.ask import Ask
from ...engine.llm.errors import ReplyRejected
from ...engine.llm.evidence import facts_of
from ...engine.llm.landing import Landing
from ...engine.llm.models import Models
from ...engine.llm.prompts import Prompt
from ...schemas.ids import seeded_fraction
from ...schemas.span import Span
from .caption_replies import pictures_line
from .claim_replies import StatementVerdict, StatementVerdictsReply

BY = "second_captioner"


@dataclass(frozen=True)
class _Statement:
    claim: int
    text: str
    edited: bool


@dataclass(frozen=True)
class SecondOpinions:
    """Asks the checker of one unit."""

    role: str | None
    prompt: Prompt
    kinds: Sequence[str]
    rows: Rows
    models: Models
    landing: Landing

    async def ask(self, row: Mapping[str, Any], claims: Sequence[Claim], world: World) -> list[Opinion | None]:
        """An opinion for each claim of a caption; None where it cannot tell, or cannot be asked."""
        nobody: list[Opinion | None] = [None] * len(claims)
        if not claims or self.role is None or not self.models.has(self.role):
            return nobody
        window = Span(row["start_s"], row["end_s"]).quantised()
        facts = facts_of(self.rows, window, self.kinds)
        pictures = self.models.footage(self.role, str(row["media_id"]), window)
        if not pictures and not facts:
            return nobody
        statements = _statements(claims, world)
        question = self.prompt.fill(
            evidence=facts.listing() or "(none)",
            statements="\n".join(f"{i}. {s.text}" for i, s in enumerate(statements, 1)),
            pictures=pictures_line(pictures) if pictures else "There are no pictures; judge by the evidence.",
        )
        ask = Ask(
            role=self.role,
            prompt=self.prompt,
            parts=(question, *pictures),
            reply=StatementVerdictsReply,
            about=str(row["row_id"]),
            typical=lambda: StatementVerdictsReply(
                verdicts=[StatementVerdict(statement=i, says="yes") for i in range(1, len(statements) + 1)]
            ),
            check=lambda reply: _complaint(reply, len(statements)),
        )
        try:
            answered = await self.models.ask(ask)
        except ReplyRejected as error:
            self.landing.rejected_reply(error, ask, row["clip_id"])
            return nobody
        proposal = self.landing.proposal(answered, 0, answered.value, facts, row["clip_id"])
        complaint = _complaint(answered.value, len(statements))
        if complaint:
            self.landing.reject(proposal, "wrong_statements", complaint)
            return nobody
        self.landing.keep(proposal)
        says = {v.statement: v.says for v in answered.value.verdicts}
        return [_opinion(i, statements, says, answered.model) for i in range(len(claims))]


def _statements(claims: Sequence[Claim], world: World) -> list[_Statement]:
    """The claims and an edit of each that has one, in an order that tells nothing."""
    found = []
    for i, claim in enumerate(claims):
        found.append(_Statement(i, claim.claim, False))
        found += [_Statement(i, text, True) for text in edits_of(claim.claim, world.labels)[:1]]
    return sorted(found, key=lambda s: (seeded_fraction("statement", s.text), s.text, s.claim))


def _opinion(claim: int, statements: Sequence[_Statement], says: Mapping[int, str], model: str) -> Opinion | None:
    own = next(says[i] for i, s in enumerate(statements, 1) if s.claim == claim and not s.edited)
    edit = next((says[i] for i, s in enumerate(statements, 1) if s.claim == claim and s.edited), None)
    if own == "cannot_tell" or (own == "yes" and edit == "yes"):
        return None
    reason = f"{model} says {own}" + ("" if edit is None else f", and {edit.replace('_', ' ')} to an edit of it")
    return Opinion(BY, "supported" if own == "yes" else "contradicted", reason, rule=False)


def _complaint(reply: StatementVerdictsReply, statements: int) -> str:
    numbers = sorted(v.statement for v in reply.verdicts)
    if numbers != list(range(1, statements + 1)):
        return f"answer each of the statements 1 to {statements} once; you answered {numbers}"
    return ""
