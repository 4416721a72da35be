"""What models reply about claims, and what code checks of it before anybody looks whether a claim is true.

A claim must quote its sentence letter by letter, have the parts of its kind, and take them from that sentence: a mistake of the
splitter must not cost the caption a true sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...engine.captions import sentences_of
from ...engine.claims.claim import Claim, ClaimKind, NamedFact
from ...engine.claims.nouns import NUMBERS, number_in, singular
from ...engine.claims.orders import order_word
from ...schemas.facts import Fact, Facts, SlotProblem
from ...schemas.metrics import normalise_words
from ...schemas.morphology import base_of
from ...schemas.span import Span, span_or_none
from ...schemas.verbs import word_list


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AtomicClaim(_Reply):
    """One claim of one sentence."""

    sentence: int = Field(description="number of the sentence, from 1")
    kind: ClaimKind = Field(description="what kind of claim")
    claim: str = Field(description="the claim as a short sentence of its own")
    quote: str = Field(description="the words of the sentence that make it, letter by letter")
    subject: str = Field(description="what it is about; order: the first event; else empty")
    attribute: str = Field(description="attribute: what the subject is like; else empty")
    predicate: str = Field(
        description="what it does, how it stands; order: before, after or during; text: written or said"
    )
    object_text: str = Field(description="to what or where, the other thing, the second event; else empty")
    number: int | None = Field(description="count: how many; else null")
    words: str = Field(description="text: the words; else empty")
    negated: bool = Field(description="whether the sentence denies it")
    first: str = Field(description="order: name of the first event in the evidence, or empty")
    second: str = Field(description="order: name of the second event in the evidence, or empty")


class AtomicClaimsReply(_Reply):
    """All claims of a caption."""

    claims: list[AtomicClaim] = Field(description="in the order of the sentences; empty when it claims nothing")


class StatementVerdict(_Reply):
    """What the second model says to one statement."""

    statement: int = Field(description="its number")
    says: Literal["yes", "no", "cannot_tell"] = Field(description="whether it is true")


class StatementVerdictsReply(_Reply):
    """One verdict for each statement."""

    verdicts: list[StatementVerdict] = Field(description="one for each number")


def shown_sentences(row: Mapping[str, Any]) -> list[str]:
    """The sentences of a caption as the splitter sees them: with slots for times, and quotations filled in."""
    return [_quoting(str(s["slot_text"]), {f["name"]: f["text"] or "" for f in s["facts"]}) for s in sentences_of(row)]


def _quoting(text: str, said: Mapping[str, str]) -> str:
    """The text with `{e1.text}` as a quotation, and `{obj1.label}` as what the object is called."""

    def filled(slot: re.Match[str]) -> str:
        words = " ".join(said.get(slot[1], "").split())
        return f"“{words}”" if slot[2] == "text" else re.sub(r"^an? ", "", words)

    return re.sub(r"\{([a-z]+\d+)\.(text|label)\}", filled, text)


def named_facts(row: Mapping[str, Any]) -> Facts:
    """All facts that a caption names, as its sentences keep them."""
    found: dict[str, Fact] = {}
    for sentence in sentences_of(row):
        for f in sentence["facts"]:
            span = None if f["start_s"] is None else span_or_none(f["start_s"], f["end_s"])
            at = f["start_s"] if span is None else None
            found.setdefault(f["name"], Fact(f["name"], f["kind"], "", {"row_id": f["row_id"]}, span, at, f["text"]))
    return Facts(found.values())


def claim_problem(claim: AtomicClaim, sentences: Sequence[str], names: Sequence[str]) -> SlotProblem | None:
    """Why a claim cannot be used; None when it can. `sentences` as the splitter saw them."""
    if not 1 <= claim.sentence <= len(sentences):
        return SlotProblem("unknown_sentence", f"there is no sentence {claim.sentence}")
    sentence = sentences[claim.sentence - 1]
    quoted = " ".join(claim.quote.split())
    if not quoted or quoted not in " ".join(sentence.split()):
        return SlotProblem("quote_not_found", f"sentence {claim.sentence} does not say “{claim.quote}”")
    if not claim.claim.strip():
        return SlotProblem("empty_claim", "the claim has no words")
    lacking = next((part for part in _PARTS[claim.kind] if getattr(claim, part) in ("", None)), None)
    if lacking is not None and not (claim.kind == "order" and getattr(claim, _NAMES.get(lacking, lacking))):
        return SlotProblem("incomplete_claim", f"a claim of kind {claim.kind} needs {lacking}")
    if claim.kind == "order" and order_word(claim.predicate) is None:
        return SlotProblem(
            "incomplete_claim", f"the predicate of an order is before, after or during, not “{claim.predicate}”"
        )
    unknown = next((name for name in (claim.first, claim.second) if name and name not in names), None)
    if unknown is not None:
        return SlotProblem("unknown_evidence", f"the caption does not name {unknown}")
    # An order may join an event of an earlier sentence with one of its own.
    said = " ".join(sentences[: claim.sentence]) if claim.kind == "order" else sentence
    return _foreign(claim, _stems(said))


_PARTS: dict[str, tuple[str, ...]] = {
    "object": ("subject",), "attribute": ("subject", "attribute"), "action": ("subject", "predicate"),
    "count": ("subject", "number"), "relation": ("subject", "predicate", "object_text"),
    "order": ("subject", "predicate", "object_text"), "text": ("predicate", "words"),
}  # fmt: skip
_NAMES = {"subject": "first", "object_text": "second"}
_SMALL = word_list("a an the its their his her this that these those some of is are")


def _foreign(claim: AtomicClaim, said: frozenset[str]) -> SlotProblem | None:
    """Parts that hold words which the sentence does not."""
    parts = ["subject", "attribute", "object_text", "words"] + (
        ["predicate"] if claim.kind in ("action", "relation") else []
    )
    for part in parts:
        words = [w for w in normalise_words(getattr(claim, part)) if w not in _SMALL]
        foreign = next((w for w in words if w not in said and not _stems(w) & said), None)
        if foreign is not None:
            return SlotProblem("not_in_caption", f"{part}: the sentence does not say “{foreign}”")
    number = claim.number
    if claim.kind == "count" and number is not None:
        written = {str(number), NUMBERS[number] if number < len(NUMBERS) else str(number)} | (
            {"a", "an"} if number == 1 else set()
        )
        if not written & said:
            return SlotProblem("not_in_caption", f"number: the sentence does not say {number}")
    return None


def _stems(text: str) -> frozenset[str]:
    words = normalise_words(text)
    return frozenset(form for w in words for form in (w, singular(w), base_of(w)))


def checked_claim(claim: AtomicClaim, row: Mapping[str, Any], facts: Facts) -> Claim:
    """A usable claim with its span, for the checkers: that of its sentence, within the caption."""
    sentence = sentences_of(row)[claim.sentence - 1]
    span = span_or_none(sentence["start_s"], sentence["end_s"]) or Span(row["start_s"], row["end_s"])
    own = {fact["name"] for fact in sentence["facts"]}
    names = list(facts) if claim.kind == "order" else [name for name in facts if name in own]
    number = claim.number if claim.number is not None else number_in(claim.quote) if claim.kind == "count" else None
    if claim.kind == "order":
        span = Span(row["start_s"], row["end_s"])
    return Claim(
        kind=claim.kind, claim=claim.claim.strip(), span=span, subject=claim.subject, attribute=claim.attribute,
        predicate=claim.predicate, object_text=claim.object_text, number=number, words=claim.words, negated=claim.negated,
        first=claim.first, second=claim.second,
        facts={n: NamedFact(facts[n].kind, facts[n].span, facts[n].text or "") for n in names},
    )  # fmt: skip


def arguments_of(claim: AtomicClaim) -> dict[str, Any]:
    """The parts that are filled, by name."""
    parts = claim.model_dump(exclude={"sentence", "kind", "claim", "quote"})
    return {name: value for name, value in parts.items() if value not in ("", None, False)}
