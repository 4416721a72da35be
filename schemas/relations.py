"""How two things stand to each other in the picture, from their boxes: at a moment, and over a span.

Directions follow the rule of CoMPaSS's SCOP data: on each axis, the common part as a share of the shorter side; if both
are below a third, left/right and above/below both hold, else the axis with less in common decides (a tie: the vertical),
and the centres say which way. Boxes that share much stand inside or over each other and have no direction. In front and
behind need depths. Over a span a relation is stated only when it holds nearly always: what changes is not stated.
Left and right are the viewer's; above and below are of the picture, not of the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from .box import Box
from .objects import Placed, common_times
from .span import Span

Relation = Literal[
    "left of", "right of", "above", "below", "in front of", "behind", "near", "far from", "inside", "contains", "overlaps",
    "larger than", "smaller than",
]  # fmt: skip
RELATIONS: tuple[Relation, ...] = get_args(Relation)
INVERSE: dict[Relation, Relation] = {
    "left of": "right of",
    "above": "below",
    "in front of": "behind",
    "inside": "contains",
    "larger than": "smaller than",
}
INVERSE |= {b: a for a, b in INVERSE.items()} | {r: r for r in ("near", "far from", "overlaps")}
OPPOSITE: dict[Relation, Relation] = {r: r2 for r, r2 in INVERSE.items() if r != r2} | {
    "near": "far from",
    "far from": "near",
}
"""What a relation excludes: its inverse, and near and far each other."""
SIDED: tuple[Relation, ...] = ("left of", "right of")
"""What a mirror turns over."""
DEPTH: tuple[Relation, ...] = ("in front of", "behind")
"""What boxes without depths say nothing about."""
Status = Literal["supported", "contradicted", "unchecked"]


class RelationRule(BaseModel):
    """When a relation holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_beside: float = Field(
        1 / 3, ge=0, le=1, description="greatest common part on an axis, as a share of the shorter side, of a direction"
    )
    max_common: float = Field(
        0.3, ge=0, le=1, description="greatest common area, as a share of the smaller box, that leaves a direction"
    )
    min_inside: float = Field(0.95, gt=0, le=1, description="least share of a box that lies in one that holds it")
    size_ratio: float = Field(1.5, gt=1, description="least ratio of areas of larger and smaller")
    near: float = Field(2.0, gt=0, description="greatest distance of centres of near things, in shorter diagonals")
    far: float = Field(4.0, gt=0, description="least distance of centres of far things, in shorter diagonals")
    depth_gap: float = Field(0.1, gt=0, description="least difference of depths, as a share of the greater one")
    hold: float = Field(0.9, gt=0.5, le=1, description="least share of the common times at which a relation holds")
    min_times: int = Field(2, ge=1, description="least number of common times of a span")
    max_gap_s: float = Field(1.0, gt=0, description="longest time between two boxes that is interpolated, seconds")


def relations(
    a: Box, b: Box, rule: RelationRule, aspect: float = 1.0, depths: tuple[float, float] | None = None
) -> tuple[Relation, ...]:
    """All relations of `a` to `b`, in the order of `RELATIONS`.

    `aspect` is width / height of the picture, which distances need; `depths` are those of both things (greater is
    farther), without which nothing stands in front of anything.
    """
    (ax, ay), (bx, by) = a.centre, b.centre
    common = a.intersection(b)
    shared = common.area / min(a.area, b.area) if common else 0.0
    held: set[Relation] = set()
    if shared < rule.max_common:
        held |= set(directions(a, b, rule.max_beside))
    if common is not None:
        if common.area >= rule.min_inside * a.area and a.area < b.area:
            held.add("inside")
        elif common.area >= rule.min_inside * b.area and b.area < a.area:
            held.add("contains")
        else:
            held.add("overlaps")
    if a.area >= rule.size_ratio * b.area:
        held.add("larger than")
    elif b.area >= rule.size_ratio * a.area:
        held.add("smaller than")
    away = hypot((ax - bx) * aspect, ay - by)
    diagonal = min(hypot((box.x2 - box.x1) * aspect, box.y2 - box.y1) for box in (a, b))
    if away <= rule.near * diagonal:
        held.add("near")
    elif away >= rule.far * diagonal:
        held.add("far from")
    if depths is not None and abs(depths[0] - depths[1]) >= rule.depth_gap * max(depths):
        held.add("in front of" if depths[0] < depths[1] else "behind")
    return tuple(r for r in RELATIONS if r in held)


def directions(a: Box, b: Box, max_beside: float = 1 / 3) -> tuple[Relation, ...]:
    """Which side of `b` `a` is on, by the rule of SCOP: both axes where neither has a third in common, else the axis with
    less in common (a tie: the vertical); centres say which way, and none where they are level.
    """
    (ax, ay), (bx, by) = a.centre, b.centre
    x_share, y_share = _beside(a.x1, a.x2, b.x1, b.x2), _beside(a.y1, a.y2, b.y1, b.y2)
    both = x_share < max_beside and y_share < max_beside
    found: list[Relation] = []
    if (both or x_share < y_share) and ax != bx:
        found.append("left of" if ax < bx else "right of")
    if (both or y_share <= x_share) and ay != by:
        found.append("above" if ay < by else "below")
    return tuple(found)


def _beside(a1: float, a2: float, b1: float, b2: float) -> float:
    """The common part of two edges, as a share of the shorter one."""
    return max(0.0, min(a2, b2) - max(a1, b1)) / min(a2 - a1, b2 - b1)


@dataclass(frozen=True)
class Standing:
    """How two things stand to each other over a span: at how many times they were compared, and how often each relation
    held.
    """

    times: tuple[float, ...]
    counts: dict[Relation, int]
    rule: RelationRule
    deep: int = 0
    """At how many of these times the depths of both are known: relations of depth are judged at these."""

    @property
    def held(self) -> tuple[Relation, ...]:
        """Relations that hold at nearly all times."""
        return tuple(
            r for r in RELATIONS if self._compared(r) >= self.rule.min_times and self.share(r) >= self.rule.hold
        )

    def share(self, relation: Relation) -> float:
        """Share of the times at which it could be judged that it holds at."""
        compared = self._compared(relation)
        return self.counts.get(relation, 0) / compared if compared else 0.0

    def _compared(self, relation: Relation) -> int:
        return self.deep if relation in DEPTH else len(self.times)

    def judge(self, relation: Relation) -> tuple[Status, str]:
        """What the boxes say to it, and why."""
        if len(self.times) < self.rule.min_times:
            return "unchecked", f"both are in the picture at {len(self.times)} known times"
        if relation in self.held:
            return "supported", f"holds at {self.counts[relation]} of {self._compared(relation)} times"
        opposite = OPPOSITE.get(relation)
        if opposite in self.held:
            assert opposite is not None
            return "contradicted", f"{opposite} at {self.counts[opposite]} of {self._compared(opposite)} times"
        if relation in DEPTH and self.deep < self.rule.min_times:
            return "unchecked", "there are no depths"
        if relation in ("inside", "contains", "overlaps") and not self.counts.get(relation):
            return "contradicted", f"at none of {len(self.times)} times"
        if self.share(relation) > 0:
            return "unchecked", f"holds at {self.counts[relation]} of {len(self.times)} times only"
        return "unchecked", "the boxes say neither that nor its opposite"


def standing(a: Placed, b: Placed, span: Span, rule: RelationRule, aspect: float = 1.0) -> Standing:
    """How `a` stands to `b` at the times of the span at which the places of both are known."""
    counts: dict[Relation, int] = {}
    compared: list[float] = []
    deep = 0
    for t_s in common_times(a, b, span):
        one, other = a.at(t_s, rule.max_gap_s), b.at(t_s, rule.max_gap_s)
        if one is None or other is None:
            continue
        compared.append(t_s)
        depths = _depths(a, b, t_s, rule)
        deep += depths is not None
        for relation in relations(one, other, rule, aspect, depths):
            counts[relation] = counts.get(relation, 0) + 1
    return Standing(tuple(compared), counts, rule, deep)


def standing_at(a: Placed, b: Placed, t_s: float, rule: RelationRule, aspect: float = 1.0) -> Standing:
    """How they stand at a moment."""
    one, other = a.at(t_s, rule.max_gap_s), b.at(t_s, rule.max_gap_s)
    known = one is not None and other is not None
    depths = _depths(a, b, t_s, rule)
    held = relations(one, other, rule, aspect, depths) if one is not None and other is not None else ()
    once = rule.model_copy(update={"min_times": 1})
    return Standing((t_s,) if known else (), dict.fromkeys(held, 1), once, int(known and depths is not None))


def _depths(a: Placed, b: Placed, t_s: float, rule: RelationRule) -> tuple[float, float] | None:
    """How far both are; None where one is unknown or not in front of the camera."""
    one, other = a.depth_at(t_s, rule.max_gap_s), b.depth_at(t_s, rule.max_gap_s)
    return (one, other) if one is not None and other is not None and min(one, other) > 0 else None
