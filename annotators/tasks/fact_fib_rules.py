"""Rules for a pair of a true and a false statement that a model proposes: alike in form, apart in one detail, the fib not told.

All of it is about words and spans. Whether the evidence entails a fact can be said by rule only where it quotes evidence and
states an order (`by_rule`); all other pairs are for a judge, and both halves for a blind reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...engine.distractors.style import form
from ...schemas.facts import Facts
from ...schemas.matching import alike_descriptions
from ...schemas.metrics import normalise_words, word_edits
from ...schemas.slot_text import Slot, pieces_of
from ...schemas.slots import resolve, slots_in
from ...schemas.span import Span
from ...schemas.time_claims import TimeClaim, claim_problems
from .proposed import Refused
from .question_rules import carried, said_of

Category = Literal["event", "temporal", "causal", "emotion", "motivation", "relation", "place"]
Statement = Literal["fact", "fib"]
NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "nobody",
        "nothing",
        "none",
        "neither",
        "nor",
        "nowhere",
        "without",
        "cannot",
        "hardly",
        "barely",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "doesn't",
        "don't",
        "didn't",
        "won't",
        "can't",
        "couldn't",
        "wouldn't",
        "shouldn't",
        "hasn't",
        "haven't",
        "hadn't",
    ]
)
MOST_WORDS = 12
"""Words that may differ between a fact and its fib (MF2, our reading)."""
LENGTH_RATIO = (0.8, 1.25)
"""Length of the fib by that of the fact, in characters."""
RUN = 4
"""Words around a change that must not stand in any evidence."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FactFibItem(_Part):
    """A fact and its fib, slots unfilled."""

    fact: str = Field(description="one true sentence; no slot but {e3.text}")
    fib: str = Field(description="the same sentence with one detail changed, false by the evidence")
    supports: list[str] = Field(description="names of all evidence that makes the fact true, two at least")
    claims: list[TimeClaim] = Field(description="what the fact says about order or position in time")
    fib_claims: list[TimeClaim] = Field(description="what the fib says about order or position in time")
    categories: list[Category] = Field(description="what the statement is about")


class FactFibReply(_Part):
    """Pairs of statements."""

    pairs: list[FactFibItem] = Field(description="the pairs; fewer or none where the evidence carries no more")


class FactFib(FactFibItem):
    """One of the two statements of a pair, as its proposal stores it."""

    statement: Statement
    used: tuple[str, ...]
    """Every fact that the pair names, in list order."""


def marked(text: str, facts: Facts, window: Span, *, false: bool = False) -> str:
    """A statement in neutral markup. Raises `Refused` with the first problem; of a fib (`false`) a false order is none."""
    for slot in slots_in(text):
        if slot.last or slot.field != "text":
            raise Refused("timed_statement", f"{slot.raw} in a statement; only {{{slot.name}.text}} is allowed")
    resolved = resolve(text, facts, window)
    for problem in resolved.problems:
        if not (false and problem.rule == "contradiction"):
            raise Refused(problem.rule, problem.detail)
    return resolved.text


def require_alike(fact: str, fib: str) -> None:
    """Raises `Refused` unless the two statements differ in few words and nothing else tells them apart by their looks."""
    a, b = normalise_words(fact), normalise_words(fib)
    differ = word_edits(a, b)
    if not 1 <= differ <= MOST_WORDS:
        raise Refused("too_far_apart", f"fact and fib differ in {differ} words; 1 to {MOST_WORDS} are allowed")
    ratio = len(fib) / max(1, len(fact))
    if not LENGTH_RATIO[0] <= ratio <= LENGTH_RATIO[1]:
        raise Refused("lengths_differ", f"the fib has {ratio:.2f} times the fact's length")
    if form(fact)[1] != form(fib)[1]:
        raise Refused("forms_differ", "fact and fib end in different ways")
    if negations(fact) != negations(fib):
        raise Refused("negated", f"{negations(fact)} negations in the fact, {negations(fib)} in the fib")


def negations(text: str) -> int:
    """How many negating words a statement has."""
    return sum(word.strip('.,;:!?“”‘’"()').lower().replace("’", "'") in NEGATIONS for word in text.split())


def require_true(item: FactFibItem, facts: Facts, window: Span) -> None:
    """Raises `Refused` when the fact rests on too little or its claims do not hold."""
    if len(set(item.supports)) < 2:
        raise Refused(
            "too_few_supports", f"{len(set(item.supports))} pieces of evidence support the fact; two are needed"
        )
    for problem in claim_problems(item.claims, item.fact, facts, window):
        raise Refused(problem.rule, problem.detail)


def refuted(item: FactFibItem, facts: Facts, window: Span) -> bool:
    """Whether the fib's claims, or the order that it states, contradict the spans of the evidence. Raises `Refused` for claims
    that are wrong in another way, or that all hold.
    """
    problems = claim_problems(item.fib_claims, item.fib, facts, window)
    for problem in problems:
        if problem.rule != "contradiction":
            raise Refused(problem.rule, f"of the fib: {problem.detail}")
    if item.fib_claims and not problems:
        raise Refused("fib_not_false", "everything that the fib claims about time holds")
    return bool(problems)


def require_untold(fact: str, fib: str, facts: Facts) -> None:
    """Raises `Refused` when evidence tells the fib, or words around its change, at whatever time."""
    for known in facts.values():
        text = known.text or ""
        if text and known.kind in ("event", "caption") and alike_descriptions(fib, text) >= 0.95:
            raise Refused("fib_told", f"{known.name} says much the same as the fib: {text!r}")
    for run in changed_runs(fact, fib):
        for known in facts.values():
            told = normalise_words(known.text or "")
            if any(tuple(told[i : i + len(run)]) == run for i in range(len(told) - len(run) + 1)):
                raise Refused("fib_told", f"{known.name} says {' '.join(run)!r}, so the fib may be true")


def changed_runs(fact: str, fib: str) -> list[tuple[str, ...]]:
    """Runs of four words of the fib that hold a changed word: those that the fact does not have."""
    a, b = normalise_words(fact), normalise_words(fib)
    n = min(RUN, len(b))
    mine = {tuple(a[i : i + n]) for i in range(len(a) - n + 1)}
    return [run for i in range(len(b) - n + 1) if (run := tuple(b[i : i + n])) not in mine]


def by_rule(item: FactFibItem) -> bool:
    """Whether rules decide both halves: quoted evidence and claimed order are all that they say. The claims themselves are
    verified elsewhere.
    """
    said = said_of((c.rel, c.a, c.b) for c in item.claims)
    claimed = said_of((c.rel, c.a, c.b) for c in item.fib_claims)
    return carried("", item.fact, said) and carried("", item.fib, claimed)


def named_in(texts: Sequence[str]) -> list[str]:
    """Names in the slots of texts."""
    return [name for text in texts for piece in pieces_of(text) if isinstance(piece, Slot) for name in piece.names]
