"""The eight questions of VSI-Bench about a room seen in a video: counts, sizes, distances, directions, order and routes.

Answers follow from boxes, floor and sightings, with two-sided margins and a second answer from surface points; nothing is asked
that the footage shown does not show clearly. Numbers are asked for as numbers or as choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, get_args

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Rows
from ...schemas.space import Space
from ...schemas.span import to_us
from ..asks.ask import Kind
from ..asks.room_relations import AppearanceOrder, RelativeDirection, RelativeDistance
from ..asks.room_route import RoutePlan
from ..asks.room_rule import RoomRule
from ..asks.room_things import ObjectCount, ObjectDistance, ObjectSize, RoomKind, RoomSize
from ..asks.view import View
from .common import RowDict
from .room_frames import covering_times
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
    frames: int = Field(
        0,
        ge=0,
        le=128,
        description="Frames shown instead of the footage, chosen to see most of the room (needs depths); 0: footage.",
    )


class RoomQuestions(SpaceTask[Params]):
    """Samples about the space that a medium shows."""

    name: ClassVar[str] = "room_questions"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params

    def dynamic_reads(self) -> tuple[str, ...]:
        """Depth maps too where frames are chosen by them."""
        return (*self.reads, "depths") if self.params.frames else self.reads

    def space(self, rows: Rows) -> Space:
        """The space; of its cameras only those of the frames that are shown, where frames are chosen."""
        found = super().space(rows)
        if not self.params.frames:
            return found
        times = {to_us(t) for t in covering_times(rows, rows["media"][0], self.params.frames)}
        return replace(found, cameras=tuple(c for c in found.cameras if to_us(c.t_s) in times))

    def views(
        self, kind: Kind, space: Space, media: RowDict, clips: Sequence[RowDict]
    ) -> Iterator[tuple[View, list[RowDict]]]:
        """Each kept clip, as footage or as its chosen frames."""
        for view, shown in super().views(kind, space, media, clips):
            times = tuple(c.t_s for c in view.cameras())
            if not self.params.frames:
                yield view, shown
            elif times:
                yield replace(view, stills=times), shown

    def kinds(self) -> Sequence[Kind]:
        """Those that are asked for, in the order of the parameters."""
        return tuple(KINDS[name](self.params.room) for name in self.params.kinds)


ANNOTATOR = RoomQuestions
