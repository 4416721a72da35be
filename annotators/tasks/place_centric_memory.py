"""A walk remembered by place: what was last seen there, which place showed it, what was new on coming back?

After the place-centric episodes of the Spatially-Aware Transformer: pictures with the place of each, in order of time or re-ordered
place by place, at most so many slots a place. Both orders hold the same pictures, so what a model makes of the order can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import Field

from ...schemas.evenly import evenly
from ...schemas.places import PlaceRule
from ...schemas.space import Space
from ..asks.ask import Kind
from ..asks.places import LastSeen, Log, NextThere, Order, PlaceKind, WhichPlace, serialised, slotted
from ..asks.view import View
from .common import RowDict, Withheld
from .space_task import SpaceParams, SpaceTask


class Params(SpaceParams):
    """Parameters of place_centric_memory."""

    rule: PlaceRule = Field(PlaceRule(cell_m=1.5), description="What a place is.")
    order: Order = Field("time", description="How the pictures are shown: in order of time, or place by place.")
    slots: int = Field(32, ge=4, le=128, description="Pictures of a clip, spread evenly, before places are capped.")
    per_place: int = Field(8, ge=1, description="Slots of a place: pictures of it, at most.")
    options: int = Field(4, ge=3, le=6, description="Options, at most.")


class PlaceCentricMemory(SpaceTask[Params]):
    """Samples from the rows of one space."""

    name = "place_centric_memory"
    version = 1
    Params = Params

    def kinds(self) -> Sequence[Kind]:
        """Three questions."""
        p = self.params
        return tuple(kind(p.rule, p.order, p.per_place, p.options) for kind in (LastSeen, WhichPlace, NextThere))

    def views(
        self, kind: Kind, space: Space, media: RowDict, clips: Sequence[RowDict]
    ) -> Iterator[tuple[View, list[RowDict]]]:
        """Each kept clip as pictures in slots."""
        assert isinstance(kind, PlaceKind)
        for view, clip in super().views(kind, space, media, clips):
            times = tuple(evenly([c.t_s for c in replace(view, stills=()).cameras()], self.params.slots))
            try:
                numbers = Log(replace(view, stills=times), self.params.rule).numbers
                kept = slotted(times, numbers, self.params.per_place)
                again = Log(replace(view, stills=tuple(kept)), self.params.rule).numbers
            except Withheld:
                continue
            yield replace(view, stills=serialised(kept, again, self.params.order)), clip


ANNOTATOR = PlaceCentricMemory
