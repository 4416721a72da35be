"""Rules for questions about moments that are not named: which events a span names, and that the question names none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from ...schemas.facts import Fact, FactKind, Facts
from ...schemas.slots import names_in, slots_in
from ...schemas.span import Span, merge, to_us
from ...schemas.time_claims import TimeClaim
from .proposed import Refused, require_known
from .question_rules import named_share, shared_run

KINDS: tuple[FactKind, ...] = ("event", "caption")
ASKS_WHEN = re.compile(r"\b(?:when|what (?:point|moment|time)|which (?:part|point|moment|stretch))\b", re.IGNORECASE)


class ReasonedWhenItem(BaseModel):
    """One question as a model writes it, and as it is proposed for a sample."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    span: str
    explanation: str
    claims: list[TimeClaim]


class ReasonedWhenReply(BaseModel):
    """Questions for moments that they do not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: list[ReasonedWhenItem]


class ReasonedWhen(ReasonedWhenItem):
    """A question with the names of all facts that it rests on, in list order."""

    used: list[str]


def answer_of(item: ReasonedWhenItem, facts: Facts, window: Span, most_share: float) -> tuple[list[Fact], Span]:
    """The events that answer, in order of time, and their common span.

    Raises `Refused` unless they are a contiguous run (gaps of at most 1 s, or a 99th of the window if that is more) inside
    the window that fills at most `most_share` of it.
    """
    run = run_of(item, facts)
    tolerance_s = max(1.0, window.length_s / 99)
    covered = merge(fact.span for fact in run if fact.span is not None)
    for a, b in pairwise(covered):
        if b.start_s - a.end_s > tolerance_s:
            raise Refused("no_such_event", f"{b.start_s - a.end_s:g} s between events of {item.span}, which is no run")
    span = Span(covered[0].start_s, covered[-1].end_s).quantised()
    if not window.contains_span(span):
        raise Refused("outside_window", f"{span.start_s:g} to {span.end_s:g} s leaves the footage shown")
    if span.length_s > most_share * window.length_s:
        raise Refused("too_long", f"the answer fills {span.length_s / window.length_s:.2f} of the footage shown")
    return run, span


def require_unnamed(item: ReasonedWhenItem, run: Sequence[Fact], most_named: float) -> None:
    """Raises `Refused` when the question quotes or names what it asks for."""
    for fact in run:
        text = fact.text or ""
        if fact.name in names_in(item.question):
            raise Refused("leak", f"the question names {fact.name}, which answers it")
        if shared := shared_run(item.question, text):
            raise Refused("leak", f"the question holds {shared!r}, which {fact.name} says")
        share = named_share(item.question, text)
        if share > most_named:
            raise Refused("leak", f"the question names {share:.2f} of the words of {fact.name}: {text!r}")


def run_of(item: ReasonedWhenItem, facts: Facts) -> list[Fact]:
    """The events that the proposed span names, in order of time. Raises `Refused`."""
    slots = slots_in(item.span)
    if len(slots) != 1 or slots[0].raw != item.span.strip() or slots[0].field is not None:
        raise Refused("malformed_slot", f"{item.span!r} is no span: write {{e3}}, or {{e2..e4}}")
    require_known(slots[0].names, facts)
    events = sorted(
        (f for f in facts.values() if f.span is not None and f.kind in KINDS),
        key=lambda f: (to_us(f.span.start_s), to_us(f.span.end_s), f.name),  # type: ignore[union-attr]
    )
    names = [f.name for f in events]
    if any(name not in names for name in slots[0].names):
        raise Refused("no_such_event", f"{item.span} is no described event")
    first, last = names.index(slots[0].names[0]), names.index(slots[0].names[-1])
    if first > last:
        raise Refused("reversed", f"{item.span} runs backwards")
    return events[first : last + 1]


def run_names(item: ReasonedWhenItem, facts: Facts) -> list[str]:
    """Names of the events that the proposed span names; none when it names no run."""
    try:
        return [f.name for f in run_of(item, facts)]
    except Refused:
        return []


def typical_when(facts: Facts, count: int) -> ReasonedWhenReply:
    """A reply of ordinary length, for plans."""
    names = [n for n in facts if facts[n].span is not None]
    items = [
        ReasonedWhenItem(
            question=f"When does that come about to which the others lead up{', once more' * i}?",
            span=f"{{{name}}}",
            explanation=f"What is told in {{{name}}} is what the others lead up to, so it must be {{{name}.text}}.",
            claims=[],
        )
        for i, name in enumerate(names[:count])
    ]
    return ReasonedWhenReply(items=items)
