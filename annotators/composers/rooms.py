"""Rooms that were never filmed: furniture, walls and things that move, walked through by a camera, with the exact truth in 3D.

Everything is drawn from the seed: floor, furniture with look-alikes, the camera's way, the movers. Rays say what each pixel
shows, so depth, masks, visibility, boxes and poses are not estimates. No material is needed and no graphics driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar

from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...engine.extras import missing, remedy
from ...schemas.ids import derive_id
from ...schemas.span import from_us, to_us
from ..rooms.film import RoomFilm
from ..rooms.make import RoomPlan, make_room
from ..rooms.truth import TruthPlan


class Params(BaseParams):
    """Parameters of rooms."""

    videos: int = Field(20, ge=1, description="Rooms to make, one film each.")
    seconds: float = Field(24.0, ge=1, le=600, description="Length of each film.")
    fps: int = Field(10, ge=1, le=60, description="Frames per second.")
    width: int = Field(640, ge=64, le=1920, description="Width, px; even.")
    height: int = Field(480, ge=48, le=1080, description="Height, px; even.")
    fov_deg: float = Field(75.0, ge=30, le=120, description="Horizontal field of view, degrees.")
    area_m2: tuple[float, float] = Field((12.0, 40.0), description="Smallest and largest floor, square metres.")
    l_share: float = Field(0.25, ge=0, le=1, description="Share of floors of at least 16 m2 that are L-shaped.")
    objects: tuple[int, int] = Field(
        (8, 18), description="Fewest and most pieces of furniture; fewer where a room is full."
    )
    movers: tuple[int, int] = Field((0, 3), description="Fewest and most things that move.")
    tops: bool = Field(True, description="Whether small things stand on tables, desks and cabinets.")
    physics: bool = Field(
        False, description="Movers are balls and boxes that are dropped or rolled (needs the extra physics, MuJoCo)."
    )
    annotate_fps: float = Field(5.0, gt=0, description="Cameras, boxes and masks per second; at most fps.")
    depth_fps: float = Field(1.0, ge=0, description="Depth maps per second; 0: none.")
    depth_side_px: int = Field(160, ge=16, description="Larger side of a depth map.")
    mask_side_px: int = Field(
        320, ge=16, description="Larger side of a mask; boxes are always those of the full picture."
    )
    crf: int = Field(20, ge=0, le=40, description="Quality of H.264: 0 is lossless.")

    @model_validator(mode="after")
    def _fits(self) -> Params:
        if self.width % 2 or self.height % 2:
            raise ValueError(f"{self.width}x{self.height}: H.264 needs even sides")
        for name in ("area_m2", "objects", "movers"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: {low} is more than {high}; give the smaller number first")
        if self.area_m2[0] < 9 or self.area_m2[1] > 100:
            raise ValueError("area_m2 lies between 9 and 100: a camera has to fit, and rays get long")
        if self.objects[0] < 1 or self.objects[1] > 30 or self.movers[0] < 0 or self.movers[1] > 4:
            raise ValueError("objects lie between 1 and 30, movers between 0 and 4")
        if self.annotate_fps > self.fps or self.depth_fps > self.fps:
            raise ValueError(f"annotate_fps and depth_fps are at most fps, {self.fps}")
        return self


class Rooms(MediaComposer[Params]):
    """Makes films of furnished rooms with exact geometry; needs no material."""

    name: ClassVar[str] = "rooms"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    needs_material: ClassVar[bool] = False
    needs_extra: ClassVar[str | None] = "rooms"

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """`videos` drafts; room k of a seed is the same room whatever the size and length of its film."""
        if self.params.physics and (lacking := missing("physics")):
            raise ComposeError(f"rooms with physics: {', '.join(lacking)} is not installed; {remedy('physics')}")
        for number in range(self.params.videos):
            yield self._draft(number, seed)

    def _draft(self, number: int, seed: int) -> Draft:
        p = self.params
        digest = derive_id(self.name, self.version, p.model_dump(exclude={"videos"}), seed, number)
        plan = RoomPlan(
            derive_id("room", seed, number), p.area_m2, p.l_share, p.objects, p.movers, p.tops, p.physics, p.seconds, p.fps,
            p.width, p.height, p.fov_deg,
        )  # fmt: skip
        truth = TruthPlan(
            max(1, round(p.fps / p.annotate_fps)), round(p.fps / p.depth_fps) if p.depth_fps else 0, p.mask_side_px, p.depth_side_px
        )  # fmt: skip
        film = RoomFilm(partial(make_room, plan), digest, truth, p.crf)
        return Draft(
            digest=digest,
            suffix=".mp4",
            write=film.write,
            duration_s=from_us(to_us(plan.frames / p.fps)),
            rows={},
            measured=film.truth,
            parameters={"room": plan.seed},
        )


COMPOSER = Rooms
