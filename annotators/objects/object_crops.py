"""Pictures of objects: cut-outs of stored frames where a track is largest and clearest, a few per track.

The clearest box has the largest area, seen share and distance from the picture's edge; the others are as far from it in time as
possible. A crop set is named by its settings, so whoever asks for the same set gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, Unit, UnitAnnotator
from ...schemas.box import Box, box_or_none
from ...schemas.objects import object_of
from ...schemas.span import to_us
from .stills import COLUMNS, Pixels, stills_of
from .things import RowDict, tracks_with_boxes


class Params(BaseParams):
    """Parameters of object_crops."""

    per_track: int = Field(3, ge=1, description="Crops per track, at most.")
    margin: float = Field(0.1, ge=0, le=1, description="Share of the box that is shown around it on each side.")
    max_side_px: int = Field(256, ge=16, description="Longest side of a crop; never upscaled.")
    quality: int = Field(90, ge=1, le=100, description="JPEG quality.")
    least_side_px: int = Field(8, ge=1, description="Smaller boxes are left out.")
    frame_set: str | None = Field(None, description="Stored frame set to cut from; null: the first by name.")
    tolerance_s: float = Field(0.02, ge=0, description="How far the picture of a box may lie from its time.")

    @property
    def crop_set(self) -> str:
        """Name under which the crops are stored."""
        return f"m{self.margin:g}_px{self.max_side_px}_q{self.quality}"


class ObjectCrops(UnitAnnotator[Params]):
    """Writes `object_crops` of one medium, from `frames`, `tracks` and `boxes`."""

    name: ClassVar[str] = "object_crops"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "frames", "tracks", "boxes")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("object_crops",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Crops in order of track and time. Raises `SkipUnit` without tracks or pictures."""
        import cv2

        p = self.params
        stills = {to_us(s.t_s): s for s in stills_of(rows, p.frame_set)}
        times = sorted(stills)
        for track, boxes in tracks_with_boxes(rows):
            found: list[tuple[float, int, RowDict, Box]] = []
            for row in boxes:
                box = box_or_none(row["x1"], row["y1"], row["x2"], row["y2"])
                near = min(times, key=lambda t: (abs(t - to_us(row["t_s"])), t))
                if box is None or abs(near - to_us(row["t_s"])) > to_us(p.tolerance_s):
                    continue
                still = stills[near]
                if min((box.x2 - box.x1) * still.width, (box.y2 - box.y1) * still.height) >= p.least_side_px:
                    found.append((_clear(row, box), near, row, box))
            for _, near, row, box in sorted(chosen(found, p.per_track), key=lambda f: f[1]):
                still = stills[near]
                picture = cut(still.rgb(), box, p.margin, p.max_side_px)
                _, jpeg = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, p.quality])
                yield (
                    "object_crops",
                    {
                        "track_id": track["track_id"], "t_s": row["t_s"], "crop_set": p.crop_set, "object_id": object_of(track),
                        "x1": box.x1, "y1": box.y1, "x2": box.x2, "y2": box.y2, "width": picture.shape[1],
                        "height": picture.shape[0], "jpeg": jpeg.tobytes(),
                    },
                )  # fmt: skip


def chosen(found: Sequence[tuple[float, int, RowDict, Box]], most: int) -> list[tuple[float, int, RowDict, Box]]:
    """The clearest one, then always the one that is farthest in time from those that are chosen."""
    if not found:
        return []
    picked = [max(found, key=lambda f: (f[0], -f[1]))]
    while len(picked) < min(most, len({f[1] for f in found})):
        picked.append(max(found, key=lambda f: (min(abs(f[1] - q[1]) for q in picked), f[0], -f[1])))
    return picked


def cut(picture: Pixels, box: Box, margin: float, max_side_px: int) -> Pixels:
    """The part of a picture around a box, never enlarged."""
    import cv2

    height, width = picture.shape[:2]
    dx, dy = margin * (box.x2 - box.x1), margin * (box.y2 - box.y1)
    left, top = max(0, int((box.x1 - dx) * width)), max(0, int((box.y1 - dy) * height))
    right, bottom = min(width, int((box.x2 + dx) * width) + 1), min(height, int((box.y2 + dy) * height) + 1)
    part = picture[top:bottom, left:right]
    scale = min(1.0, max_side_px / max(part.shape[:2]))
    if scale == 1.0:
        return part
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)


def _clear(row: RowDict, box: Box) -> float:
    edge = sum((box.x1 <= 0.002, box.y1 <= 0.002, box.x2 >= 0.998, box.y2 >= 0.998))
    seen = 1.0 if row["visibility"] is None else float(row["visibility"])
    return round(box.area * seen * 0.5**edge, 9)


ANNOTATOR = ObjectCrops
