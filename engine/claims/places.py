"""Relation claims: how two things stand to each other in the picture, by their boxes. Checker `tracks`.

The words of a claim are brought to a relation of `schemas.relations`; subject and object must each be one track of the span,
so that nothing is guessed about which of two circles is meant.
"""

from __future__ import annotations

import re

from ...schemas.relations import Relation, RelationRule, standing
from .claim import Claim, Opinion, said
from .nouns import named
from .objects import matching
from .world import Thing, World

_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"\bleft\b", "left of"), (r"\bright\b", "right of"), (r"\b(above|over|higher)\b", "above"),
    (r"\b(below|under|beneath|underneath|lower)\b", "below"), (r"\b(larger|bigger|taller)\b", "larger than"),
    (r"\bsmaller\b", "smaller than"), (r"\b(inside|within)\b", "inside"), (r"\bcontains?\b", "contains"),
    (r"\b(overlap\w*|covers?)\b", "overlaps"), (r"\bfar\b", "far from"), (r"\b(near|next to|beside|close to)\b", "near"),
)  # fmt: skip


def check_relation(claim: Claim, world: World) -> Opinion | None:
    """What the boxes say to a spatial relation; None where they cannot tell, or the words name no relation."""
    if claim.kind != "relation" or not world.things:
        return None
    relation = next((r for pattern, r in _RELATIONS if re.search(pattern, claim.predicate.lower())), None)
    if relation is None:
        return None
    a, b = _only(claim.subject, claim, world), _only(claim.object_text, claim, world)
    if a is None or b is None or a == b:
        return None
    status, reason = standing(a.placed, b.placed, claim.span, RelationRule(), world.aspect).judge(relation)
    if status == "unchecked":
        return None
    return said("tracks", status == "supported", claim, f"{relation}: {reason}")


def _only(phrase: str, claim: Claim, world: World) -> Thing | None:
    """The one thing of the span that a phrase names; None when there is none, or several."""
    wanted = named(phrase, world.labels)
    found = matching(list(world.seen(claim.span)), wanted) if wanted.label else []
    return found[0] if len(found) == 1 else None
