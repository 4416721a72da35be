"""A layout written from the room and read back by its importer, and how far what came back is from what is true."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from chronotope.engine.depth_maps import depth_of
from chronotope.engine.folder_importing import FolderMedium
from chronotope.engine.registry import find
from chronotope.schemas.geometry.poses import angle_between_deg
from chronotope.schemas.masks import decode_mask, mask_iou
from chronotope.schemas.space import Space, space_of
from chronotope.schemas.tables import TABLES

from .world import World, world

NAME = "scene0000_00"
ROUND = ("lamp", "plant", "ball", "vase", "bin", "trash bin", "stool", "clock")
"""What is round has a box of any yaw."""


@dataclass(frozen=True)
class Read:
    """What an importer made of a layout."""

    medium: FolderMedium
    times: list[float]
    """When its frames are, as they were written."""
    importer: Any
    folder: Path

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.medium.rows.get(table, ())]

    @property
    def space(self) -> Space:
        """The scene as tasks see it; columns that were not written are NULL."""

        def full(table: str) -> list[dict[str, Any]]:
            return [{c.name: None for c in TABLES[table].columns} | row for row in self.rows(table)]

        [scene] = full("scenes")
        return space_of(scene, full("boxes3d"), full("cameras"), full("tracks"), full("boxes"), full("points"))


def written(
    layout: str,
    root: Path,
    said: dict[str, Any] | None = None,
    published: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> list[float]:
    """Write a layout below `root`; when its frames are. `said` are conventions that it is written by against what is published
    (the planted errors), `published` those that this form of the layout has.
    """
    conventions = replace(find("importer", layout).conventions, **(published or {}))
    write = importlib.import_module(f"layouts.{layout}").write
    return list(write(world(), root / NAME, replace(conventions, **(said or {})), **(options or {})))


def imported(layout: str, root: Path, times: list[float], **settings: Any) -> Read:
    """Import what was written below `root`; raises what the importer raises."""
    kind = find("importer", layout)
    importer = kind(kind.Params.model_validate({"scenes": NAME, **settings}), root)
    return Read(importer.read(NAME, root / NAME), times, importer, root / NAME)


def read(
    layout: str,
    root: Path,
    said: dict[str, Any] | None = None,
    published: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> Read:
    """Write a layout and import it."""
    return imported(layout, root, written(layout, root, said, published, options), **settings)


@dataclass(frozen=True)
class Errors:
    """Largest differences from what is true."""

    position_m: float
    angle_deg: float
    focal_px: float
    time_s: float
    depth_m: float
    """Median."""
    box_centre_m: float
    box_size_m: float
    box_corner_m: float
    mask_iou: float
    """Least."""


def errors(found: Read) -> Errors:
    """How far what was read is from the room; 0 (masks 1) where a layout does not have it."""
    true: World = world()
    scale = true.cameras[0].width
    cameras = sorted(found.rows("cameras"), key=lambda c: c["t_s"])
    assert len(cameras) == len(true.cameras)
    position, angle, focal = [0.0], [0.0], [0.0]
    for row, camera in zip(cameras, true.cameras, strict=True):
        by = scale / row["width"]
        focal.append(max(abs(row[n] * by - getattr(camera, n)) for n in ("fx", "fy", "cx", "cy")))
        if row["pose"] is not None:
            pose = np.reshape(row["pose"], (4, 4))
            position.append(float(np.linalg.norm(pose[:3, 3] - camera.centre)))
            angle.append(angle_between_deg(pose[:3, :3], camera.rotation))
    times = max(abs(row["t_s"] - t) for row, t in zip(cameras, found.times, strict=True))
    by_time = {round(c["t_s"], 6): n for n, c in enumerate(cameras)}
    depth = [0.0]
    for row in found.rows("depths"):
        got, want = depth_of(row), true.depths[by_time[round(row["t_s"], 6)]]
        rows = ((np.arange(got.shape[0]) + 0.5) * want.shape[0] / got.shape[0]).astype(int)
        columns = ((np.arange(got.shape[1]) + 0.5) * want.shape[1] / got.shape[1]).astype(int)
        depth.append(float(np.nanmedian(np.abs(got - want[rows][:, columns]))))
    centre, size, corner, objects = [0.0], [0.0], [0.0], {}
    for row in found.rows("boxes3d"):
        number = _number(row)
        objects[row["object_id"]] = number
    for thing in found.space.objects:
        want = true.boxes[objects[thing.object_id]]
        assert thing.label == true.labels[objects[thing.object_id]]
        centre.append(float(np.linalg.norm(np.subtract(thing.box.centre, want.centre))))
        size.append(float(np.abs(np.sort(thing.box.size) - np.sort(want.size)).max()))
        if thing.label in ROUND:
            continue
        between = np.linalg.norm(thing.box.corners[:, None] - want.corners[None], axis=2)
        corner.append(float(between.min(axis=1).max()))
    iou = [1.0]
    tracks = {t["track_id"]: objects[t["object_id"]] for t in found.rows("tracks")}
    for row in found.rows("boxes"):
        mask = decode_mask(row["mask"])
        step = true.owners[0].shape[0] / mask.shape[0]
        at = ((np.arange(mask.shape[0]) + 0.5) * step).astype(int)
        across = ((np.arange(mask.shape[1]) + 0.5) * step).astype(int)
        want = true.owners[by_time[round(row["t_s"], 6)]] == tracks[row["track_id"]]
        iou.append(mask_iou(mask, want[at][:, across]))
    return Errors(
        max(position), max(angle), max(focal), times, max(depth), max(centre), max(size), max(corner), min(iou)
    )


def _number(row: dict[str, Any]) -> int:
    """Index of the true object: the nearest true box of that label."""
    true = world()
    place = np.array([row["x"], row["y"], row["z"]])
    same = [n for n, label in enumerate(true.labels) if label == row["label"]]
    return min(same, key=lambda n: float(np.linalg.norm(place - true.boxes[n].centre)))
