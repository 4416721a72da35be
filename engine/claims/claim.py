"""One atomic claim of a caption, and one opinion about it. Checkers are pure: a claim and what is recorded in, an opinion out.

A checker that has nothing to say gives None: most rules know only claims of their own kind. An opinion of a rule rests on
rows and can be looked up; an opinion of a model is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ...schemas.span import Span

ClaimKind = Literal["object", "attribute", "action", "count", "relation", "order", "text"]
Says = Literal["supported", "contradicted"]
Status = Literal["supported", "contradicted", "unchecked"]


@dataclass(frozen=True)
class NamedFact:
    """A fact that a caption names: its kind, its span (None without a time) and its words."""

    kind: str
    span: Span | None
    text: str = ""


@dataclass(frozen=True)
class Claim:
    """What is claimed, in parts. Which parts are filled depends on the kind; empty text means that there is none."""

    kind: ClaimKind
    claim: str
    """The claim as a sentence of its own."""
    span: Span
    """The time that it is about, on the source clock."""
    subject: str = ""
    """object, attribute, action, count, relation: what it is about. order: the first event."""
    attribute: str = ""
    """attribute: what the subject is like."""
    predicate: str = ""
    """action: what it does. relation: how it stands. order: before, after, during. text: written or said."""
    object_text: str = ""
    """action: to what or where. relation: the other thing. order: the second event."""
    number: int | None = None
    """count: how many."""
    words: str = ""
    """text: the words."""
    negated: bool = False
    """Whether it says that something is not so."""
    first: str = ""
    """order: name of the fact that is the first event, if the caption names it."""
    second: str = ""
    """order: of the second."""
    facts: Mapping[str, NamedFact] = field(default_factory=dict)
    """Facts that the sentence names; for order claims, that the caption names."""


@dataclass(frozen=True)
class Opinion:
    """What one checker says, and why."""

    by: str
    """text, speech, tracks, camera, order, second_captioner or similarity."""
    says: Says
    reason: str
    rule: bool = True
    """Whether it follows from rows by rule; else it is a model's opinion."""
    weak: bool = False
    """Whether a contradiction counts only beside another model's."""


def said(by: str, holds: bool, claim: Claim, reason: str) -> Opinion:
    """The opinion of a rule that found that something holds or does not; turned round for a claim that denies it."""
    return Opinion(by, "supported" if holds != claim.negated else "contradicted", reason)
