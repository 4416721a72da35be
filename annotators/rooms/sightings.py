"""Who is in the picture and how much of it: boxes, masks, shares and distances, all from first hits.

The share of an object that is seen is that of its pixels: those that the picture shows, against these and those that rays
against the object alone find hidden in the picture or beyond its borders. Such rays are spaced so that about a thousand fall
on the object's box; what lies more than one and a half pictures beyond a border is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.geometry.camera import Camera
from ...schemas.masks import box_of, encode_mask
from .caster import Caster, View, pixel_rays

_RAYS = 1000
_BEYOND = 1.5
"""Pictures beyond each border that an object is followed to."""
_NEAR_M = 0.02


@dataclass(frozen=True, eq=False)
class Seen:
    """One object in one picture."""

    thing: int
    box: tuple[float, float, float, float]
    """x1, y1, x2, y2, shares of the picture, around the pixels that show it."""
    pixels: NDArray[np.bool_]
    """Which pixels show it, [height, width]."""
    visibility: float
    area: float
    depth_m: float
    truncated: int

    def row(self, track_id: str, t_s: float, mask_side_px: int) -> dict[str, Any]:
        """Values of `boxes`; the mask is stored at most `mask_side_px` wide or high, and left out when nothing of it is left."""
        small = shrunk(self.pixels, mask_side_px)
        place = dict(zip(("x1", "y1", "x2", "y2"), self.box, strict=True))
        return {
            "track_id": track_id, "t_s": t_s, **place, "mask": encode_mask(small) if small.any() else None,
            "visibility": round(self.visibility, 4), "area": round(self.area, 6), "depth_m": round(self.depth_m, 4),
            "truncated": self.truncated,
        }  # fmt: skip


def seen_in(caster: Caster, frame: int, view: View, camera: Camera | None = None) -> list[Seen]:
    """Everything that a view shows, in the order of the scene's things."""
    at = camera or caster.scene.cameras[frame]
    found = []
    total = view.owners.size
    for thing in np.unique(view.owners[view.owners >= 0]).tolist():
        pixels = view.owners == thing
        share, sides = share_seen(caster, frame, thing, view, at)
        found.append(
            Seen(
                thing,
                box_of(pixels),
                pixels,
                share,
                float(pixels.sum()) / total,
                float(np.median(view.depth[pixels])),
                sides,
            )
        )
    return found


def share_seen(caster: Caster, frame: int, thing: int, view: View, camera: Camera) -> tuple[float, int]:
    """Share of an object's pixels that the picture shows, and how many sides of the picture cut it off."""
    columns, rows = _window(caster, frame, thing, camera)
    alone = caster.alone(thing, frame)
    x, y = (v.ravel() for v in np.meshgrid(columns + 0.5, rows + 0.5))
    own = alone.first(camera.centre, pixel_rays(camera, x, y)) >= 0
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    within = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    shown = np.zeros(len(x), bool)
    shown[within] = view.owners[row[within], column[within]] == thing
    cut = own & ~within
    sides = sum(
        bool((cut & beyond).any()) for beyond in (column < 0, column >= camera.width, row < 0, row >= camera.height)
    )
    pixels = int((view.owners == thing).sum())
    unseen = int((own & ~shown).sum()) * _step(columns) * _step(rows)
    return pixels / max(1, pixels + unseen), sides


def _step(places: NDArray[np.int64]) -> int:
    return int(places[1] - places[0]) if len(places) > 1 else 1


def _window(caster: Caster, frame: int, thing: int, camera: Camera) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of pixels, evenly spaced, that cover an object's box in the picture's plane."""
    corners = camera.to_camera(caster.scene.things[thing].box_at(frame).corners)
    limits = (
        (-_BEYOND * camera.width, (1 + _BEYOND) * camera.width - 1), (-_BEYOND * camera.height, (1 + _BEYOND) * camera.height - 1),
    )  # fmt: skip
    ends = []
    for axis, (focal, middle) in enumerate(((camera.fx, camera.cx), (camera.fy, camera.cy))):
        low, high = limits[axis]
        if (corners[:, 2] > _NEAR_M).all():
            at = focal * corners[:, axis] / corners[:, 2] + middle
            low, high = max(low, float(at.min()) - 1), min(high, float(at.max()) + 1)
        ends.append((int(np.floor(low)), int(np.ceil(high))))
    (left, right), (top, bottom) = ends
    step = max(1, int(np.sqrt(max(1, (right - left) * (bottom - top)) / _RAYS)))
    return np.arange(left, right + 1, step), np.arange(top, bottom + 1, step)


def shrunk(pixels: NDArray[np.bool_], side_px: int) -> NDArray[np.bool_]:
    """A mask at most `side_px` wide or high: the pixels under the centres of the smaller one's."""
    height, width = pixels.shape
    scale = side_px / max(height, width)
    if scale >= 1:
        return pixels
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    rows = ((np.arange(h) + 0.5) * height / h).astype(np.int64)
    columns = ((np.arange(w) + 0.5) * width / w).astype(np.int64)
    return np.asarray(pixels[rows][:, columns], bool)
