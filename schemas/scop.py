"""Pairs of things that stand unambiguously beside each other: the five constraints of SCOP, the data of CoMPaSS.

A pair of boxes passes when each is large enough, both together are a good part of the picture, they are of different
categories, near to each other, hardly overlap and are of like size (read from `blurgyy/CoMPaSS: SCOP/`). The relations of a
pair that passes are those of `relations.directions`. Everything follows from boxes and the size of the picture in pixels.
"""

from __future__ import annotations

from math import hypot
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .box import Box
from .relations import INVERSE, Relation, directions

Constraint = Literal["", "too small", "insignificant", "same category", "too far apart", "overlapping", "unequal sizes"]
_SLACK = 1e-9
"""Boxes come as shares of the picture: an area of exactly 1,024 px must not fail by the last bit."""


class ScopRule(BaseModel):
    """The constraints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_box_px: float = Field(1024, ge=0, description="least area of each box, square pixels")
    min_pair_share: float = Field(0.2, ge=0, le=2, description="least sum of both areas, as a share of the picture")
    max_distance: float = Field(2.0, gt=0, description="greatest distance of centres, in shorter diagonals")
    max_common: float = Field(0.3, ge=0, le=1, description="common area, as a share of the smaller box, stays below")
    min_ratio: float = Field(0.5, ge=0, le=1, description="least ratio of the smaller area to the larger")


RULES: dict[str, ScopRule] = {
    "scop": ScopRule(),
    "geneval": ScopRule(min_pair_share=0.401, max_distance=1.078, max_common=0.232, min_ratio=0.482),
}
"""The published thresholds, and the set that was tuned for GenEval."""


class PairMeasures(BaseModel):
    """What the constraints look at."""

    model_config = ConfigDict(frozen=True)

    smaller_px: float
    pair_share: float
    distance: float
    """In shorter diagonals."""
    common: float
    """As a share of the smaller box."""
    ratio: float


def measures(a: Box, b: Box, width: int, height: int) -> PairMeasures:
    """The measures of two boxes in a picture of `width` x `height` pixels."""
    (ax, ay), (bx, by) = a.centre, b.centre
    diagonal = min(hypot((box.x2 - box.x1) * width, (box.y2 - box.y1) * height) for box in (a, b))
    common = a.intersection(b)
    smaller, larger = sorted((a.area, b.area))
    return PairMeasures(
        smaller_px=smaller * width * height,
        pair_share=a.area + b.area,
        distance=hypot((ax - bx) * width, (ay - by) * height) / diagonal,
        common=common.area / smaller if common else 0.0,
        ratio=smaller / larger,
    )


def refused(a: Box, b: Box, labels: tuple[str, str], rule: ScopRule, width: int, height: int) -> Constraint:
    """The first constraint, in the order of the source, that a pair fails; "" for one that passes all."""
    m = measures(a, b, width, height)
    if m.smaller_px < rule.min_box_px * (1 - _SLACK):
        return "too small"
    if m.pair_share < rule.min_pair_share * (1 - _SLACK):
        return "insignificant"
    if labels[0] == labels[1]:
        return "same category"
    if m.distance > rule.max_distance * (1 + _SLACK):
        return "too far apart"
    if m.common >= rule.max_common:
        return "overlapping"
    return "unequal sizes" if m.ratio < rule.min_ratio * (1 - _SLACK) else ""


def pair_triples(a: str, b: str, one: Box, other: Box) -> tuple[tuple[str, Relation, str], ...]:
    """All statements about a pair that passes, each way round: two, or four where the things stand diagonally."""
    found: list[tuple[str, Relation, str]] = []
    for relation in directions(one, other):
        found += [(a, relation, b), (b, INVERSE[relation], a)]
    return tuple(found)


def margin(a: Box, b: Box, rule: ScopRule, width: int, height: int) -> float:
    """How far a pair that passes is from failing the nearest constraint, as a share of its threshold; 0 and more."""
    m = measures(a, b, width, height)
    shares = [
        m.smaller_px / rule.min_box_px - 1 if rule.min_box_px else 1.0,
        m.pair_share / rule.min_pair_share - 1 if rule.min_pair_share else 1.0,
        1 - m.distance / rule.max_distance,
        1 - m.common / rule.max_common if rule.max_common else 1.0,
        m.ratio / rule.min_ratio - 1 if rule.min_ratio else 1.0,
    ]
    return round(max(0.0, min(shares)), 6)
