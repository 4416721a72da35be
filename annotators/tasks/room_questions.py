"""The eight questions of VSI-Bench about a room seen in a video: counts, sizes, distances, directions, order and routes.

Answers follow from boxes, floor and sightings, with two-sided margins and a second answer from surface points; nothing is asked
that the footage shown does not show clearly. Numbers are asked for as numbers or as choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ..asks.ask import Kind
from ..asks.room_relations import AppearanceOrder, RelativeDirection, RelativeDistance
from ..asks.room_route import RoutePlan
from ..asks.room_rule import RoomRule
from ..asks.room_things import ObjectCount, ObjectDistance, ObjectSize, RoomKind, RoomSize
from .space_task import SpaceParams, SpaceTask

RoomKindName = Literal[
    "object_count",
    "object_size",
    "room_size",
    "obj_abs_dist",
    "obj_rel_dist",
    "obj_rel_dir",
    "appearance_order",
    "route_plan",
]
KINDS: dict[str, type[RoomKind]] = {
    k.name: k
    for k in (
        ObjectCount, ObjectSize, RoomSize, ObjectDistance, RelativeDistance, RelativeDirection, AppearanceOrder, RoutePlan,
    )
}  # fmt: skip


class Params(SpaceParams):
    """Parameters of room_questions."""

    kinds: tuple[RoomKindName, ...] = Field(get_args(RoomKindName), min_length=1, description="What is asked.")
    room: RoomRule = Field(default_factory=RoomRule, description="Margins.")


class RoomQuestions(SpaceTask[Params]):
    """Samples about the space that a medium shows."""

    name: ClassVar[str] = "room_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def kinds(self) -> Sequence[Kind]:
        """Those that are asked for, in the order of the parameters."""
        return tuple(KINDS[name](self.params.room) for name in self.params.kinds)


ANNOTATOR = RoomQuestions
