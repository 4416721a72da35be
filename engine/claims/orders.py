"""Order claims: does one event come before the other? Checker `order`, by the spans of the facts that a caption names.

An event is a named fact, or, where none is named, quoted words or a thing whose first time is recorded. Before and after
compare the ends of one with the begin of the other, and their begins where the two overlap; during asks for an overlap.
"""

from __future__ import annotations

import re

from ...schemas.matching import quoted_parts
from ...schemas.span import Span, overlap_s, to_us
from .claim import Claim, Opinion, said
from .nouns import named
from .objects import matching
from .world import World

TOGETHER_S = 0.25
"""Events that begin within this time of each other have no order."""
_AFTER = re.compile(r"\b(after|follow\w*|later|last|second)\b")
_DURING = re.compile(r"\b(during|while|meanwhile|at the same time|same time|simultaneous\w*)\b")
_BEFORE = re.compile(r"\b(before|then|preced\w*|earlier|first|until)\b")


def check_order(claim: Claim, world: World) -> Opinion | None:
    """What the times of the two events say; None when one of them is not recorded, or they begin together."""
    if claim.kind != "order":
        return None
    a, b = _event(claim.first, claim.subject, claim, world), _event(claim.second, claim.object_text, claim, world)
    relation = order_word(claim.predicate)
    if a is None or b is None or relation is None or a == b:
        return None
    told = f"{a.start_s:g} to {a.end_s:g} s, and {b.start_s:g} to {b.end_s:g} s"
    if relation == "during":
        return said("order", overlap_s(a, b) > 0, claim, told)
    if abs(to_us(a.start_s) - to_us(b.start_s)) < to_us(TOGETHER_S):
        return None
    return said("order", (a.start_s < b.start_s) == (relation == "before"), claim, told)


def order_word(text: str) -> str | None:
    """before, after or during, from the words of a claim's predicate."""
    low = text.lower()
    found = [name for name, words in (("during", _DURING), ("after", _AFTER), ("before", _BEFORE)) if words.search(low)]
    return found[0] if found else None


def _event(name: str, text: str, claim: Claim, world: World) -> Span | None:
    fact = claim.facts.get(name)
    if fact is not None:
        return fact.span
    for quoted in quoted_parts(text):
        for localiser in (world.written, world.spoken):
            finds = [] if localiser is None else localiser.find(quoted, claim.span)
            best = next((f for f in finds if f.score >= localiser.high), None) if localiser is not None else None
            if best is not None:
                return best.span
    wanted = named(text, world.labels)
    seen = matching(list(world.seen(claim.span)), wanted) if wanted.label else []
    return min((t.placed.span for t in seen), default=None)
