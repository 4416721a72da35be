"""What becomes of the sentences of a spatial caption: slots filled in, relations read, each judged by boxes.

A sentence is kept when everything spatial in it was understood, is what the model says that it states, and holds: for the
whole window where both things are in the picture, or at the moment of a still. The others are dropped, each with its rule.
Words beyond things and relations are counted: a sentence without any follows from the boxes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.facts import Facts
from ...schemas.markup import Text, parse
from ...schemas.objects import Placed
from ...schemas.relation_phrases import Stated, read_sentence
from ...schemas.relations import INVERSE, SIDED, Relation, RelationRule, Standing, Status, standing, standing_at
from ...schemas.slots import resolve, slots_in
from ...schemas.span import Span

NAMING = ("label", "text")
"""Fields of slots that a spatial sentence may use: how a thing is called, or what a sign says."""


class SpatialClaimReply(BaseModel):
    """A relation that a sentence states."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(description="name of a thing, such as obj1")
    relation: Relation = Field(description="how it stands to the other")
    object: str = Field(description="name of the other thing")


class SpatialSentenceReply(BaseModel):
    """A sentence of a spatial caption."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="the sentence, things named by slots")
    claims: list[SpatialClaimReply] = Field(description="every relation that it states")


class SpatialRecaptionReply(BaseModel):
    """A spatial caption."""

    model_config = ConfigDict(extra="forbid")

    sentences: list[SpatialSentenceReply]


@dataclass(frozen=True)
class JudgedClaim:
    """One stated relation, and what the boxes say to it."""

    stated: Stated
    status: Status
    reason: str


@dataclass(frozen=True)
class JudgedSentence:
    """One sentence: kept when `rule` is empty."""

    text: str
    """Neutral markup."""
    claims: tuple[JudgedClaim, ...]
    free_words: int
    rule: str
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """The things that its relations are about."""
        return tuple(dict.fromkeys(name for c in self.claims for name in (c.stated.a, c.stated.b)))

    @property
    def sided(self) -> bool:
        """Whether it becomes false in a mirror."""
        return any(c.stated.relation in SIDED for c in self.claims)


@dataclass(frozen=True)
class Judge:
    """What sentences are judged by: the window, or a moment of it, and the rules."""

    window: Span
    at_s: float | None
    rule: RelationRule
    aspect: float
    max_free_words: int

    def stands(self, a: Placed, b: Placed) -> Standing:
        """How two things stand to each other."""
        if self.at_s is not None:
            return standing_at(a, b, self.at_s, self.rule, self.aspect)
        return standing(a, b, self.window, self.rule, self.aspect)

    def sentences(
        self, reply: SpatialRecaptionReply, facts: Facts, things: Mapping[str, Placed]
    ) -> tuple[JudgedSentence, ...]:
        """Every sentence judged, in order; one that states nothing new is dropped as well."""
        judged: list[JudgedSentence] = []
        known: set[frozenset[tuple[str, str, str]]] = set()
        for sentence in reply.sentences:
            one = self._sentence(sentence, facts, things)
            states = frozenset(_key(c.stated.a, c.stated.relation, c.stated.b) for c in one.claims)
            if not one.rule and any(states <= said for said in known):
                one = JudgedSentence(one.text, one.claims, one.free_words, "repeated", "another sentence says the same")
            if not one.rule:
                known.add(states)
            judged.append(one)
        return tuple(judged)

    def _sentence(self, sentence: SpatialSentenceReply, facts: Facts, things: Mapping[str, Placed]) -> JudgedSentence:
        resolved = resolve(sentence.text, facts, self.window)
        timed = next((s.raw for s in slots_in(sentence.text) if s.field not in NAMING), "")
        if resolved.problems or timed:
            first = resolved.problems[0] if resolved.problems else None
            rule = first.rule if first else "no_naming_slot"
            reason = first.detail if first else f"{timed}: things are named by {{obj1.label}} or {{e1.text}}"
            return JudgedSentence(sentence.text, (), 0, rule, reason)
        human = "".join(token.text for token in parse(resolved.text) if isinstance(token, Text))
        reading = read_sentence(human, tuple(things.values()))
        claims = tuple(self._claim(stated, things) for stated in reading.stated)
        free = len(reading.free_words)
        rule, reason = _fault(sentence, reading.unread, claims, reading.free_words, self.max_free_words)
        if not rule and resolved.numbers:
            rule, reason = "number", f"{resolved.numbers[0]!r} was not checked"
        return JudgedSentence(resolved.text, claims, free, rule, reason)

    def _claim(self, stated: Stated, things: Mapping[str, Placed]) -> JudgedClaim:
        return JudgedClaim(stated, *self.stands(things[stated.a], things[stated.b]).judge(stated.relation))


def _fault(
    sentence: SpatialSentenceReply, unread: int, claims: Sequence[JudgedClaim], free: Sequence[str], most: int
) -> tuple[str, str]:
    """(rule, reason) for which a sentence is dropped; empty for one to keep."""
    contradicted = next((c for c in claims if c.status == "contradicted"), None)
    if contradicted:
        return "contradicted", f"{_said(contradicted.stated)}: {contradicted.reason}"
    if unread:
        return "unread_relation", f"{unread} spatial words are not understood as a relation of two things"
    if not claims:
        return "no_relation", "it states no relation of two things of the list"
    unverified = next((c for c in claims if c.status != "supported"), None)
    if unverified:
        return "unverified", f"{_said(unverified.stated)}: {unverified.reason}"
    said = {_key(c.stated.a, c.stated.relation, c.stated.b) for c in claims}
    declared = {_key(c.subject, c.relation, c.object) for c in sentence.claims}
    if said != declared:
        lacking = sorted(said - declared) or sorted(declared - said)
        what = "states, but does not list," if said - declared else "lists, but does not state,"
        return "other_claims", f"it {what} {' '.join(lacking[0])}"
    if len(free) > most:
        return "free_words", f"{len(free)} words that nobody checks, such as {free[0]!r}"
    return "", ""


def _key(a: str, relation: Relation, b: str) -> tuple[str, str, str]:
    """A relation and its inverse have the same key."""
    turned = (b, INVERSE[relation], a)
    return min((a, relation, b), turned)


def _said(stated: Stated) -> str:
    return f"{stated.a} {stated.relation} {stated.b}"
