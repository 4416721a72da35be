"""What an instance mask of a frame says of each object: box, mask, share of the picture, distance, what cuts it off, what hides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...schemas.geometry.camera import Camera
from ...schemas.masks import Mask, box_of, encode_mask
from ..rooms.sightings import shrunk
from .conventions import Floats
from .scan import Ints

NEAR_M, CELL_SHARE, LEAST_CELLS = 0.05, 1 / 64, 4


def mask_values(mask: Mask, mask_side_px: int) -> dict[str, Any]:
    """Columns of `boxes` that follow from a mask alone. Raises ValueError for an empty one."""
    small = shrunk(mask, mask_side_px)
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return {
        **dict(zip(("x1", "y1", "x2", "y2"), box_of(mask), strict=True)),
        "mask": encode_mask(small) if small.any() else None,
        "area": round(float(mask.mean()), 6),
        "truncated": sum(bool(edge.any()) for edge in edges),
    }


def seen_in(
    numbers: Ints, camera: Camera | None, depth: Floats | None, surfaces: Mapping[int, Floats], mask_side_px: int
) -> list[tuple[int, dict[str, Any]]]:
    """(number, columns of `boxes`) of each object that a mask [h, w] of numbers shows, of those with a surface [n, 3].

    `depth` [h', w'] shows the same field. Visibility is unknown (NULL) without a pose or where too little of a surface is known.
    """
    found = []
    for number in np.unique(numbers):
        if int(number) not in surfaces:
            continue
        mask = numbers == number
        values = mask_values(mask, mask_side_px)
        values["visibility"] = None if camera is None else share_seen(mask, camera, surfaces[int(number)])
        values["depth_m"] = None if depth is None else _distance(mask, depth)
        found.append((int(number), values))
    return found


def share_seen(mask: Mask, camera: Camera, surface: Floats) -> float | None:
    """Share of the object's outline, in cells of a 64th of the picture on an endless picture, that its mask covers."""
    local = camera.to_camera(surface)
    ahead = local[:, 2] > NEAR_M
    if ahead.sum() < LEAST_CELLS:
        return None
    pixels, _ = camera.project(surface[ahead])
    cell = max(2.0, camera.width * CELL_SHARE)
    height, width = mask.shape
    column = (pixels[:, 0] * width / camera.width).astype(np.int64)
    row = (pixels[:, 1] * height / camera.height).astype(np.int64)
    inside = (pixels >= 0).all(axis=1) & (column < width) & (row < height)
    hit = np.zeros(len(pixels), bool)
    hit[inside] = mask[row[inside], column[inside]]
    places = np.floor(pixels / cell).astype(np.int64)
    cells, of = np.unique(places, axis=0, return_inverse=True)
    of = of.ravel()
    if len(cells) < LEAST_CELLS:
        return None
    covered = np.zeros(len(cells))
    np.add.at(covered, of[hit], 1.0)
    share = np.minimum(1.0, covered / np.bincount(of, minlength=len(cells)))
    return round(float((share > 0.5).mean() * ahead.mean()), 4)


def _distance(mask: Mask, depth: Floats) -> float | None:
    """Median distance of the mask's pixels, those that are known."""
    height, width = mask.shape
    rows = np.minimum(((np.arange(height) + 0.5) * depth.shape[0] / height).astype(np.int64), depth.shape[0] - 1)
    columns = np.minimum(((np.arange(width) + 0.5) * depth.shape[1] / width).astype(np.int64), depth.shape[1] - 1)
    under = depth[rows][:, columns][mask]
    known = under[under > 0]
    return round(float(np.median(known)), 4) if len(known) else None
