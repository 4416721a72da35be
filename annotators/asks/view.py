"""What a sample shows of a space: a window of footage or some stills, what is seen in them, and margins to its scale.

Everything is looked up in the `Space`, so that it holds the same on the whole scene and on the rows that a sample cites.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from ...schemas.geometry.camera import Camera
from ...schemas.number_words import ORDINALS
from ...schemas.scale import margin_in
from ...schemas.space import Sighting, Space, SpaceObject
from ...schemas.span import Span, to_us
from ..tasks.common import Withheld
from .ask import About


class SeenRule(BaseModel):
    """When a sighting counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: float = Field(0.003, ge=0, le=1, description="Least share of the picture that shows the object.")
    visibility: float = Field(0.10, ge=0, le=1, description="Least share of the object that is seen.")
    cut: int = Field(4, ge=0, le=4, description="Sides of the picture that may cut it off, at most.")

    def holds(self, sighting: Sighting) -> bool:
        """Whether this sighting counts."""
        return sighting.clear(self.area, self.visibility, self.cut)


CLEARLY = SeenRule(area=0.01, visibility=0.25, cut=2)
SEEN = SeenRule(area=0.003, visibility=0.10, cut=4)


@dataclass(frozen=True)
class View:
    """A window of a space's medium, or stills of it."""

    space: Space
    window: Span
    stills: tuple[float, ...] = ()
    """Times of the pictures shown, in their order; empty: the footage of the window is shown."""
    seen: SeenRule = SEEN
    """What is visible."""
    clearly: SeenRule = CLEARLY
    """What may be asked about."""

    @property
    def metric(self) -> bool:
        """Whether the space has metres, real or predicted."""
        return self.space.scale_status != "unit"

    def least(self, metres: float) -> float:
        """A margin in the space's units: metres, or at unit scale the share of its diagonal that stands for them."""
        return margin_in(self.space.scene, metres, self.space.diagonal_m)

    # -- objects ---------------------------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> Counter[str]:
        """How many objects of each label the space has."""
        return Counter(o.label for o in self.space.objects)

    def named(self) -> tuple[SpaceObject, ...]:
        """Objects that their label names alone, and that are clearly seen in what is shown; by label."""
        found = [o for o in self.space.objects if self.labels[o.label] == 1 and self.sees(o)]
        return tuple(sorted(found, key=lambda o: o.label))

    def named_still(self) -> tuple[SpaceObject, ...]:
        """Those of them that do not move."""
        return tuple(o for o in self.named() if not o.moving)

    def asked(self, about: About, count: int | None = None) -> tuple[SpaceObject, ...]:
        """The objects of a question in the order of their roles. Raises `Withheld` when they are not in the space."""
        found = [self.space.by_id.get(i) for i in about.objects]
        if (count is not None and len(found) != count) or len(set(about.objects)) < len(found):
            raise Withheld("not as many objects as the question has roles")
        kept = tuple(o for o in found if o is not None)
        if len(kept) < len(found):
            raise Withheld("an object that is asked about is not in the scene")
        return kept

    def require_named(self, *objects: SpaceObject) -> None:
        """Raises `Withheld` unless each label names one object of the space alone."""
        if any(self.labels[o.label] != 1 for o in objects):
            raise Withheld("the label names several objects")

    def require_still(self, *objects: SpaceObject) -> None:
        """Raises `Withheld` when an object moves: where it is then depends on when."""
        if any(o.moving for o in objects):
            raise Withheld("an object moves")

    # -- sightings -------------------------------------------------------------------------------------------------

    def shows(self, t_s: float) -> bool:
        """Whether a time is shown."""
        if self.stills:
            return to_us(t_s) in {to_us(t) for t in self.stills}
        return self.window.contains(t_s)

    def sightings(self, thing: SpaceObject) -> tuple[Sighting, ...]:
        """Its sightings in what is shown, in order of time, whether it can be made out or not."""
        return tuple(s for s in self.space.seen.get(thing.object_id, ()) if self.shows(s.t_s))

    def sees(self, thing: SpaceObject) -> bool:
        """Whether it is clearly seen somewhere in what is shown."""
        return any(self.clearly.holds(s) for s in self.sightings(thing))

    def clearest(self, thing: SpaceObject) -> Sighting:
        """The clear sighting that fills most of the picture, the first of equals. Raises `Withheld`."""
        clear = [s for s in self.sightings(thing) if self.clearly.holds(s)]
        if not clear:
            raise Withheld("not clearly visible in what is shown")
        return max(clear, key=lambda s: (s.area or 0.0, -s.t_s))

    def at(self, thing: SpaceObject, t_s: float) -> Sighting:
        """Its clear sighting at a time. Raises `Withheld`."""
        found = [s for s in self.space.seen_at(t_s) if s.object_id == thing.object_id]
        if not found or not self.clearly.holds(found[0]):
            raise Withheld("not clearly visible in the picture")
        return found[0]

    def in_frame(self, t_s: float) -> tuple[SpaceObject, ...]:
        """Objects that are visible at a time, by label."""
        ids = [s.object_id for s in self.space.seen_at(t_s) if self.seen.holds(s)]
        found = [self.space.by_id[i] for i in ids if i in self.space.by_id]
        return tuple(sorted(found, key=lambda o: (o.label, o.object_id)))

    def alone_in_frame(self, t_s: float) -> tuple[SpaceObject, ...]:
        """Objects that are clearly seen at a time, and the only visible ones of their label there."""
        visible = self.in_frame(t_s)
        counted = Counter(o.label for o in visible)
        clear = {s.object_id for s in self.space.seen_at(t_s) if self.clearly.holds(s)}
        return tuple(o for o in visible if counted[o.label] == 1 and o.object_id in clear)

    def require_alone(self, t_s: float, *objects: SpaceObject) -> None:
        """Raises `Withheld` unless everything seen at that time is known and each is the only visible one of its label."""
        if not self.camera(t_s).observed:
            raise Withheld("not everything that is in the picture is known")
        alone = {o.object_id for o in self.alone_in_frame(t_s)}
        if any(o.object_id not in alone for o in objects):
            raise Withheld("not the only one of its label in the picture, or not clearly visible")

    def of_labels(self, t_s: float, *objects: SpaceObject) -> tuple[Sighting, ...]:
        """All sightings at a time of objects that have one of these labels: what being the only one rests on."""
        labels = {o.label for o in objects}
        by_id = self.space.by_id
        return tuple(
            s for s in self.space.seen_at(t_s) if s.object_id in by_id and by_id[s.object_id].label in labels
        )  # fmt: skip

    # -- cameras ---------------------------------------------------------------------------------------------------

    def camera(self, t_s: float) -> Camera:
        """The camera of a time. Raises `Withheld` where there is none with a pose."""
        found = self.space.camera_at(t_s)
        if found is None:
            raise Withheld("no pose of the camera")
        return found

    def cameras(self) -> tuple[Camera, ...]:
        """Those of what is shown."""
        return tuple(c for c in self.space.cameras if self.shows(c.t_s))

    def between(self, start_s: float, end_s: float) -> tuple[Camera, ...]:
        """All cameras from one time to another, both included, whether shown or not."""
        return tuple(c for c in self.space.cameras if to_us(start_s) <= to_us(c.t_s) <= to_us(end_s))

    def picture(self, t_s: float) -> str:
        """What a question calls a still: "the third picture"; its rank among those shown. Raises `Withheld`."""
        ranks = [i for i, t in enumerate(self.stills) if to_us(t) == to_us(t_s)]
        if not ranks:
            raise Withheld("a picture that is asked about is not shown")
        return f"the {ordinal(ranks[0] + 1)} picture"


def ordinal(rank: int) -> str:
    """first, second ... in words, from the 21st in digits."""
    if rank <= len(ORDINALS):
        return str(ORDINALS[rank - 1])
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
